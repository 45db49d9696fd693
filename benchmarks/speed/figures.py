"""The report's pictures."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

from .targets import linear_limit

Row = Mapping[str, Any]
_COLOURS = {
    "floor": "#555555",
    "head": "#2a6fb0",
    "dense": "#c1443c",
    "peer": "#e0962f",
    "tinybig": "#8b5aa8",
}
_DPI = 90


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
        figure.suptitle(
            f"{batch} chains of {length:,} nodes, {m} → {n} features; ticks in red: targets", fontsize=10
        )
    _save(figure, path)


def _draw_bars(axis: Axes, rows: Sequence[Row], names: Sequence[str], device: str) -> None:
    for row in rows:
        low, middle, high = row["ratio"]
        place = names.index(row["contestant"])
        axis.barh(place, middle, color=_COLOURS[row["group"]], height=0.7)
        axis.plot([low, high], [place, place], color="black", linewidth=1)
        axis.text(max(middle, high) * 1.05, place, f"{middle:.3g}", va="center", fontsize=7)
        limit = linear_limit(row, device)
        if limit is not None:
            axis.plot([limit, limit], [place - 0.42, place + 0.42], color="red", linewidth=1.5)
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
    styles = ["-", "--", "-.", ":"]
    markers = "osD^vP*X<>h8"
    for number, name in enumerate(dict.fromkeys(row["contestant"] for row in rows)):
        line = [row for row in rows if row["contestant"] == name]
        axis.plot(
            [row["shape"][1] for row in line],
            [row["quartiles"][1] / row["shape"][0] for row in line],
            label=name,
            color=_COLOURS[line[0]["group"]],
            linestyle=styles[number % len(styles)],
            marker=markers[number % len(markers)],
            markersize=4,
            linewidth=1.2,
        )
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xlabel("nodes in a chain")
    axis.set_ylabel("seconds per chain, forward")
    axis.grid(alpha=0.3)
    if rows:
        figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper", fontsize=7)
    _save(figure, path)
