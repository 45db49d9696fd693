"""The linear forecasts that may be chosen: classical forecasts, and ridge regressions that shrink towards them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .classical import level_maps, trend_maps
from .origins import RollingOrigins, Sample, windows_before
from .ridge import RidgeFit

Array = NDArray[np.float64]

RIDGES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
_LONGEST_PAST = 768
# The least windows for a regression.
_LEAST_WINDOWS = 4


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
class Trial:
    """A candidate's forecasts at the rolling origins, made by maps that were fitted to the time before each fold.

    Attributes
    ----------
    candidate : Candidate
    forecast : float64 array [origins, steps]
    error : float
        Its mean absolute error.
    """

    candidate: Candidate
    forecast: Array
    error: float


def pasts_of(length: int, horizon: int, seasons: Sequence[int]) -> list[int]:
    """Return the lengths of past that candidates use, in steps, if the first fold begins after `length` steps."""
    limit = min(max(int(0.8 * length), 1), _LONGEST_PAST)
    base = min(seasons, default=max(horizon, 4))
    found = {size for size in (2 * base, 4 * base, 8 * base) if size <= limit}
    # Seasons are seen in two of them, and repeated from one; that needs no windows to learn from.
    found |= {2 * season for season in seasons if 2 * season <= min(length, _LONGEST_PAST)}
    found |= {season for season in seasons[:1] if season <= min(length, _LONGEST_PAST)}
    return sorted(found) or [limit]


def trials_of(
    samples: Sequence[Sample],
    origins: RollingOrigins,
    past: int,
    seasons: Sequence[int],
    *,
    keeps_level: bool,
) -> list[Trial]:
    """Return the trials of the candidates that use a number of past steps.

    They are every classical forecast, the best two ridge regressions that shrink towards each forecast at a level, and
    the best of these once more, with absolute errors.

    Parameters
    ----------
    samples : sequence of Sample
    origins : RollingOrigins
        With at least `past` steps before each origin.
    past : int
    seasons : sequence of int
    keeps_level : bool
        As for `RidgeFit`. Classical forecasts keep the level, and are returned only where it is True.
    """
    horizon = origins.future.shape[1]
    fits = [_fit(samples, fold.begin, past, horizon, keeps_level) for fold in origins.folds]
    pasts = [rows[:, -past:] for rows in origins.by_fold(origins.past)]

    def trial(candidate: Candidate, forecasts: Sequence[Array]) -> Trial:
        forecast = np.concatenate(forecasts)
        return Trial(candidate, forecast, origins.error_of(forecast))

    maps = _maps(past, horizon, tuple(seasons))
    found = (
        [
            trial(Candidate(past, True, name), [rows @ one.weight for rows in pasts])
            for name, one in maps.items()
        ]
        if keeps_level
        else []
    )
    learnt = [fit for fit in fits if fit is not None]
    if len(learnt) < len(fits):
        return found

    levels = [rows.mean(1, keepdims=True) if keeps_level else np.zeros((len(rows), 1)) for rows in pasts]
    turned = [(rows - level) @ fit.vectors for rows, level, fit in zip(pasts, levels, learnt, strict=True)]
    regressions = []
    for name, classical in maps.items():
        if not classical.is_start:
            continue
        starts = [fit.vectors.T @ classical.weight for fit in learnt]
        entries = [
            trial(
                Candidate(past, keeps_level, name, ridge),
                [
                    level + rows @ fit.rotated(start, ridge)
                    for level, rows, fit, start in zip(levels, turned, learnt, starts, strict=True)
                ],
            )
            for ridge in RIDGES
        ]
        regressions += sorted(entries, key=lambda entry: entry.error)[:2]
    best = min(regressions, key=lambda entry: entry.error).candidate
    assert best.ridge is not None
    start = maps[best.start].weight
    robust = [
        trial(
            Candidate(past, keeps_level, best.start, ridge, is_robust=True),
            [rows @ fit.solve_robustly(start, ridge) for rows, fit in zip(pasts, learnt, strict=True)],
        )
        for ridge in (best.ridge, best.ridge / 10)
    ]
    return found + regressions + robust


def mean_map(
    samples: Sequence[Sample],
    shares: Mapping[Candidate, float],
    horizon: int,
    seasons: Sequence[int],
    past: int,
    end: int,
) -> Array:
    """Return the mean of candidates as a map [past, horizon].

    Parameters
    ----------
    samples : sequence of Sample
    shares : dict of float by Candidate
        With a sum of 1.
    horizon : int
    seasons : sequence of int
    past : int
        At least as long as every candidate's past.
    end : int
        Candidates are fitted to the time before this step, counted from the first time of all series.
    """
    mean = np.zeros((past, horizon))
    fits: dict[tuple[int, bool], RidgeFit | None] = {}
    for candidate, share in shares.items():
        weight = _maps(candidate.past, horizon, tuple(seasons))[candidate.start].weight
        if candidate.ridge is not None:
            kind = candidate.past, candidate.keeps_level
            if kind not in fits:
                fits[kind] = _fit(samples, end, candidate.past, horizon, candidate.keeps_level)
            fit = fits[kind]
            assert fit is not None
            weight = (fit.solve_robustly if candidate.is_robust else fit.solve)(weight, candidate.ridge)
        mean[past - len(weight) :] += share * weight
    return mean


@dataclass(frozen=True)
class _Classical:
    """A classical forecast, and whether ridge regressions shrink towards it."""

    weight: Array
    is_start: bool


@lru_cache(maxsize=16)
def _maps(past: int, steps: int, seasons: tuple[int, ...]) -> Mapping[str, _Classical]:
    """Return the classical forecasts by name, computed once for all folds and fits; they are read-only."""
    levels = level_maps(past, steps, seasons)
    trends = trend_maps(levels, past, steps, seasons)
    for weight in (*levels.values(), *trends.values()):
        weight.flags.writeable = False
    return {name: _Classical(weight, True) for name, weight in levels.items()} | {
        name: _Classical(weight, False) for name, weight in trends.items()
    }


def _fit(samples: Sequence[Sample], end: int, past: int, horizon: int, keeps_level: bool) -> RidgeFit | None:
    windows = windows_before(samples, end, past, horizon)
    return None if len(windows) < _LEAST_WINDOWS else RidgeFit(windows, keeps_level)


__all__ = ["Candidate", "Trial", "mean_map", "pasts_of", "trials_of"]
