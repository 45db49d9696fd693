"""The series that windows are cut of: their columns, their values, and how large a naive forecast's errors are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metrics import naive_scale
from .seasons import find_seasons

# Series that seasons are looked for in, the first ones.
_MOST_SEARCHED = 20


@dataclass(frozen=True)
class Series:
    """One series, a row a step, without gaps.

    Attributes
    ----------
    values : array [steps, channels + covariates]
        First the targets, then what is measured along with them, NaN where missing, then the covariates that are
        known for the future too.
    start : int
        Its first step on the time axis that all series share.
    name : str
        What tells it apart; empty for the only one.
    times : array [steps] of datetime64 or of numbers, optional
        When its steps are, for pictures.
    """

    values: NDArray[np.floating[Any]]
    start: int = 0
    name: str = ""
    times: NDArray[Any] | None = None


@dataclass(frozen=True)
class Layout:
    """What the columns of series are.

    Attributes
    ----------
    targets : tuple of str
        The columns to forecast.
    past : tuple of str
        Channels that only help.
    known : tuple of str
        Covariates that are known for the future.
    season : int, optional
        Steps of the season that a naive forecast repeats.
    """

    targets: tuple[str, ...]
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    season: int | None = None

    @property
    def channels(self) -> int:
        """How many columns are unknown for the future."""
        return len(self.targets) + len(self.past)


@dataclass(frozen=True)
class WholeSeries:
    """All series of a data set.

    Attributes
    ----------
    series : tuple of Series
    seasons : tuple of int
        After how many steps the targets repeat themselves, ascending: as stated, or as their training part shows.
    scales : float64 array [series, targets]
        Mean absolute error, in the training part, of the value a season before; 0 where there is none. A season is
        the shortest of `seasons`, or where there is none a step.
    """

    series: tuple[Series, ...]
    seasons: tuple[int, ...]
    scales: NDArray[np.float64]

    @property
    def season(self) -> int:
        """Steps after which the naive forecast that scales errors repeats: 1 for the last value."""
        return min(self.seasons, default=1)


def whole_series(series: Sequence[Series], layout: Layout, trained: Sequence[int]) -> WholeSeries:
    """Return series with what their training parts tell of them.

    Parameters
    ----------
    series : sequence of Series
    layout : Layout
    trained : sequence of int
        How many of each series' first steps are of the training part.
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
    """Return a series [steps] from its first observed value on, missing ones on the line between observed ones."""
    observed = np.flatnonzero(~np.isnan(values))
    if not len(observed):
        return values[:0]
    steps = np.arange(observed[0], len(values))
    return np.interp(steps, observed, values[observed])
