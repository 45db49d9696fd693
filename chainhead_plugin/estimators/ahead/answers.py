"""Forecasts returned in users' data types."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tables.series import SeriesSet
from .histories import History
from .indices import future_index

Array = NDArray[np.float64]


def as_given(
    history: History, forecasts: Sequence[Array], columns: Sequence[Any] | None = None, origins: int = 0
) -> Any:
    """Return forecasts in the data type of their pasts.

    Parameters
    ----------
    history : History
    forecasts : sequence of arrays [steps, targets] or [steps, targets, quantiles]
    columns : sequence, optional
        The levels of the quantiles. A table gets a column for each pair of target and level.
    origins : int
        The number that ``attrs["new_origins"]`` of a table is.
    """
    if history.table is None:
        plain = [one[:, 0] if history.is_flat else one for one in forecasts]
        return plain if history.is_batch else plain[0]
    found = _as_table(history, history.table, forecasts, columns)
    found.attrs["new_origins"] = origins
    return found


def _as_table(
    history: History, table: SeriesSet, forecasts: Sequence[Array], columns: Sequence[Any] | None
) -> Any:
    """Return forecasts as a Series or a DataFrame."""
    import pandas

    frames = []
    names = list(table.targets)
    headings: Any = names
    if columns is not None:
        headings = pandas.MultiIndex.from_product([names, columns], names=["variable", "quantile"])
    for series, forecast in zip(table, forecasts, strict=True):
        frame = pandas.DataFrame(forecast.reshape(len(forecast), -1), columns=headings)
        frame.index = future_index(table, series, len(forecast), history.numbers)
        if history.period is not None:
            frame.index = frame.index.to_period(history.period)
        frames.append(frame)
    if not history.is_batch:
        found = frames[0]
        return found[names[0]] if history.is_flat and columns is None else found
    keys = [series.keys or (series.id,) for series in table]
    levels = list(table.columns.spec.series) or ["series"]
    keyed = [key[0] if len(levels) == 1 else key for key in keys]
    return pandas.concat(frames, keys=keyed, names=[*levels, frames[0].index.name])


__all__ = ["as_given"]
