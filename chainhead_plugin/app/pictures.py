"""Pictures of series, forecasts, segments and answers that change. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..explain.style import LABELS, MODEL, REFERENCE

if TYPE_CHECKING:
    from .opened import OpenModel

_MOST_LINES, _MOST_TARGETS = 12, 4
_PAST_OF_HORIZON, _LEAST_PAST = 4, 28
_MONTH = np.timedelta64(27, "D")


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


def draw_forecast(model: OpenModel, nodes: NDArray[Any], result: Mapping[str, Any]) -> Figure:
    """Draw a forecast behind the end of its past, with bands of quantiles, and dates where the result has times.

    Parameters
    ----------
    model : OpenModel
    nodes : float array [L, m]
        With the rows of the future, if the model takes covariates.
    result : mapping
        Of the forecasting pipeline.
    """
    described = model.pipe.described
    forecast = np.asarray(result["forecast"], np.float64)
    forecast = forecast[:, np.newaxis] if forecast.ndim == 1 else forecast
    steps = len(forecast)
    past = nodes[: -described.prediction_length] if described.num_time_features else nodes
    past = past[-max(_PAST_OF_HORIZON * steps, _LEAST_PAST) :]
    targets = described.prediction_channel_indices or range(described.num_input_channels)
    shown = min(forecast.shape[1], _MOST_TARGETS)
    before, ahead = _places(len(past), steps, result.get("times"))

    figure = Figure(figsize=(7.2, 1.2 + 1.8 * shown), layout="constrained")
    for number, axes in enumerate(figure.subplots(shown, 1, sharex=True, squeeze=False)[:, 0]):
        axes.plot(before, past[:, list(targets)[number]], color=REFERENCE, linewidth=1.2, label="past")
        for low, high in _bands(result.get("quantiles", {})):
            lower, upper = (_column(result["quantiles"][level], number) for level in (low, high))
            told = f"{low:.0%} to {high:.0%}"
            if steps == 1:
                axes.vlines(ahead, lower, upper, color=MODEL, alpha=0.3, linewidth=6, label=told)
            else:
                axes.fill_between(ahead, lower, upper, color=MODEL, alpha=0.25, linewidth=0, label=told)
        style = "o" if steps == 1 else "-"
        axes.plot(
            ahead, forecast[:, number], style, color=MODEL, markersize=4, linewidth=1.6, label="forecast"
        )
        if shown > 1:
            axes.set_ylabel(f"target {number + 1}")
        _open(axes)
    if np.issubdtype(ahead.dtype, np.datetime64):
        locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    else:
        axes.set_xlabel("step, counted from the last known value")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=5, frameon=False, fontsize=8)
    return figure


def _bands(quantiles: Mapping[float, Any]) -> list[tuple[float, float]]:
    """Return the pairs of levels, the outermost first, that lie on both sides of the median."""
    levels = sorted(quantiles)
    pairs = list(zip(levels, reversed(levels), strict=True))[: len(levels) // 2]
    return pairs if len(pairs) < 3 else [pairs[0], pairs[len(pairs) // 2]]


def _column(values: Any, number: int) -> NDArray[np.float64]:
    found = np.asarray(values, np.float64)
    return found if found.ndim == 1 else found[:, number]


def _places(past: int, steps: int, times: Sequence[Any] | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return where the past and the forecast stand: dates where these are known and evenly spaced, else steps."""
    if times is not None and steps > 1:
        try:
            ahead = np.array([np.datetime64(str(time).removesuffix("+00:00"), "s") for time in times])
        except ValueError:  # Numbers of steps, or times in a zone.
            ahead = None
        if ahead is not None:
            step = ahead[1] - ahead[0]
            if step > _MONTH:
                months = ahead.astype("datetime64[M]")
                gap = (months[1] - months[0]).astype(int)
                before = months[0] - gap * np.arange(past, 0, -1)
                return before.astype("datetime64[s]") + (ahead[0] - months[0]), ahead
            return ahead[0] - step * np.arange(past, 0, -1), ahead
    return np.arange(1 - past, 1), np.arange(1, steps + 1)


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
    _open(axes)
    return figure, axes


def _open(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
