"""Series cut at rolling origins: what a forecaster may learn from before each, and what it is compared with after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_FOLDS = 5
# Origins of a fold, windows to learn from, and the share of a series that the folds cover at most.
_MOST_ORIGINS, _MOST_WINDOWS, _SHARE = 100, 20_000, 0.5


@dataclass(frozen=True)
class Sample:
    """A series to learn from, in any unit.

    Attributes
    ----------
    values : float64 array [length]
        NaN where missing.
    filled : float64 array [length]
        The same, missing values interpolated.
    end : int
        Steps from the first time of all series to behind its last.
    """

    values: Array
    filled: Array
    end: int


@dataclass(frozen=True)
class Fold:
    """A stretch of time whose futures are forecast from what lies before it.

    Attributes
    ----------
    begin, end : int
        Steps on the time of all series; everything before `begin` is for learning.
    """

    begin: int
    end: int


def sample_of(values: Array, end: int) -> Sample:
    """Return a series, what is missing at its begin cut off."""
    observed = np.flatnonzero(~np.isnan(values))
    values = values[observed[0] :] if len(observed) else values[:0]
    steps = np.arange(len(values))
    present = ~np.isnan(values)
    filled = np.interp(steps, steps[present], values[present]) if len(values) else values
    return Sample(values, filled, end)


def folds_of(samples: Sequence[Sample], horizon: int) -> list[Fold]:
    """Return the folds, the last ones of the time, in order; at most half of the longest series."""
    end = max(sample.end for sample in samples)
    length = max(len(sample.values) for sample in samples)
    span = max(horizon, int(length * _SHARE / _MOST_FOLDS))
    count = max(1, min(_MOST_FOLDS, int(length * _SHARE) // span))
    return [Fold(end - (i + 1) * span, end - i * span) for i in reversed(range(count))]


def windows_before(samples: Sequence[Sample], end: int, past: int, horizon: int) -> tuple[Array, Array]:
    """Return all windows [windows, past] and [windows, horizon] whose future ends before a time.

    A future with a missing value is left out; of very many windows a part is drawn.
    """
    pasts, futures = [], []
    for sample in samples:
        count = min(len(sample.values), len(sample.values) - sample.end + end)
        if count < past + horizon:
            continue
        slide = np.lib.stride_tricks.sliding_window_view
        pasts.append(slide(sample.filled[: count - horizon], past))
        futures.append(slide(sample.values[past:count], horizon))
    if not pasts:
        return np.empty((0, past)), np.empty((0, horizon))
    share = _MOST_WINDOWS / sum(map(len, pasts))
    kept = [_drawn(len(part), round(share * len(part))) for part in pasts]
    past_rows = np.concatenate([part[rows] for part, rows in zip(pasts, kept, strict=True)])
    future_rows = np.concatenate([part[rows] for part, rows in zip(futures, kept, strict=True)])
    complete = ~np.isnan(future_rows).any(1)
    return past_rows[complete], future_rows[complete]


def windows_within(samples: Sequence[Sample], fold: Fold, past: int, horizon: int) -> tuple[Array, Array]:
    """Return the windows that a fold is judged by; before a shorter past its first value is repeated.

    Futures begin within the fold. NaN in a future does not count.
    """
    pasts, futures = [], []
    for sample in samples:
        start = sample.end - len(sample.values)
        first, last = max(fold.begin - start, 1), min(fold.end - 1, sample.end - horizon) - start
        for origin in range(first, last + 1):
            pasts.append(past_at(sample, origin, past))
            futures.append(sample.values[origin : origin + horizon])
    if not pasts:
        return np.empty((0, past)), np.empty((0, horizon))
    rows = _drawn(len(pasts), _MOST_ORIGINS)
    return np.stack([pasts[row] for row in rows]), np.stack([futures[row] for row in rows])


def _drawn(count: int, most: int) -> NDArray[np.intp]:
    """Return rows in order, all or as many as are wanted: drawn, as evenly spaced ones may hit one weekday alone."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def past_at(sample: Sample, origin: int, past: int) -> Array:
    """Return the last values [past] before an origin of a series."""
    values = sample.values[max(0, origin - past) : origin]
    filled = sample.filled[max(0, origin - past) : origin]
    observed = np.flatnonzero(~np.isnan(values))
    if len(observed):
        # What comes after the origin may not tell what was missing before it.
        filled = filled.copy()
        filled[observed[-1] :] = values[observed[-1]]
    return np.pad(filled, (past - len(filled), 0), mode="edge")


__all__ = ["Fold", "Sample", "folds_of", "past_at", "sample_of", "windows_before", "windows_within"]
