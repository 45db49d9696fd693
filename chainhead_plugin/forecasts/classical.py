"""Classical forecasts that are linear in the past, as matrices [past, future] whose columns sum to 1."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_LEVELS = (0.02, 0.1, 0.3, 0.6)
_SEASONAL = (0.05, 0.2)
# Shares of the errors added to the level and to the trend, and the damping of the trend.
_TRENDS = tuple(product((0.6, 1.0), (0.05, 0.2, 0.5), (0.9, 1.0)))


def level_maps(length: int, steps: int, seasons: Sequence[int]) -> dict[str, Matrix]:
    """Return classical forecasts that go on at a level, or repeat seasons around it, by name.

    They have no weights to learn.

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
    smoothed = _smoothed(length, seasons)
    for level in _LEVELS:
        maps[f"smoothing {level:g}"] = smoothing(length, steps, (), level, 0.0)
        for seasonal in _SEASONAL if smoothed else ():
            maps[f"smoothing {level:g} + season {seasonal:g}"] = smoothing(
                length, steps, smoothed, level, seasonal
            )
    return maps


def trend_maps(
    levels: Mapping[str, Matrix], length: int, steps: int, seasons: Sequence[int]
) -> dict[str, Matrix]:
    """Return classical forecasts that follow a trend, by name: those at a level with drift, and Holt's.

    Parameters
    ----------
    levels : dict of float64 arrays [length, steps]
        The result of `level_maps` with the same arguments.
    length, steps, seasons
        As for `level_maps`.

    Returns
    -------
    dict of float64 arrays [length, steps]
        ``past @ map`` is the forecast.
    """
    maps = {}
    smoothed = _smoothed(length, seasons)
    season = max((season for season in seasons if season <= length), default=1)
    if length >= 2 * season:
        for name, weights in levels.items():
            if name != "mean":
                maps[f"{name} + drift"] = with_drift(weights, season)
    for level, trend, damping in _TRENDS:
        name = f"smoothing {level:g} + trend {trend:g}" + (f" damped by {damping:g}" if damping < 1 else "")
        maps[name] = smoothing(length, steps, (), level, 0.0, trend, damping)
        if smoothed:
            seasonal = 0.1 if level < 1 else 0.0
            maps[f"{name} + season {seasonal:g}"] = smoothing(
                length, steps, smoothed, level, seasonal, trend, damping
            )
    return maps


def with_drift(weights: Matrix, season: int) -> Matrix:
    """Return the map that forecasts the past less a straight line, and adds the line.

    The line's slope is the difference between the means of the last and the first season, divided by the steps between
    them; without a season it is the mean change from step to step.

    Parameters
    ----------
    weights : float64 array [length, steps]
        A map whose columns sum to 1.
    season : int
        Steps of the longest season, at most half of `length`; 1 without a season.

    Returns
    -------
    float64 array [length, steps]
    """
    length, steps = weights.shape
    slope = np.zeros(length)
    slope[-season:] += 1 / season
    slope[:season] -= 1 / season
    slope /= length - season
    past, future = np.arange(length), length + np.arange(steps)
    return weights + np.outer(slope, future - past @ weights)


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
    slope = np.zeros(length)
    if trend and length >= 2 * first:
        slope = (values[first : 2 * first].mean(0) - at_level) / first
    # The first season lies on a line through its mean.
    line = at_level + np.outer(np.arange(first) - (first - 1) / 2, slope)
    states = _first_seasons(values[:first] - line, seasons)
    at_level = line[-1]
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


def _smoothed(length: int, seasons: Sequence[int]) -> list[int]:
    """Return the seasons that the past holds twice."""
    return [season for season in seasons if 1 < season <= length // 2]


def _first_seasons(rest: Matrix, seasons: Sequence[int]) -> list[Matrix]:
    """Return the first states of each season [season, length]: means by phase, less those of shorter seasons."""
    states: list[Matrix] = []
    for season in seasons:
        phases = np.arange(len(rest)) % season
        state = np.stack([rest[phases == phase].mean(0) for phase in range(season)])
        rest = rest - state[phases]
        states.append(state)
    return states


__all__ = ["level_maps", "naive", "smoothing", "trend_maps", "with_drift"]
