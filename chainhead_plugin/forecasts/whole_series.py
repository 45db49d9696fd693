"""The series that windows are cut from: their columns, values, seasons, and the errors of a naive forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metrics import naive_scale
from .seasons import find_seasons

# Seasons are looked for in so many series, from the first.
_MOST_SEARCHED = 20


@dataclass(frozen=True)
class Series:
    """One series, with a row for every step.

    Attributes
    ----------
    values : array [steps, channels + covariates]
        First the targets, then channels that are known for the past only, NaN where missing, then the covariates,
        which are known for the future too.
    start : int
        Its first step, counted from the first time of all series.
    name : str
        The name that distinguishes it from other series; empty for a single series.
    times : array [steps] of datetime64 or of numbers, optional
        The times of its steps, for pictures.
    """

    values: NDArray[np.floating[Any]]
    start: int = 0
    name: str = ""
    times: NDArray[Any] | None = None


@dataclass(frozen=True)
class Layout:
    """The columns of series, and a stated season.

    Attributes
    ----------
    targets : tuple of str
        The columns to forecast.
    past : tuple of str
        Channels that are known for the past only and are not forecast.
    known : tuple of str
        Covariates, which are known for the future too.
    season : int, optional
        The season that a naive forecast repeats, in steps; by default it is found in the series.
    """

    targets: tuple[str, ...]
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    season: int | None = None

    @property
    def channels(self) -> int:
        """The number of columns that are known for the past only: targets and further channels."""
        return len(self.targets) + len(self.past)


@dataclass(frozen=True)
class WholeSeries:
    """All series of a data set.

    Attributes
    ----------
    series : tuple of Series
    seasons : tuple of int
        After how many steps the targets repeat, ascending: as stated, or as found in their training part.
    scales : float64 array [series, targets]
        The mean absolute difference of values a season apart, in the training part, as by `naive_scale`; 0 if there are
        no such values. The season is the shortest of `seasons`, or 1 step without seasons.
    """

    series: tuple[Series, ...]
    seasons: tuple[int, ...]
    scales: NDArray[np.float64]

    @property
    def season(self) -> int:
        """The season in steps that the naive forecast repeats; 1 if it repeats the last value."""
        return min(self.seasons, default=1)


def whole_series(series: Sequence[Series], layout: Layout, trained: Sequence[int]) -> WholeSeries:
    """Return series together with the seasons and scales of their training parts.

    Parameters
    ----------
    series : sequence of Series
    layout : Layout
    trained : sequence of int
        The number of steps in each series' training part, which begins at its first step.

    Returns
    -------
    WholeSeries
    """
    targets = len(layout.targets)
    known = [
        one.values[: max(0, count), :targets].astype(np.float64)
        for one, count in zip(series, trained, strict=True)
    ]
    if layout.season is None:
        columns = [filled(column) for values in known[:_MOST_SEARCHED] for column in values.T]
        seasons = tuple(find_seasons([column for column in columns if len(column)]))
    else:
        seasons = (layout.season,)
    season = min(seasons, default=1)
    scales = [[naive_scale(column, season) for column in values.T] for values in known]
    return WholeSeries(tuple(series), seasons, np.asarray(scales, np.float64).reshape(len(known), targets))


def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a series [steps] from its first observed value on, with missing values interpolated linearly."""
    observed = np.flatnonzero(~np.isnan(values))
    if not len(observed):
        return values[:0]
    steps = np.arange(observed[0], len(values))
    return np.interp(steps, observed, values[observed])
