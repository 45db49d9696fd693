"""Pictures of forecasts behind their past. Needs matplotlib."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .axes import open_axes
from .style import MODEL, REFERENCE

_MOST_TARGETS = 4
_PAST_OF_HORIZON, _LEAST_PAST = 4, 28
_STRENGTHS = (0.2, 0.4)  # of the outer band, and of that within it
_MONTH = np.timedelta64(27, "D")


def draw_forecast(described: Any, nodes: NDArray[Any], result: Mapping[str, Any]) -> Figure:
    """Draw a forecast behind the end of its past, with bands of quantiles, and dates where the result has times.

    Parameters
    ----------
    described
        What the forecasting pipeline found out about its model, `pipe.described`.
    nodes : float array [L, m]
        With the rows of the future, if the model takes covariates.
    result : mapping
        Of the forecasting pipeline.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = min(_columns(result["forecast"]).shape[1], _MOST_TARGETS)
    figure = Figure(figsize=(7.2, 1.2 + 1.8 * shown), layout="constrained")
    draw_forecast_on(figure, described, nodes, result)
    return figure


def draw_forecast_on(
    figure: Any, described: Any, nodes: NDArray[Any], result: Mapping[str, Any], step: int | None = None
) -> None:
    """Draw a forecast on a figure or a part of it, as `draw_forecast` does.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or SubFigure
    described, nodes, result
        As for `draw_forecast`.
    step : int, optional
        A step of the forecast to mark, counted from 0.
    """
    forecast = _columns(result["forecast"])
    steps = len(forecast)
    past = nodes[: -described.prediction_length] if described.num_time_features else nodes
    past = past[-max(_PAST_OF_HORIZON * steps, _LEAST_PAST) :]
    targets = described.prediction_channel_indices or range(described.num_input_channels)
    shown = min(forecast.shape[1], _MOST_TARGETS)
    before, ahead = _places(len(past), steps, result.get("times"))

    for number, axes in enumerate(figure.subplots(shown, 1, sharex=True, squeeze=False)[:, 0]):
        axes.plot(before, past[:, list(targets)[number]], color=REFERENCE, linewidth=1.2, label="past")
        for (low, high), strength in zip(_bands(result.get("quantiles", {})), _STRENGTHS, strict=False):
            lower, upper = (_columns(result["quantiles"][level])[:, number] for level in (low, high))
            told = f"{low:.0%} to {high:.0%}"
            if steps == 1:
                axes.vlines(ahead, lower, upper, color=MODEL, alpha=strength, linewidth=6, label=told)
            else:
                axes.fill_between(ahead, lower, upper, color=MODEL, alpha=strength, linewidth=0, label=told)
        style = "o" if steps == 1 else "-"
        axes.plot(
            ahead, forecast[:, number], style, color=MODEL, markersize=4, linewidth=1.6, label="forecast"
        )
        if step is not None:
            axes.axvline(ahead[step], color=REFERENCE, linewidth=0.8, linestyle=":", label="explained step")
        if shown > 1:
            axes.set_ylabel(f"target {number + 1}")
        open_axes(axes)
    if np.issubdtype(ahead.dtype, np.datetime64):
        locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    else:
        axes.set_xlabel("step, counted from the last known value")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=5, frameon=False, fontsize=8)


def _bands(quantiles: Mapping[float, Any]) -> list[tuple[float, float]]:
    """Return the pairs of levels, the outermost first, that lie on both sides of the median."""
    levels = sorted(quantiles)
    pairs = list(zip(levels, reversed(levels), strict=True))[: len(levels) // 2]
    return pairs if len(pairs) < 3 else [pairs[0], pairs[len(pairs) // 2]]


def _columns(values: Any) -> NDArray[np.float64]:
    """Return the values of all targets, [steps, targets]."""
    found = np.asarray(values, np.float64)
    return found[:, np.newaxis] if found.ndim == 1 else found


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
