"""The report's pictures."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

from chainhead_plugin.explain.style import LABELS, MODEL, OTHER, REFERENCE

from .contestants import CONTROL
from .targets import linear_limit

Row = Mapping[str, Any]
_COLOURS = {
    "floor": REFERENCE,
    "head": MODEL,
    "dense": LABELS[3],
    "peer": LABELS[1],
    "tinybig": LABELS[2],
}
_DPI = 90
# The factor by which a number beside a bar reaches to the right on the logarithmic axis.
_LABEL_WIDTH = 1.5
# How many times as many nodes the axis of lengths reaches, for the names behind the lines.
_LABEL_NODES = 5
# The height of a name in points, of which an inch has 72.
_LABEL_HEIGHT, _POINTS = 11, 72


def _save(figure: Any, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=_DPI)
    plt.close(figure)
    with Image.open(buffer) as picture:  # a palette halves the file
        picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def draw_ratios(results: Mapping[str, Any], path: Path) -> None:
    """Draw times of nn.Linear at the first shape as bars, with quartiles and targets."""
    mpl.use("agg")
    rows = [row for row in results["rows"] if row["case"] == "shape" and row.get("ratio")]
    shape = rows[0]["shape"] if rows else None
    rows = [row for row in rows if row["shape"] == shape]
    names = list(dict.fromkeys(row["contestant"] for row in rows))
    figure, both = plt.subplots(
        1, 2, figsize=(11, 0.8 + 0.27 * len(names)), sharey=True, layout="constrained"
    )
    for axis, work in zip(both, ("forward", "forward+backward"), strict=True):
        _draw_bars(axis, [row for row in rows if row["work"] == work], names, results["settings"]["device"])
        axis.set_xlabel(f"{work}: time / time of nn.Linear")
    both[0].set_yticks(range(len(names)), names, fontsize=8)
    both[0].invert_yaxis()
    if shape:
        batch, length, m, n = shape
        has_targets = any(linear_limit(row, results["settings"]["device"]) is not None for row in rows)
        told = "; ticks in orange: targets" if has_targets else ""
        figure.suptitle(f"{batch} chains of {length:,} nodes, {m} → {n} features{told}", fontsize=10)
    _save(figure, path)


def _draw_bars(axis: Axes, rows: Sequence[Row], names: Sequence[str], device: str) -> None:
    for row in rows:
        low, middle, high = row["ratio"]
        place = names.index(row["contestant"])
        axis.barh(place, middle, color=_COLOURS[row["group"]], height=0.7)
        axis.plot([low, high], [place, place], color="black", linewidth=1)
        limit = linear_limit(row, device)
        end = max(middle, high)
        if limit is not None and end < limit < _LABEL_WIDTH * end:
            end = limit  # the number stands behind the target's tick, which would cross it
        axis.text(end * 1.05, place, f"{middle:.3g}", va="center", fontsize=7)
        if limit is not None:
            axis.plot([limit, limit], [place - 0.42, place + 0.42], color=OTHER, linewidth=1.5)
    axis.set_xscale("log")
    axis.axvline(1, color="black", linewidth=0.8, linestyle=":")
    axis.margins(x=0.12)


def draw_lengths(results: Mapping[str, Any], path: Path) -> None:
    """Draw the time of a single chain against its length, both logarithmic."""
    mpl.use("agg")
    rows = [
        row
        for row in results["rows"]
        if row["case"] == "length" and row["work"] == "forward" and "quartiles" in row
    ]
    figure, axis = plt.subplots(figsize=(9, 5.4), layout="constrained")
    heads = [row for row in rows if row["group"] == "head"]
    if heads:
        _draw_band(axis, heads)
    names = dict.fromkeys(row["contestant"] for row in rows if row["group"] != "head")
    ends: dict[str, tuple[float, float, str]] = {}
    for marker, name in zip("osD^vP*X<>h8", (name for name in names if name != CONTROL), strict=False):
        line = [row for row in rows if row["contestant"] == name]
        lengths, seconds = [row["shape"][1] for row in line], [_seconds(row) for row in line]
        colour = _COLOURS[line[0]["group"]]
        axis.plot(lengths, seconds, color=colour, marker=marker, markersize=4, linewidth=1.2)
        ends[name] = (lengths[-1], seconds[-1], colour)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xlim(right=axis.get_xlim()[1] * _LABEL_NODES)
    axis.set_xlabel("nodes in a chain")
    axis.set_ylabel("seconds per chain, forward")
    axis.grid(alpha=0.3)
    figure.draw_without_rendering()
    _name_lines(axis, ends)
    _save(figure, path)


def _name_lines(axis: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write names behind the ends of lines, higher where the name of a line that ends below would touch them."""
    highest: dict[float, float] = {}
    for name, (length, seconds, colour) in sorted(ends.items(), key=lambda item: item[1][1]):
        own = axis.transData.transform((length, seconds))[1] * _POINTS / axis.figure.dpi
        place = max(own, highest.get(length, 0.0) + _LABEL_HEIGHT)
        highest[length] = place
        axis.annotate(
            name,
            (length, seconds),
            (6, place - own),
            textcoords="offset points",
            color=colour,
            fontsize=8,
            va="center",
        )


def _draw_band(axis: Axes, heads: Sequence[Row]) -> None:
    """Draw all kinds of chains as one band, from the fastest at each length to the slowest."""
    lengths = sorted({row["shape"][1] for row in heads})
    times = [[_seconds(row) for row in heads if row["shape"][1] == length] for length in lengths]
    kinds = len({row["contestant"] for row in heads})
    axis.fill_between(
        lengths,
        [min(each) for each in times],
        [max(each) for each in times],
        color=_COLOURS["head"],
        alpha=0.45,
        label=f"{kinds} kinds of chain heads, from the fastest to the slowest",
    )
    axis.legend(loc="upper left", fontsize=8)


def _seconds(row: Row) -> float:
    """Return the seconds that a single chain takes: the median of the rounds."""
    return float(row["quartiles"][1]) / float(row["shape"][0])
