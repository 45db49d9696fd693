"""The linear map that forecasts best at rolling origins: a mean of candidates by their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .candidates import Candidate, Trial, mean_map, pasts_of, trials_of
from .origins import Fold, RollingOrigins, Sample, mean_error

Array = NDArray[np.float64]

# The most candidates in a mean, out of this many of the most probable.
_MEMBERS, _POOL = 15, 40
# The probability of a regression before any error is seen is exp(-_DOUBT), in units of a classical forecast's.
_DOUBT = 2.0
# In standard deviations of the series: smaller mean errors are equally good.
_LEAST_ERROR = 1e-9


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
        return mean_error(forecast, self.future, self.weights)


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
    lengths. They are fitted to the time before each fold, and forecast the fold. The share of a candidate in the mean
    is its probability by its errors: if n errors are independent, and have Laplace's distribution with a scale that is
    not known, their likelihood is proportional to the mean absolute error to the power of -n. Errors of forecasts that
    overlap are not independent, so n is the number of horizons in the time of the folds, for several series times the
    root of their number, as series vary together. Few errors therefore leave a mean of many candidates, and many errors
    a mean of few; the most probable 15 stay. At last these are fitted to all of the time.

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
    origins = RollingOrigins.within(samples, folds, max(pasts), horizon)
    horizons = max(1.0, (origins.times.max() - origins.times.min() + 1) / horizon)
    independent = min(horizons * len(samples) ** 0.5, max(horizons, len(origins.times)))

    pool: list[Trial] = []
    for past in pasts:
        for keeps_level in (True, False) if level else (True,):
            pool += trials_of(samples, origins, past, seasons, keeps_level=keeps_level)
            surprises = [_surprise(trial.error, trial.candidate, independent) for trial in pool]
            pool = [pool[place] for place in np.argsort(surprises, kind="stable")[:_POOL]]

    everywhere = np.ones(len(origins.future), bool)
    probabilities = _probabilities(pool, origins, everywhere, independent)
    shares = {
        trial.candidate: float(share) for trial, share in zip(pool, probabilities, strict=True) if share > 0
    }
    last = max(sample.end for sample in samples)
    return Mixture(
        weight=mean_map(final or samples, shares, horizon, seasons, max(pasts), last),
        shares=shares,
        keeps_level=all(candidate.keeps_level or candidate.ridge is None for candidate in shares),
        past=origins.past,
        forecast=_held_out(pool, origins, independent),
        future=origins.future,
        times=origins.times,
        weights=origins.weights,
    )


def map_before(
    samples: Sequence[Sample], found: Mixture, horizon: int, seasons: Sequence[int], end: int
) -> Array:
    """Return the map [past, steps] of a mixture, with its candidates fitted to the time before step `end`."""
    return mean_map(samples, found.shares, horizon, seasons, len(found.weight), end)


def _surprise(error: float, candidate: Candidate, independent: float) -> float:
    """Return the negative logarithm of a candidate's probability, up to a constant that all candidates share."""
    return independent * float(np.log(max(error, _LEAST_ERROR))) + _DOUBT * (candidate.ridge is not None)


def _probabilities(
    pool: Sequence[Trial], origins: RollingOrigins, rows: NDArray[np.bool_], independent: float
) -> Array:
    """Return the probabilities of candidates by their errors at some origins, 0 for all but the most probable."""
    future, weights = origins.future[rows], origins.weights[rows]
    surprises = np.array(
        [
            _surprise(mean_error(trial.forecast[rows], future, weights), trial.candidate, independent)
            for trial in pool
        ]
    )
    found = np.exp(surprises.min() - surprises)
    found[np.argsort(surprises, kind="stable")[_MEMBERS:]] = 0
    return np.asarray(found / found.sum(), np.float64)


def _held_out(pool: Sequence[Trial], origins: RollingOrigins, independent: float) -> Array:
    """Return forecasts [origins, steps], averaged for every fold by the errors on the other folds."""
    mixed = np.zeros_like(origins.future)
    ends = np.cumsum(origins.sizes)
    for begin, end in zip(ends - origins.sizes, ends, strict=True):
        own = np.zeros(len(mixed), bool)
        own[begin:end] = True
        # If there is a single fold, its own errors have to choose.
        others = ~own if len(ends) > 1 else own
        shares = _probabilities(pool, origins, others, independent * float(others.mean()))
        for trial, share in zip(pool, shares, strict=True):
            mixed[own] += share * trial.forecast[own]
    return mixed


__all__ = ["Mixture", "choose", "map_before"]
