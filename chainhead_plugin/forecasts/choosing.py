"""The linear map that forecasts best at rolling origins: a mean of classical forecasts and ridge regressions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .classical import classical_maps
from .origins import Fold, Sample, past_at, windows_before, windows_within
from .ridge import RidgeFit

Array = NDArray[np.float64]

RIDGES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
_LONGEST_PAST = 768
# The most candidates in a mean, out of this many with the least error; and the least windows for a regression.
_PICKS, _POOL, _LEAST_WINDOWS = 15, 40, 4


@dataclass(frozen=True)
class Candidate:
    """A linear forecast that may be chosen: a classical forecast, or a ridge regression that shrinks towards it.

    Attributes
    ----------
    past : int
        Number of past steps that it uses.
    keeps_level : bool
        As for `RidgeFit`.
    start : str
        Name of the classical forecast.
    ridge : float, optional
        Strength of the ridge regression's penalty; None for the classical forecast itself.
    is_robust : bool
        Whether the regression minimises absolute errors instead of squared errors.
    """

    past: int
    keeps_level: bool
    start: str
    ridge: float | None = None
    is_robust: bool = False

    def __str__(self) -> str:
        """Return a description for users."""
        if self.ridge is None:
            return self.start
        return f"{'robust ' if self.is_robust else ''}ridge regression on {self.past} steps"


@dataclass(frozen=True)
class Mixture:
    """The chosen mean of candidates as one linear map, and its forecasts at the rolling origins.

    Attributes
    ----------
    weight : float64 array [past, steps]
        The map: ``past @ weight`` is the forecast.
    shares : dict of float by Candidate
        The share of each candidate in the mean.
    keeps_level : bool
        Whether the map's columns sum to 1. A shift of the past then shifts the forecast by the same amount.
    past : float64 array [origins, past]
        The values before each origin.
    forecast, future : float64 arrays [origins, steps]
        Forecasts, and the values that followed, NaN where missing. No forecast has seen its origin's fold: its
        candidates were fitted to the time before the fold, and their shares were chosen on the other folds.
    times : int array [origins]
        The step at which each forecast begins, counted from the first time of all series.
    weights : float64 array [origins]
        Weights of the origins, with a sum of 1; every fold has the same weight.
    """

    weight: Array
    shares: dict[Candidate, float]
    keeps_level: bool
    past: Array
    forecast: Array
    future: Array
    times: NDArray[np.intp]
    weights: Array

    def error_of(self, forecast: Array) -> float:
        """Return the mean absolute error of forecasts [origins, steps] at the same origins."""
        return _error(forecast, self.future, self.weights)


def pasts_of(length: int, horizon: int, seasons: Sequence[int]) -> list[int]:
    """Return the lengths of past that candidates use, in steps, if the first fold begins after `length` steps."""
    limit = min(max(int(0.8 * length), 1), _LONGEST_PAST)
    base = min(seasons, default=max(horizon, 4))
    wanted = {2 * base, 4 * base, 8 * base, *(2 * season for season in seasons)}
    found = {size for size in wanted if size <= limit}
    # One season is enough to repeat it.
    found |= {season for season in seasons[:1] if season <= min(length, _LONGEST_PAST)}
    return sorted(found) or [limit]


def choose(
    samples: Sequence[Sample],
    folds: Sequence[Fold],
    horizon: int,
    seasons: Sequence[int],
    *,
    level: bool,
    final: Sequence[Sample] | None = None,
) -> Mixture:
    """Choose candidates at rolling origins, and fit their mean.

    Candidates are the classical forecasts, and the ridge regressions that shrink towards them, on pasts of several
    lengths. They are fitted to the time before each fold, and forecast the fold. Then candidates are added to a mean
    one by one: each time the candidate, possibly a repeated one, with which the mean has the least absolute error
    over all folds (Caruana et al. 2004). At last the chosen candidates are fitted to all of the time.

    Parameters
    ----------
    samples : sequence of Sample
        Series scaled to a level of 0 and a standard deviation of about 1.
    folds : sequence of Fold
    horizon : int
        Steps to forecast.
    seasons : sequence of int
        Seasons in steps, ascending.
    level : bool
        Whether maps may return to the level 0 of the series.
    final : sequence of Sample, optional
        The series that the chosen candidates are fitted to at last; by default `samples`.

    Returns
    -------
    Mixture
    """
    usable = [len(one.values) - (one.end - folds[0].begin) for one in samples]
    pasts = pasts_of(max(usable), horizon, seasons)
    longest = max(pasts)
    judged = [windows_within(samples, fold, longest, horizon) for fold in folds]
    known = [fold for fold, (past, _, _) in zip(folds, judged, strict=True) if len(past)]
    judged = [part for part in judged if len(part[0])]
    weights = np.concatenate([np.full(len(past), 1 / len(past) / len(judged)) for past, _, _ in judged])
    past, future = (np.concatenate([part[i] for part in judged]) for i in (0, 1))
    times = np.concatenate([part[2] for part in judged])

    pool: list[tuple[float, Candidate, Array]] = []
    for size in pasts:
        maps = classical_maps(size, horizon, seasons)
        for keeps_level in (True, False) if level else (True,):
            fits = [_fit(samples, fold.begin, size, horizon, keeps_level) for fold in known]
            pool += _candidates(maps, fits, judged, future, weights, size, keeps_level)
            pool = sorted(pool, key=lambda entry: entry[0])[:_POOL]
    forecasts = [entry[2] for entry in pool]
    picked = _mix(forecasts, future, weights)
    shares = {pool[place][1]: count / len(picked) for place, count in Counter(picked).most_common()}
    last = max(sample.end for sample in samples)
    weight = _mean_map(final or samples, shares, horizon, seasons, longest, last)
    return Mixture(
        weight=weight,
        shares=shares,
        keeps_level=all(candidate.keeps_level or candidate.ridge is None for candidate in shares),
        past=past,
        forecast=_held_out(forecasts, future, weights, [len(part) for part, _, _ in judged]),
        future=future,
        times=times,
        weights=weights,
    )


def map_before(
    samples: Sequence[Sample], found: Mixture, horizon: int, seasons: Sequence[int], end: int
) -> Array:
    """Return the map [past, steps] of a mixture, with its candidates fitted to the time before step `end`."""
    return _mean_map(samples, found.shares, horizon, seasons, len(found.weight), end)


def _mean_map(
    samples: Sequence[Sample],
    shares: Mapping[Candidate, float],
    horizon: int,
    seasons: Sequence[int],
    past: int,
    end: int,
) -> Array:
    mean = np.zeros((past, horizon))
    for candidate, share in shares.items():
        weight = _refitted(samples, candidate, horizon, seasons, end)
        mean[past - len(weight) :] += share * weight
    return mean


def _fit(samples: Sequence[Sample], end: int, past: int, horizon: int, keeps_level: bool) -> RidgeFit | None:
    windows = windows_before(samples, end, past, horizon)
    return None if len(windows) < _LEAST_WINDOWS else RidgeFit(windows, keeps_level)


def _candidates(
    maps: dict[str, Array],
    fits: Sequence[RidgeFit | None],
    judged: Sequence[tuple[Array, Array, NDArray[np.intp]]],
    future: Array,
    weights: Array,
    size: int,
    keeps_level: bool,
) -> list[tuple[float, Candidate, Array]]:
    """Return error, candidate and forecasts [origins, steps] of the best few candidates for each classical forecast."""
    pasts = [past[:, -size:] for past, _, _ in judged]
    can_learn = all(fit is not None for fit in fits)
    levels = [past.mean(1, keepdims=True) if keeps_level else np.zeros((len(past), 1)) for past in pasts]
    turned = [
        (past - level) @ fit.vectors
        for past, level, fit in zip(pasts, levels, fits, strict=True)
        if fit is not None
    ]
    found: list[tuple[float, Candidate, Array]] = []
    for name, start in maps.items():
        entries = []
        if keeps_level:
            forecast = np.concatenate([past @ start for past in pasts])
            entries.append((_error(forecast, future, weights), Candidate(size, True, name), forecast))
        starts = [fit.vectors.T @ start for fit in fits if fit is not None] if can_learn else []
        for ridge in RIDGES if can_learn else ():
            forecast = np.concatenate(
                [
                    level + inputs @ fit.rotated(begin, ridge)
                    for level, inputs, fit, begin in zip(levels, turned, fits, starts, strict=True)
                    if fit is not None
                ]
            )
            candidate = Candidate(size, keeps_level, name, ridge)
            entries.append((_error(forecast, future, weights), candidate, forecast))
        entries.sort(key=lambda entry: entry[0])
        found += entries[:2]
    learned = [entry for entry in found if entry[1].ridge is not None]
    if learned:
        best = min(learned, key=lambda entry: entry[0])[1]
        assert best.ridge is not None
        for ridge in (best.ridge, best.ridge / 10):
            forecast = np.concatenate(
                [
                    past @ fit.solve_robustly(maps[best.start], ridge)
                    for past, fit in zip(pasts, fits, strict=True)
                    if fit is not None
                ]
            )
            candidate = Candidate(size, keeps_level, best.start, ridge, is_robust=True)
            found.append((_error(forecast, future, weights), candidate, forecast))
    return found


def _refitted(
    samples: Sequence[Sample], candidate: Candidate, horizon: int, seasons: Sequence[int], end: int
) -> Array:
    """Return a candidate's map, fitted to the time before step `end`."""
    start = classical_maps(candidate.past, horizon, seasons)[candidate.start]
    if candidate.ridge is None:
        return start
    fit = _fit(samples, end, candidate.past, horizon, candidate.keeps_level)
    assert fit is not None
    solve = fit.solve_robustly if candidate.is_robust else fit.solve
    return solve(start, candidate.ridge)


