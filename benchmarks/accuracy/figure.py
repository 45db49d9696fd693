"""The picture of the accuracy benchmark: mean accuracy over time, a point a classifier."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox

from chainhead_plugin.explain.style import MODEL, REFERENCE

from .contestants import BASE, CONTESTANTS

# Offsets of a name from its point, in points, with the side of the name that is there.
_PLACES = (
    *(((8, dy), "left") for dy in (0, 10, -10)),
    *(((0, dy), "center") for dy in (14, -14)),
    *(((-8, dy), "right") for dy in (0, 10, -10)),
)
_INK = "#222222"


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Draw mean test accuracy over the median time in units of MiniRocket's, of models that finished every set."""
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "chainhead"  # the same file every time
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    points = {model: point for model in results["models"] if (point := _point(results, model)) is not None}
    for model, point in points.items():
        is_ours = CONTESTANTS[model].is_ours
        axes.scatter(*point, s=70 if is_ours else 45, color=MODEL if is_ours else REFERENCE, zorder=3)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.35, y=0.15)
    axes.set_xlabel("CPU time of fit and predict, in units of MiniRocket's (median over sets)", color=_INK)
    axes.set_ylabel("test accuracy in % (mean over sets)", color=_INK)
    axes.grid(color="#e5e7eb", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    _name_points(axes, points)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _name_points(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write each name beside its point, at the first of eight places that no point and no other name takes."""
    figure = axes.figure
    figure.draw_without_rendering()
    places = axes.transData.transform(list(points.values()))
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in places]

    for (model, point), own in zip(points.items(), list(taken), strict=True):
        is_ours = CONTESTANTS[model].is_ours
        name = axes.annotate(
            model,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=9,
            color=MODEL if is_ours else REFERENCE,
            fontweight="bold" if is_ours else "normal",
        )
        for offset, horizontal in _PLACES:
            name.set(position=offset, horizontalalignment=horizontal, verticalalignment="center")
            extent = name.get_window_extent()
            others = [box for box in taken if box is not own]
            if axes.bbox.fully_containsx(extent.x1) and extent.count_overlaps(others) == 0:
                break
        taken.append(extent)


def _point(results: Mapping[str, Any], model: str) -> tuple[float, float] | None:
    ratios, accuracies = [], []
    for name in results["sets"]:
        rows = _rows(results, name, model)
        base = _rows(results, name, BASE)
        if not rows or not base:
            return None
        ratios.append(median(map(_seconds, rows)) / median(map(_seconds, base)))
        accuracies.append(100 * mean(row["accuracy"] for row in rows))
    return median(ratios), mean(accuracies)


def _rows(results: Mapping[str, Any], name: str, model: str) -> list[Mapping[str, Any]]:
    return [
        row for row in results["rows"] if (row["set"], row["model"]) == (name, model) and "error" not in row
    ]


def _seconds(row: Mapping[str, Any]) -> float:
    return row["fit"] + row["predict"]
