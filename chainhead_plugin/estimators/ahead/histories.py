"""Series to forecast, read from users' data types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.named_sequences import is_frame
from ...tables.errors import TextColumnError
from ...tables.formats.frame import check_levels
from ...tables.loading import load
from ...tables.matching import load_matched
from ...tables.read import Reading
from ...tables.schema import Schema
from ...tables.series import Series, SeriesSet
from ...tables.spec import TableSpec
from ...tables.time.clock import Clock, offsets_in
from ...tables.time.marks import TimeMark, last_mark
from .indices import numbers_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Series to forecast.

    Attributes
    ----------
    values : list of float64 arrays [length, targets]
        The series, one array each; NaN where a value is missing.
    table : SeriesSet, optional
        The table that the series were read from, if they have names or times.
    is_batch : bool
        Whether a list of series was given, even if it holds a single series.
    is_flat : bool
        Whether each series was given as [length]; forecasts then have no axis of targets.
    known : list of float64 arrays [length or more, covariates], optional
        The covariates of every step, and of steps after the last.
    names : tuple of str
        The names of the covariates.
    period : str, optional
        The frequency of a PeriodIndex of pandas; forecasts are returned with an index of the same frequency.
    numbers : range, optional
        An index of evenly rising whole numbers, without another meaning; forecasts go on with it.
    """

    values: list[Array]
    table: SeriesSet | None
    is_batch: bool
    is_flat: bool
    known: list[Array] | None = None
    names: tuple[str, ...] = ()
    period: str | None = None
    numbers: range | None = None

    @property
    def ends(self) -> list[int]:
        """For each series, the number of steps from the first time of all series to just after its own last step."""
        starts = [0] * len(self.values)
        if self.table is not None:
            starts = [series.start for series in self.table]
        return [start + len(values) for start, values in zip(starts, self.values, strict=True)]

    @property
    def mark(self) -> TimeMark | None:
        """The time of the last step of all series; None without evenly spaced times."""
        if self.table is None:
            return None
        last = self.table[int(np.argmax(self.ends))]
        return last_mark(last.times, last.offset, self.table.clock, self.table.step)


def read_history(y: Any, X: Any = None, schema: Schema | None = None) -> History:
    """Return series to forecast.

    Parameters
    ----------
    y : array, list, Series or DataFrame of pandas
        [length] or [length, targets]; a list of such arrays; a Series; a DataFrame whose columns are targets, with
        times in its index or in a column, or a MultiIndex of series and time, or a column that tells series apart.
    X : the same, optional
        The covariates: a row for every step of `y`, and for steps after the last. The columns of a table have other
        names than those of `y`, and its index continues that of `y`.
    schema : Schema, optional
        The column names that a table has to have; columns are read in this order.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If `y` or `X` is none of these. For a table it is a `TableError`, which says what is wrong.
    """
    if is_frame(y):
        return _read_frames(y, X, schema)
    is_batch = isinstance(y, list | tuple) and len(y) > 0 and np.ndim(y[0]) > 0 and not np.isscalar(y[0])
    parts = (
        [as_numbers("y", number, one) for number, one in enumerate(y)]
        if is_batch
        else [as_numbers("y", None, y)]
    )
    is_flat = all(part.ndim == 1 for part in parts)
    values = [part.reshape(len(part), -1) for part in parts]
    if X is None:
        return History(values, None, is_batch, is_flat)

    if is_frame(X):
        raise TypeError("X is a table, but y is not: give both as arrays, or both with an index")
    if is_batch and not (isinstance(X, list | tuple) and len(X) == len(parts)):
        raise ValueError(f"X must be a list of {len(parts)} arrays, as y is")
    given = [as_numbers("X", number, one) for number, one in enumerate(X if is_batch else [X])]
    known = [part.reshape(len(part), -1) for part in given]
    for part, rows in zip(values, known, strict=True):
        if len(rows) < len(part):
            raise ValueError(
                f"X has {len(rows)} rows, expected a row for each step of y, which has {len(part)}, and then for "
                "the steps to forecast"
            )
    return History(values, None, is_batch, is_flat, known, tuple(f"x{i}" for i in range(known[0].shape[1])))