def _mix(forecasts: Sequence[Array], future: Array, weights: Array) -> list[int]:
    """Return the indices of the forecasts to average, with repetition, in the order in which they were added."""
    total = np.zeros_like(future)
    picked: list[int] = []
    errors: list[float] = []
    for count in range(1, _PICKS + 1):
        trials = [_error((total + forecast) / count, future, weights) for forecast in forecasts]
        place = int(np.argmin(trials))
        total = total + forecasts[place]
        picked.append(place)
        errors.append(trials[place])
    return picked[: int(np.argmin(errors)) + 1]


def _held_out(forecasts: Sequence[Array], future: Array, weights: Array, sizes: Sequence[int]) -> Array:
    """Return forecasts [origins, steps], averaged for every fold as the other folds choose."""
    mixed = np.empty_like(future)
    ends = np.cumsum(sizes)
    for begin, end in zip(ends - sizes, ends, strict=True):
        own = np.zeros(len(future), bool)
        own[begin:end] = True
        # If there is a single fold, its own errors have to choose.
        others = ~own if len(sizes) > 1 else own
        picked = _mix([forecast[others] for forecast in forecasts], future[others], weights[others])
        mixed[own] = np.mean([forecasts[place][own] for place in picked], 0)
    return mixed


def _error(forecast: Array, future: Array, weights: Array) -> float:
    """Return the mean absolute error; missing values do not count."""
    observed = ~np.isnan(future)
    errors = np.where(observed, np.abs(forecast - future), 0).sum(1) / np.maximum(observed.sum(1), 1)
    counted = weights * observed.any(1)
    return float(counted @ errors / counted.sum()) if counted.any() else float("inf")


__all__ = ["Candidate", "Mixture", "choose", "map_before", "past_at", "pasts_of"]
