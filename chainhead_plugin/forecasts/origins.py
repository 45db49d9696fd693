"""Series cut at rolling origins: what a forecaster may learn from before each, and what it is compared with after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_FOLDS = 5
# Origins of a fold, windows to learn from, and the share of a series that the folds cover at most.
_MOST_ORIGINS, _MOST_WINDOWS, _SHARE = 100, 20_000, 0.5
# Windows that are in memory at once.
_BLOCK = 1024


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


@dataclass(frozen=True)
class Windows:
    """Windows of series, which are copied out of these a block at a time.

    Attributes
    ----------
    parts : tuple of pairs
        Of each series the sample, and the int array of the steps at which its windows begin.
    past, horizon : int
        Steps of a window's past, and of its future.
    """

    parts: tuple[tuple[Sample, NDArray[np.intp]], ...]
    past: int
    horizon: int

    def __len__(self) -> int:
        return sum(len(begins) for _, begins in self.parts)

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """Yield pasts [windows, past] and futures [windows, horizon], some at a time; two calls give the same."""
        slide = np.lib.stride_tricks.sliding_window_view
        for sample, begins in self.parts:
            pasts = slide(sample.filled, self.past)
            futures = slide(sample.values, self.horizon)
            for start in range(0, len(begins), _BLOCK):
                rows = begins[start : start + _BLOCK]
                yield pasts[rows], futures[rows + self.past]


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


def windows_before(samples: Sequence[Sample], end: int, past: int, horizon: int) -> Windows:
    """Return all windows whose future ends before a time.

    A future with a missing value is left out; of very many windows a part is drawn.
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
    """Return the windows that a fold is judged by, pasts and futures, and the steps at which the futures begin.

    Futures begin within the fold. Before a shorter past its first value is repeated. NaN in a future does not count,
    and a future of which nothing is known is left out.
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


__all__ = [
    "Fold",
    "Sample",
    "Windows",
    "folds_of",
    "past_at",
    "sample_of",
    "windows_before",
    "windows_within",
]
