"""Series to forecast as users hold them, and forecasts in the same form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.named_sequences import is_frame
from ...tables.loading import load
from ...tables.read import Reading
from ...tables.schema import Schema, load_matched
from ...tables.series import SeriesSet
from ...tables.spec import TableSpec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Series to forecast.

    Attributes
    ----------
    values : list of float64 arrays [length, targets]
        NaN where a value is missing.
    table : SeriesSet, optional
        What they were read from, where they have names or times.
    is_batch : bool
        Whether there are several, or one in a list.
    is_flat : bool
        Whether a series was [length], and forecasts are without the axis of targets.
    """

    values: list[Array]
    table: SeriesSet | None
    is_batch: bool
    is_flat: bool

    @property
    def ends(self) -> list[int]:
        """Steps from the first time of all series to behind the last of each."""
        starts = [0] * len(self.values)
        if self.table is not None:
            starts = [series.start for series in self.table]
        return [start + len(values) for start, values in zip(starts, self.values, strict=True)]


def read_history(y: Any, schema: Schema | None = None) -> History:
    """Return series to forecast.

    Parameters
    ----------
    y : array, list, Series or DataFrame of pandas
        [length] or [length, targets]; a list of such arrays; a Series; a DataFrame whose columns are targets, with
        times in its index or in a column, or a MultiIndex of series and time, or a column that tells series apart.
    schema : Schema, optional
        The names that a table has to have; what is read has them in this order.

    Raises
    ------
    TypeError, ValueError
        If it is nothing of these; `TableError` tells what is wrong with a table.
    """
    if is_frame(y):
        is_flat = not hasattr(y, "columns")
        name = schema.target[0] if schema is not None and len(schema.target) == 1 else "y"
        table = table_of(y.to_frame(name if y.name is None else str(y.name)) if is_flat else y, schema)
        is_batch = bool(table.columns.spec.series) or len(table) > 1
        return History([series.values for series in table], table, is_batch, is_flat)
    is_batch = isinstance(y, list | tuple) and len(y) > 0 and np.ndim(y[0]) > 0 and not np.isscalar(y[0])
    parts = [_numbers(number, one) for number, one in enumerate(y)] if is_batch else [_numbers(None, y)]
    is_flat = all(part.ndim == 1 for part in parts)
    return History([part.reshape(len(part), -1) for part in parts], None, is_batch, is_flat)


def table_of(
    data: Any, schema: Schema | None, spec: TableSpec | None = None, reading: Reading | None = None
) -> SeriesSet:
    """Return the series of a table to forecast, all of whose features are targets where none is named.

    A step without a row is a missing value.
    """
    if schema is not None:
        return load_matched(data, schema)
    spec = spec or TableSpec()
    return with_targets(load(data, replace(spec, gaps=spec.gaps or "missing", rows="nodes"), reading))


def with_targets(found: SeriesSet) -> SeriesSet:
    """Return series all of whose features are targets where none is named; gaps of later tables are missing values."""
    spec = replace(found.columns.spec, gaps=found.columns.spec.gaps or "missing", rows="nodes")
    if not spec.target:
        spec = replace(spec, features=None, target=found.features)
    return replace(found, columns=replace(found.columns, spec=spec))


def _numbers(number: int | None, values: Any) -> Array:
    where = "y" if number is None else f"y: series {number}"
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where} holds no plain numbers: {error}") from error
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{where} has shape {list(array.shape)}, expected [length] or [length, targets]")
    return array


def as_given(history: History, forecasts: Sequence[Array], columns: Sequence[Any] | None = None) -> Any:
    """Return forecasts in the form that their pasts have.

    Parameters
    ----------
    history : History
    forecasts : sequence of arrays [steps, targets] or [steps, targets, quantiles]
    columns : sequence, optional
        The quantiles, for a table a column for each and each target.
    """
    if history.table is None:
        plain = [one[:, 0] if history.is_flat else one for one in forecasts]
        return plain if history.is_batch else plain[0]
    import pandas

    frames = []
    names = list(history.table.targets)
    headings: Any = names
    if columns is not None:
        headings = pandas.MultiIndex.from_product([names, columns], names=["variable", "quantile"])
    for series, forecast in zip(history.table, forecasts, strict=True):
        frame = pandas.DataFrame(forecast.reshape(len(forecast), -1), columns=headings)
        frame.index = _future_index(history.table, series, len(forecast))
        frames.append(frame)
    if not history.is_batch:
        found = frames[0]
        return found[names[0]] if history.is_flat and columns is None else found
    keys = [series.keys or (series.id,) for series in history.table]
    levels = list(history.table.columns.spec.series) or ["series"]
    keyed = [key[0] if len(levels) == 1 else key for key in keys]
    return pandas.concat(frames, keys=keyed, names=[*levels, frames[0].index.name])


def _future_index(table: SeriesSet, series: Any, steps: int) -> Any:
    import pandas

    if series.times is None or table.step is None:
        return pandas.RangeIndex(len(series), len(series) + steps)
    times = table.future_times(series, steps)
    is_dates = all(hasattr(time, "year") for time in times)
    name = table.columns.spec.time
    return pandas.DatetimeIndex(times, name=name) if is_dates else pandas.Index(times, name=name)


__all__ = ["History", "as_given", "read_history", "table_of"]
