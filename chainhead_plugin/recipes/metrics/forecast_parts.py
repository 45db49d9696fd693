"""Measure forecasts in parts: for each series, and for each of several stretches of the test part's time."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...checks.values import check_whole_number
from ..errors import RecipeError, said_of

if TYPE_CHECKING:
    from ..data.in_time.windows import Windows

# The most series and targets that are measured one by one.
MOST_SHOWN = 20

Measuring = Callable[[NDArray[Any], "Windows"], Mapping[str, float]]


def check_backtest(options: Mapping[str, Any]) -> int:
    """Return the number of stretches of the test part's time that a recipe asks for, 0 for none.

    Parameters
    ----------
    options : mapping
        The recipe's `backtest`.

    Raises
    ------
    RecipeError
        If it holds anything but `origins`, a whole number of at least 2.
    """
    if not options:
        return 0
    if options.keys() != {"origins"}:
        raise RecipeError(f"backtest holds origins alone, such as {{origins: 5}}, got {dict(options)}")
    with said_of("backtest"):
        return check_whole_number("origins", options["origins"], 2)


def stretches(windows: "Windows", count: int) -> list[NDArray[np.intp]]:
    """Return the windows, by index, of equal stretches of the time in which their futures begin.

    Raises
    ------
    RecipeError
        If no window's future begins in a stretch.
    """
    first, last = int(windows.times.min()), int(windows.times.max())
    edges = np.linspace(first, last + 1, count + 1)
    places = np.searchsorted(edges, windows.times, side="right") - 1
    found = [np.flatnonzero(places == number) for number in range(count)]
    if not all(map(len, found)):
        raise RecipeError(
            f"backtest: the test part has {len(set(windows.times.tolist()))} steps to forecast from, not enough for "
            f"{count} origins: give fewer, or a larger test part"
        )
    return found


def by_stretch(
    measure: Measuring, forecasts: NDArray[Any], windows: "Windows", count: int
) -> list[dict[str, float | None]]:
    """Return the metrics of forecasts in each stretch of the test part's time, and the number of its windows.

    Parameters
    ----------
    measure : callable
        Maps forecasts and windows to metrics by name.
    forecasts : array [windows, steps, targets] or [windows, steps, targets, quantiles]
    windows : Windows
        Of the test part.
    count : int
        The number of stretches.

    Returns
    -------
    list of dict
        The metrics by name, None where a metric is not defined, and "windows".

    Raises
    ------
    RecipeError
        If no window's future begins in a stretch.
    """
    return [
        {"windows": len(rows), **_told(measure(forecasts[rows], windows.take(rows)))}
        for rows in stretches(windows, count)
    ]


def summarised(parts: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, float | None]]:
    """Return mean and standard deviation of every metric over stretches, None if it is not defined in all of them."""
    found: dict[str, dict[str, float | None]] = {}
    for name in parts[0]:
        values = [value for part in parts if (value := part[name]) is not None]
        complete = len(values) == len(parts)
        found[name] = {
            "mean": statistics.mean(values) if complete else None,
            "sd": statistics.stdev(values) if complete else None,
        }
    del found["windows"]
    return found


def by_series(measure: Measuring, forecasts: NDArray[Any], windows: "Windows") -> list[dict[str, Any]]:
    """Return the metrics of each series and target; an empty list for a single pair of them, or more than `MOST_SHOWN`.

    Parameters
    ----------
    measure : callable
        Maps forecasts [windows, steps, 1] or [windows, steps, 1, quantiles] and windows of one target to metrics.
    forecasts : array [windows, steps, targets] or [windows, steps, targets, quantiles]
    windows : Windows
    """
    series, targets = np.unique(windows.of_series).tolist(), windows.layout.targets
    if not 1 < len(series) * len(targets) <= MOST_SHOWN:
        return []
    found = []
    for number in series:
        rows = np.flatnonzero(windows.of_series == number)
        part = windows.take(rows)
        for place, target in enumerate(targets):
            alone = part.of_target(place)
            if np.isnan(alone.labels).all():
                continue
            told = _told(measure(forecasts[rows][:, :, place : place + 1], alone))
            name = windows.whole.series[number].name
            found.append({"series": name, "target": target, "windows": len(rows), **told})
    return found


def _told(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Return metrics for JSON, with None in place of NaN."""
    return {name: None if math.isnan(value) else value for name, value in metrics.items()}
