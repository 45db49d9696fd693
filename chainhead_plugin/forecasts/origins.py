"""Rolling origins: series are cut into windows of past and future, to learn from before an origin and to test after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_FOLDS = 5
# The most origins in a fold, the most windows to learn from, and the largest share of the time that folds cover.
_MOST_ORIGINS, _MOST_WINDOWS, _SHARE = 100, 20_000, 0.5
# The part of the time that is left to folds, however long seasons are.
_LEAST = 5
# The most windows in memory at once.
_BLOCK = 1024


@dataclass(frozen=True)
class Sample:
    """A series to learn from, in any unit.

    Attributes
    ----------
    values : float64 array [length]
        NaN where missing.
    filled : float64 array [length]
        The same values, with missing values interpolated.
    end : int
        The number of steps from the first time of all series to just after this series' last step.
    """

    values: Array
    filled: Array
    end: int


@dataclass(frozen=True)
class Fold:
    """A stretch of time in which forecasts begin, made by maps that were fitted to the time before it.

    Attributes
    ----------
    begin, end : int
        The first step, and the step after the last, counted from the first time of all series.
    """

    begin: int
    end: int


@dataclass(frozen=True)
class Windows:
    """Windows of series: some steps of the past and the steps that follow. They are copied block by block.

    Attributes
    ----------
    parts : tuple of pairs
        For each series its sample, and an int array with the step at which each window begins.
    past, horizon : int
        Steps of a window's past, and of its future.
    """

    parts: tuple[tuple[Sample, NDArray[np.intp]], ...]
    past: int
    horizon: int

    def __len__(self) -> int:
        return sum(len(begins) for _, begins in self.parts)

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """Yield pasts [windows, past] and futures [windows, horizon] in blocks, in the same order on every call."""
        slide = np.lib.stride_tricks.sliding_window_view
        for sample, begins in self.parts:
            pasts = slide(sample.filled, self.past)
            futures = slide(sample.values, self.horizon)
            for start in range(0, len(begins), _BLOCK):
                rows = begins[start : start + _BLOCK]
                yield pasts[rows], futures[rows + self.past]


def sample_of(values: Array, end: int) -> Sample:
    """Return a series as a sample, without missing values at its beginning."""
    observed = np.flatnonzero(~np.isnan(values))
    values = values[observed[0] :] if len(observed) else values[:0]
    steps = np.arange(len(values))
    present = ~np.isnan(values)
    filled = np.interp(steps, steps[present], values[present]) if len(values) else values
    return Sample(values, filled, end)


def folds_of(samples: Sequence[Sample], horizon: int, seasons: Sequence[int] = ()) -> list[Fold]:
    """Return folds in order of time, which end with the series.

    They cover at most half of the longest series, and leave two seasons before them, of the longest season that occurs
    twice before the last horizon and the last fifth.
    """
    end = max(sample.end for sample in samples)
    length = max(len(sample.values) for sample in samples)
    most = length - max(horizon, length // _LEAST)
    before = max((2 * season for season in seasons if 2 * season <= most), default=0)
    covered = min(int(length * _SHARE), length - before)
    span = max(horizon, int(length * _SHARE / _MOST_FOLDS))
    count = max(1, min(_MOST_FOLDS, covered // span))
    return [Fold(end - (i + 1) * span, end - i * span) for i in reversed(range(count))]


def windows_before(samples: Sequence[Sample], end: int, past: int, horizon: int) -> Windows:
    """Return all windows whose future ends before step `end`.

    Windows with a missing value in their future are left out. If there are very many windows, some are drawn.

    Parameters
    ----------
    samples : sequence of Sample
    end : int
        Counted from the first time of all series.
    past, horizon : int
        Steps of a window's past, and of its future.

    Returns
    -------
    Windows
    """
    lengths = [min(len(sample.values), len(sample.values) - sample.end + end) for sample in samples]
    counts = [max(0, length - past - horizon + 1) for length in lengths]
    share = min(1.0, _MOST_WINDOWS / max(sum(counts), 1))
    parts = []
    for sample, length, count in zip(samples, lengths, counts, strict=True):
        if not count:
            continue
        begins = _drawn(count, round(share * count))
        missing = np.cumsum(np.r_[0, np.isnan(sample.values[:length])])
        is_complete = missing[begins + past + horizon] == missing[begins + past]
        parts.append((sample, begins[is_complete]))
    return Windows(tuple(parts), past, horizon)


def windows_within(
    samples: Sequence[Sample], fold: Fold, past: int, horizon: int
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return the windows whose future begins within a fold, to compare forecasts with.

    If a series has fewer than `past` steps before a window's future, its first value is repeated before them. Windows
    whose future is wholly missing are left out.

    Parameters
    ----------
    samples : sequence of Sample
    fold : Fold
    past, horizon : int
        Steps of a window's past, and of its future.

    Returns
    -------
    pasts : float64 array [windows, past]
    futures : float64 array [windows, horizon]
        NaN where a value is missing.
    origins : int array [windows]
        The step at which each future begins, counted from the first time of all series.
    """
    firsts, counts = [], []
    for sample in samples:
        start = sample.end - len(sample.values)
        first, last = max(fold.begin - start, 1), min(fold.end - 1, sample.end - horizon) - start
        firsts.append(first)
        counts.append(max(0, last - first + 1))
    pasts, futures, times = [], [], []
    begins = np.cumsum([0, *counts])
    for row in _drawn(int(begins[-1]), _MOST_ORIGINS):
        number = int(np.searchsorted(begins, row, side="right")) - 1
        origin = int(firsts[number] + row - begins[number])
        future = samples[number].values[origin : origin + horizon]
        if np.isnan(future).all():
            continue
        pasts.append(past_at(samples[number], origin, past))
        futures.append(future)
        times.append(origin + samples[number].end - len(samples[number].values))
    if not pasts:
        return np.empty((0, past)), np.empty((0, horizon)), np.empty(0, np.intp)
    return np.stack(pasts), np.stack(futures), np.array(times, np.intp)


