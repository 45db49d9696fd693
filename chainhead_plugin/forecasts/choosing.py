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
# How many candidates are mixed, and from how many of the best; and windows that a regression needs.
_PICKS, _POOL, _LEAST_WINDOWS = 15, 40, 4


@dataclass(frozen=True)
class Candidate:
    """A linear forecast.

    Attributes
    ----------
    past : int
        Steps that it sees.
    keeps_level : bool
        As of `RidgeFit`.
    start : str
        The classical forecast that it is, or shrinks to.
    ridge : float, optional
        None for the classical forecast itself.
    is_robust : bool
        Whether it has the least absolute errors instead of squared ones.
    """

    past: int
    keeps_level: bool
    start: str
    ridge: float | None = None
    is_robust: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        if self.ridge is None:
            return self.start
        return f"{'robust ' if self.is_robust else ''}ridge regression on {self.past} steps"


@dataclass(frozen=True)
class Mixture:
    """The map that was chosen, and how it came out at the origins that chose it.

    Attributes
    ----------
    weight : float64 array [past, steps]
    shares : dict
        Of each candidate in the mean.
    keeps_level : bool
        Whether its columns sum to 1, so that it forecasts a shifted past shifted alike.
    past : float64 array [origins, past]
    forecast, future : float64 arrays [origins, steps]
        By maps that were fitted to what lies before the fold of the origin, mixed as the other folds have it, so that
        the errors are those of a forecast that has not seen the origin; NaN in the future where it is missing.
    times : int array [origins]
        Steps on the time of all series at which the futures begin.
    weights : float64 array [origins]
        Sum to 1; folds weigh alike.
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
    """Return how many steps of the past candidates see, for series whose first fold begins after `length` steps."""
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
    """Choose and fit the map.

    Candidates are the classical forecasts, and the ridge regressions that shrink towards them, on pasts of several
    lengths. They are fitted to what lies before each fold, and those whose mean has the least absolute error over all
    folds are taken, one after the other and with repetition (Caruana and others 2004). These are then fitted to all.

    Parameters
    ----------
    samples : sequence of Sample
        In units in which their level is 0 and their deviation about 1.
    folds : sequence of Fold
    horizon : int
    seasons : sequence of int
    level : bool
        Whether maps may return to the series' level, 0.
    final : sequence of Sample, optional
        What the chosen ones are fitted to in the end, by default the same samples.
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
    """Return the map [past, steps] of a mixture, fitted to what lies before a time."""
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
    """Return error, candidate and forecasts [origins, steps]: of every classical start the best few."""
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
    """Return a candidate's map, fitted to what lies before a time."""
    start = classical_maps(candidate.past, horizon, seasons)[candidate.start]
    if candidate.ridge is None:
        return start
    fit = _fit(samples, end, candidate.past, horizon, candidate.keeps_level)
    assert fit is not None
    solve = fit.solve_robustly if candidate.is_robust else fit.solve
    return solve(start, candidate.ridge)


def _mix(forecasts: Sequence[Array], future: Array, weights: Array) -> list[int]:
    """Return which forecasts to take the mean of, with repetition, the first ones the most useful."""
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
    """Return the forecast of every fold by the mixture that all other folds choose."""
    mixed = np.empty_like(future)
    ends = np.cumsum(sizes)
    for begin, end in zip(ends - sizes, ends, strict=True):
        own = np.zeros(len(future), bool)
        own[begin:end] = True
        # A single fold has to choose by itself.
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
