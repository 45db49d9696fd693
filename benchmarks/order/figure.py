"""The picture of the order tasks: a row of small charts for every model, a column for every question."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from chainhead_plugin.explain.style import LABELS, REFERENCE

from .models import MODELS
from .results import Results, questions

_COLOURS = {
    "none": REFERENCE,
    "fixed": LABELS[0],
    "fading": LABELS[2],
    "hops": LABELS[4],
    "stack": LABELS[3],
    "peer": LABELS[1],
}
_GROUPS = {
    "none": "no chain",
    "fixed": "tinyBIG's kinds",
    "fading": "inverse with decay",
    "hops": "channel_hops",
    "stack": "stacks of chain heads",
    "peer": "peers",
}


def draw(results: Results, path: Path) -> None:
    """Draw test accuracy over the chains' length, with chance as a dashed line."""
    mpl.use("agg")
    asked = questions(results)
    models = [name for name in MODELS if any(row["model"] == name for row in results["rows"])]
    lengths = sorted({row["length"] for row in results["rows"]})
    width, height = 3.4 + 1.75 * len(asked), 1.05 + 0.52 * len(models)
    figure, axes = plt.subplots(len(models), len(asked), figsize=(width, height), squeeze=False, sharex=True)
    figure.subplots_adjust(
        left=2.85 / width,
        right=1 - 0.4 / width,
        top=1 - 0.5 / height,
        bottom=0.55 / height,
        wspace=0.3,
        hspace=0.28,
    )
    for line, name in zip(axes, models, strict=True):
        for axis, question in zip(line, asked, strict=True):
            _draw_panel(axis, question.accuracies(results, name), question.chance, lengths, name)
    for axis, question in zip(axes[0], asked, strict=True):
        axis.set_title(question.title, fontsize=10, pad=12, fontweight="bold", color="#222222")
    for axis in axes[-1]:
        axis.set_xticks(range(len(lengths)), [_short(length) for length in lengths], fontsize=7.5)
        axis.tick_params(axis="x", length=0, pad=5, labelbottom=True, colors="#555555")
    _label_rows(figure, axes, models)
    figure.text(
        1.62 / width + 0.5, 0.1 / height, "nodes in a chain", ha="center", fontsize=9, color="#555555"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def _short(length: int) -> str:
    return f"{length // 1024}k" if length >= 1024 else str(length)


def _draw_panel(
    axis: Axes, accuracies: Mapping[int, list[float]], chance: float, lengths: list[int], name: str
) -> None:
    colour = _COLOURS[MODELS[name].group]
    room = 1 - chance
    axis.set(xlim=(-0.35, len(lengths) - 0.65), ylim=(chance - 0.18 * room, 1 + 0.14 * room))
    axis.set_yticks([])
    axis.tick_params(length=0, labelbottom=False)
    for side in axis.spines.values():
        side.set_visible(False)
    if not accuracies:
        axis.text(
            0.5, 0.45, "does not fit", transform=axis.transAxes, ha="center", fontsize=7.5, color="#aaaaaa"
        )
        return
    axis.set_facecolor("#f6f7f9")
    axis.axhline(1, color="#d5d9de", linewidth=0.7, zorder=1)
    axis.axhline(chance, color="#555555", linewidth=0.8, linestyle=(0, (3, 2)), zorder=2)
    places = [lengths.index(length) for length in accuracies]
    means = [sum(values) / len(values) for values in accuracies.values()]
    axis.fill_between(places, chance, means, color=colour, alpha=0.22, linewidth=0, zorder=1)
    axis.plot(places, means, color=colour, linewidth=1.6, marker="o", markersize=3.2, zorder=4, clip_on=False)
    for place, values in zip(places, accuracies.values(), strict=True):
        axis.plot([place, place], [min(values), max(values)], color=colour, linewidth=1, zorder=3)
    axis.text(
        1.03,
        means[-1],
        f"{100 * means[-1]:.0f}",
        transform=axis.get_yaxis_transform(),
        va="center",
        fontsize=7.5,
        color=colour,
        fontweight="bold",
    )


def _label_rows(figure: Any, axes: Any, models: list[str]) -> None:
    """Write the models' names, and their families' at the first of each."""
    before = None
    for line, name in zip(axes, models, strict=True):
        group = MODELS[name].group
        box = line[0].get_position()
        middle = (box.y0 + box.y1) / 2
        figure.text(
            line[0].get_position().x0 - 0.15 / figure.get_figwidth(),
            middle,
            name,
            ha="right",
            va="center",
            fontsize=8.5,
            color=_COLOURS[group],
        )
        if group != before:
            top = box.y1 + 0.004
            figure.text(0.008, top, _GROUPS[group], fontsize=7.5, color="#888888", va="top", style="italic")
            figure.add_artist(
                mpl.lines.Line2D([0.008, 0.985], [top + 0.002] * 2, color="#e3e6ea", linewidth=0.8, zorder=0)
            )
        before = group
