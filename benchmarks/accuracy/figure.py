"""The picture of the accuracy benchmark: mean accuracy over time, a point a classifier."""

import math
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

from .contestants import BASE, CONTESTANTS

_OURS, _PEERS, _INK = "#7b3fb5", "#6b7280", "#222222"


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Draw mean test accuracy over the median time in units of MiniRocket's, of models that finished every set."""
    mpl.use("agg")
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    points = {model: point for model in results["models"] if (point := _point(results, model)) is not None}
    drawn: list[tuple[float, float]] = []
    for model, point in sorted(points.items(), key=lambda item: -item[1][1]):
        # The name of the lower of two neighbours goes where the other is not: below, or to the left.
        close = [x for x, y in drawn if abs(math.log10(x / point[0])) < 0.3 and y - point[1] < 0.6]
        is_left = any(math.log10(x / point[0]) > 0.02 for x in close)
        drawn.append(point)
        is_ours = CONTESTANTS[model].is_ours
        colour = _OURS if is_ours else _PEERS
        axes.scatter(*point, s=70 if is_ours else 45, color=colour, zorder=3)
        axes.annotate(
            model,
            point,
            xytext=(-7 if is_left else 7, -14 if close else 5),
            horizontalalignment="right" if is_left else "left",
            textcoords="offset points",
            fontsize=9,
            color=colour,
            fontweight="bold" if is_ours else "normal",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.35, y=0.15)
    axes.set_xlabel("CPU time of fit and predict, in units of MiniRocket's (median over sets)", color=_INK)
    axes.set_ylabel("test accuracy in % (mean over sets)", color=_INK)
    axes.grid(color="#e5e7eb", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)


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
