"""Pictures of series, segments and answers that change. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..explain.axes import open_axes
from ..explain.style import LABELS, MODEL, REFERENCE

_MOST_LINES = 12


def draw_series(nodes: NDArray[Any], unit: str = "node") -> Figure:
    """Draw a series ``[L, m]`` over its nodes or samples, a line for each of its first features."""
    figure, axes = _new()
    _lines(axes, nodes)
    axes.set_xlabel(unit)
    return figure


def draw_segments(
    nodes: NDArray[Any], segments: Sequence[Mapping[str, Any]], labels: Sequence[str]
) -> Figure:
    """Draw a series ``[L, m]`` on segments in the colours of their labels.

    Parameters
    ----------
    nodes : float array [L, m]
    segments : sequence of mappings
        With "label", "from", the first node, and "to", the node after the last.
    labels : sequence of str
        All labels, in the order of their colours.
    """
    figure, axes = _new()
    _lines(axes, nodes)
    colours = {label: LABELS[number % len(LABELS)] for number, label in enumerate(labels)}
    told: set[str] = set()
    for segment in segments:
        label = segment["label"]
        shown = label if label not in told else None
        told.add(label)
        axes.axvspan(
            segment["from"] + 0.5, segment["to"] + 0.5, color=colours[label], alpha=0.35, lw=0, label=shown
        )
    axes.set_xlabel("node")
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def draw_arriving(counts: NDArray[np.intp], probabilities: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw the probability of each label after the first nodes."""
    figure, axes = _new()
    for number, (label, values) in enumerate(probabilities.items()):
        style = "-" if number < len(LABELS) else "--"
        axes.plot(counts, 100 * values, style, color=LABELS[number % len(LABELS)], label=label, linewidth=1.6)
    axes.set(xlabel="nodes so far", ylabel="probability in %", ylim=(-3, 103))
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def _lines(axes: Any, nodes: NDArray[Any]) -> None:
    places = np.arange(1, len(nodes) + 1)
    lines = nodes[:, :_MOST_LINES]
    if lines.shape[1] == 1:
        axes.plot(places, lines[:, 0], color=MODEL, linewidth=1.4)
    else:
        axes.plot(places, lines, linewidth=0.9, color=REFERENCE, alpha=0.55)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.01)


def _new() -> tuple[Figure, Any]:
    figure = Figure(figsize=(7.2, 2.9), layout="constrained")
    axes = figure.subplots()
    open_axes(axes)
    return figure, axes