def _read_frames(y: Any, X: Any, schema: Schema | None) -> History:
    """Return the series of tables of pandas."""
    is_flat = not hasattr(y, "columns")
    name = schema.target[0] if schema is not None and len(schema.target) == 1 else "y"
    frame = y.to_frame(name if y.name is None else str(y.name)) if is_flat else y
    check_levels(frame.index, "y", may_count=False)
    spec = None
    if X is not None:
        if not is_frame(X):
            raise TypeError("y is a table, but X is not: give both as arrays, or both with an index")
        known = X if hasattr(X, "columns") else X.to_frame("x" if X.name is None else str(X.name))
        twice = [str(column) for column in known.columns if column in frame.columns]
        if twice:
            raise ValueError(f"y and X both have the columns {', '.join(twice)}")
        _check_rows(frame.index, known.index)
        spec = TableSpec(known=tuple(map(str, known.columns)))
        frame = frame.join(known, how="outer")
    try:
        table = table_of(frame, schema, spec)
    except TextColumnError as error:
        raise TextColumnError(
            f"{error}; to an estimator, give a column that tells series apart as the outer level of the index, as by "
            "set_index([series, time])",
            error.column,
        ) from error
    history = history_of(table, is_batch=bool(table.columns.spec.series) or len(table) > 1, is_flat=is_flat)
    index = y.index if y.index.nlevels == 1 else y.index.levels[-1]
    period = getattr(index, "freqstr", None) if hasattr(index, "to_timestamp") else None
    return replace(history, period=period, numbers=numbers_of(y.index))


def _check_rows(steps: Any, known: Any) -> None:
    """Check that covariates, by their index, are there for all steps of the past."""
    absent = steps[~steps.isin(known)]
    if len(absent):
        raise ValueError(
            f"X has no row for {len(absent)} of the {len(steps)} steps of y, the first {absent[0]}: expected a row "
            "for each step of y, with the same index, and then for the steps to forecast"
        )


def history_of(table: SeriesSet, *, is_batch: bool, is_flat: bool) -> History:
    """Return the history that a table holds.

    If the table has covariates, its last rows may hold covariates of the future, without a target. These rows are kept
    in `known`, and the series end before them.

    Parameters
    ----------
    table : SeriesSet
    is_batch, is_flat : bool
        As in `History`.

    Returns
    -------
    History
    """
    if not table.known:
        return History([series.values for series in table], table, is_batch, is_flat)
    kept, known = [], []
    for series in table:
        observed = np.flatnonzero(~np.isnan(series.values[:, : len(table.targets)]).all(1))
        end = int(observed[-1]) + 1 if len(observed) else len(series)
        known.append(series.known)
        kept.append(_begun(series, end, table.clock))
    short = replace(table, series=tuple(kept))
    return History([series.values for series in kept], short, is_batch, is_flat, known, table.known)


def first_steps(history: History, lengths: Mapping[int, int]) -> History:
    """Return the first steps of some series. Their covariates stay, as those of later steps are known too.

    Parameters
    ----------
    history : History
    lengths : mapping of int to int
        By the number of each series that is kept, its number of steps, 1 at least.
    """
    table = history.table
    if table is not None:
        begun = (_begun(table[number], length, table.clock) for number, length in lengths.items())
        table = replace(table, series=tuple(begun))
    return replace(
        history,
        values=[history.values[number][:length] for number, length in lengths.items()],
        table=table,
        known=None if history.known is None else [history.known[number] for number in lengths],
    )


def _begun(series: Series, length: int, clock: Clock | None) -> Series:
    """Return the first steps of a series, with the times of these steps alone."""
    times, offset = series.times, series.offset
    if times is not None and length < len(times):
        times = times[:length]
        if clock is not None and clock.wall_zone and length:
            offset = int(offsets_in(times[-1:], clock.wall_zone)[0])
    return replace(
        series, values=series.values[:length], known=series.known[:length], times=times, offset=offset
    )


def table_of(
    data: Any, schema: Schema | None, spec: TableSpec | None = None, reading: Reading | None = None
) -> SeriesSet:
    """Return the series of a table to forecast.

    If no target is named, all features are targets. A step without a row is a missing value.

    Parameters
    ----------
    data : DataFrame, or any other table that `chainhead_plugin.tables.load` takes
    schema : Schema, optional
        The column names that the table has to have. If it is given, `spec` and `reading` are not used.
    spec : TableSpec, optional
        The meaning of the columns.
    reading : Reading, optional
        How files are written.

    Returns
    -------
    SeriesSet

    Raises
    ------
    TableError
        If the table cannot be read in this way.
    """
    if schema is not None:
        return load_matched(data, schema)
    spec = spec or TableSpec()
    rows = spec.rows or "nodes"
    return with_targets(load(data, replace(spec, gaps=spec.gaps or "missing", rows=rows), reading))


def with_targets(found: SeriesSet) -> SeriesSet:
    """Return series with targets: all features, if no target is named. Gaps of later tables are missing values."""
    spec = replace(found.columns.spec, gaps=found.columns.spec.gaps or "missing")
    if spec.rows != "series" and not spec.target:
        spec = replace(spec, features=None, target=found.features)
    return replace(found, columns=replace(found.columns, spec=spec))


def as_numbers(name: str, number: int | None, values: Any) -> Array:
    """Return values as float64 [length] or [length, targets]; an error names them, and the number of their series."""
    where = name if number is None else f"{name}: series {number}"
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where} holds no plain numbers: {error}") from error
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{where} has shape {list(array.shape)}, expected [length] or [length, targets]")
    return array


__all__ = ["History", "as_numbers", "first_steps", "history_of", "read_history", "table_of"]