@dataclass(frozen=True)
class RollingOrigins:
    """The origins at which forecasts are compared with what followed, fold by fold.

    Attributes
    ----------
    folds : tuple of Fold
        Those that hold an origin.
    sizes : int array [folds]
        Number of origins in each fold.
    past : float64 array [origins, past]
    future : float64 array [origins, steps]
        NaN where a value is missing.
    times : int array [origins]
        The step at which each future begins, counted from the first time of all series.
    weights : float64 array [origins]
        With a sum of 1; every fold has the same weight.
    """

    folds: tuple[Fold, ...]
    sizes: NDArray[np.intp]
    past: Array
    future: Array
    times: NDArray[np.intp]
    weights: Array

    @classmethod
    def within(
        cls, samples: Sequence[Sample], folds: Sequence[Fold], past: int, horizon: int
    ) -> "RollingOrigins":
        """Return the origins of all folds, as `windows_within` finds them."""
        parts = [(fold, windows_within(samples, fold, past, horizon)) for fold in folds]
        parts = [(fold, part) for fold, part in parts if len(part[0])]
        sizes = np.array([len(part[0]) for _, part in parts])
        return cls(
            tuple(fold for fold, _ in parts),
            sizes,
            np.concatenate([part[0] for _, part in parts]),
            np.concatenate([part[1] for _, part in parts]),
            np.concatenate([part[2] for _, part in parts]),
            np.repeat(1 / sizes / len(sizes), sizes),
        )

    def by_fold(self, rows: Array) -> list[Array]:
        """Return the rows [origins, …] of each fold."""
        return np.split(rows, np.cumsum(self.sizes)[:-1])

    def error_of(self, forecast: Array) -> float:
        """Return the mean absolute error of forecasts [origins, steps]."""
        return mean_error(forecast, self.future, self.weights)


def mean_error(forecast: Array, future: Array, weights: Array) -> float:
    """Return the mean absolute error of forecasts [origins, steps]; missing values do not count."""
    observed = ~np.isnan(future)
    errors = np.where(observed, np.abs(forecast - future), 0).sum(1) / np.maximum(observed.sum(1), 1)
    counted = weights * observed.any(1)
    return float(counted @ errors / counted.sum()) if counted.any() else float("inf")


def _drawn(count: int, most: int) -> NDArray[np.intp]:
    """Return the indices of at most `most` rows, in order. They are drawn: an even spacing may match a season."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def past_at(sample: Sample, origin: int, past: int) -> Array:
    """Return the last values [past] before an origin of a series."""
    values = sample.values[max(0, origin - past) : origin]
    filled = sample.filled[max(0, origin - past) : origin]
    observed = np.flatnonzero(~np.isnan(values))
    if len(observed):
        # Interpolation has used values after the origin, which a forecast may not see.
        filled = filled.copy()
        filled[observed[-1] :] = values[observed[-1]]
    return np.pad(filled, (past - len(filled), 0), mode="edge")


__all__ = [
    "Fold",
    "RollingOrigins",
    "Sample",
    "Windows",
    "folds_of",
    "mean_error",
    "past_at",
    "sample_of",
    "windows_before",
    "windows_within",
]
