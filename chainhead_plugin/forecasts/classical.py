"""Classical forecasts that are linear in the past, as matrices [past, future] whose columns sum to 1."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_LEVELS = (0.02, 0.1, 0.3)
_SEASONAL = (0.05, 0.2)


def classical_maps(length: int, steps: int, seasons: Sequence[int]) -> dict[str, Matrix]:
    """Return classical forecasts, which have no weights to learn, by name.

    Parameters
    ----------
    length : int
        Steps of the past.
    steps : int
        Steps to forecast.
    seasons : sequence of int
        Seasons in steps, ascending; seasons that are too long for the past are left out.

    Returns
    -------
    dict of float64 arrays [length, steps]
        ``past @ map`` is the forecast.
    """
    maps = {"last value": naive(length, steps, 1), "mean": np.full((length, steps), 1 / length)}
    for season in seasons:
        if 1 < season <= length:
            maps[f"season {season}"] = naive(length, steps, season)
    smoothed = [season for season in seasons if 2 * season <= length and season > 1]
    for level, seasonal in product(_LEVELS, _SEASONAL if smoothed else (0.0,)):
        name = f"smoothing {level:g}" + (f", season {seasonal:g}" if smoothed else "")
        maps[name] = smoothing(length, steps, smoothed, level, seasonal)
    maps["smoothing with trend"] = smoothing(
        length, steps, smoothed, 0.2, 0.1 if smoothed else 0.0, trend=0.02
    )
    return maps


def naive(length: int, steps: int, season: int) -> Matrix:
    """Return the map that repeats the last season; season 1 repeats the last value."""
    found = np.zeros((length, steps))
    ahead = np.arange(steps)
    found[length - season + ahead % season, ahead] = 1
    return found


def smoothing(
    length: int,
    steps: int,
    seasons: Sequence[int],
    level: float,
    seasonal: float,
    trend: float = 0.0,
    damping: float = 0.95,
) -> Matrix:
    """Return the map of additive exponential smoothing (Holt and Winters), with one or several seasons, or none.

    Every state of the smoothing is a linear function of the past. The recursion therefore computes with the weights of
    these functions, and starts from the rows of the identity matrix.

    Parameters
    ----------
    length, steps : int
        Steps of the past, and steps to forecast.
    seasons : sequence of int
        Seasons in steps, ascending. Twice the longest season must not exceed `length`.
    level, seasonal, trend : float
        The share of each one-step error that is added to the level, to each season and to the trend; with a `trend` of
        0 there is no trend.
    damping : float
        The factor by which the trend shrinks at each step.

    Returns
    -------
    float64 array [length, steps]
        ``past @ map`` is the forecast.
    """
    values = np.eye(length)
    first = max(seasons, default=1)
    at_level = values[:first].mean(0)
    states = _first_seasons(values[:first], seasons, at_level)
    slope = np.zeros(length)
    if trend and length >= 2 * first:
        slope = (values[first : 2 * first].mean(0) - at_level) / first
    for step in range(first, length):
        places = [(state, step % len(state)) for state in states]
        expected = at_level + damping * slope
        for state, place in places:
            expected = expected + state[place]
        error = values[step] - expected
        at_level = at_level + damping * slope + level * error
        slope = damping * slope + trend * error
        for state, place in places:
            state[place] += seasonal * error
    forecasts = []
    for step in range(length, length + steps):
        slope = damping * slope
        at_level = at_level + slope
        forecasts.append(at_level + sum((state[step % len(state)] for state in states), np.zeros(length)))
    return np.stack(forecasts, 1)


def _first_seasons(start: Matrix, seasons: Sequence[int], level: NDArray[np.float64]) -> list[Matrix]:
    """Return the first states of each season [season, length]: means by phase, less the level and shorter seasons."""
    states: list[Matrix] = []
    rest = start - level
    for season in seasons:
        phases = np.arange(len(start)) % season
        state = np.stack([rest[phases == phase].mean(0) for phase in range(season)])
        rest = rest - state[phases]
        states.append(state)
    return states


__all__ = ["classical_maps", "naive", "smoothing"]
