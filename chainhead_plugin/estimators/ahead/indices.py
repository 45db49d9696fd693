"""Indices of pandas: row numbers with which a forecast can go on, and the index of a forecast."""

from typing import Any

import numpy as np

from ...tables.series import Series, SeriesSet


def numbers_of(index: Any) -> range | None:
    """Return an index of pandas as a range, if it is of evenly rising whole numbers."""
    if index.nlevels > 1 or getattr(index.dtype, "kind", "") not in "iu" or not len(index):
        return None
    numbers = index.to_numpy()
    step = int(numbers[1] - numbers[0]) if len(numbers) > 1 else 1
    if step < 1 or (np.diff(numbers) != step).any():
        return None
    return range(int(numbers[0]), int(numbers[-1]) + 1, step)


def future_index(table: SeriesSet, series: Series, steps: int, numbers: range | None) -> Any:
    """Return the index of the next steps of a series.

    Parameters
    ----------
    table : SeriesSet
    series : Series
        One of the table's.
    steps : int
    numbers : range, optional
        As `numbers_of` returns it, of the table's rows. Without times the index goes on with them.

    Returns
    -------
    pandas.Index
    """
    import pandas

    if series.times is None or table.step is None:
        # The rows of several series are numbered together, so that none of them can go on.
        first, step = (0, 1) if numbers is None or len(table) > 1 else (numbers.start, numbers.step)
        start = first + step * len(series)
        return pandas.RangeIndex(start, start + step * steps, step)
    times = table.future_times(series, steps)
    is_dates = all(hasattr(time, "year") for time in times)
    name = table.columns.spec.time
    return pandas.DatetimeIndex(times, name=name) if is_dates else pandas.Index(times, name=name)


__all__ = ["future_index", "numbers_of"]
