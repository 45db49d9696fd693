"""Turn a DataFrame of pandas into a table, with its index if that has a meaning."""

import datetime
import decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, place, require
from ..time.patterns import is_time
from .cells import is_nan, objects
from .columnar import to_nanoseconds
from .table import DURATION, Table, single

_TIME = "time"


def from_frame(frame: Any, name: str = "the DataFrame") -> Table:
    """Return a DataFrame as a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        Names of columns may be integers. The index becomes columns if it has a meaning: all levels of a MultiIndex, of
        which the outer levels tell series apart and the last is time; a DatetimeIndex, PeriodIndex or TimedeltaIndex,
        as the time; an
        index with a name; and an index of texts, as a column "id", or "time" if all are different times. Row numbers
        without a name are left out.
    name : str
        The name of the DataFrame for messages.

    Returns
    -------
    Table
        Rows are counted from 1.

    Raises
    ------
    TableError
        If columns have several levels or the same name, there are no rows, a column holds neither numbers, texts nor
        times, or the levels of the index are in another order.
    """
    pandas = require("pandas", "pandas", name)
    check_levels(frame.index, name)
    if frame.columns.nlevels > 1:
        raise TableError(f"{name} has columns of {frame.columns.nlevels} levels: give every column one name")
    columns: dict[str, NDArray[Any]] = {}
    zones: dict[str, str] = {}
    levels = _levels(frame.index, pandas)
    entries = [*levels.items(), *((str(column), frame.iloc[:, i]) for i, column in enumerate(frame.columns))]
    for column, values in entries:
        if column in columns:
            raise TableError(
                f"{name} has two columns, or a column and an index, {column}: rename one of them"
            )
        columns[column], zone = _array(values, pandas, place(name, column=column))
        if zone:
            zones[column] = zone
    if not len(frame):
        raise TableError(f"{name} has no rows")
    index = tuple(levels) if len(levels) > 1 or [*levels] == [_TIME] or _is_time(frame.index, pandas) else ()
    return single(columns, name, None, zones=zones, index=index)


def check_levels(index: Any, name: str, *, may_count: bool = True) -> None:
    """Check that the last level of a MultiIndex can be the time, where another level holds times.

    Parameters
    ----------
    index : pandas.Index
        Other indices than a MultiIndex pass.
    name : str
        The name of the DataFrame for messages.
    may_count : bool
        Whether the last level may number the steps of series that are told apart by times, such as the hours of days.

    Raises
    ------
    TableError
        If only an outer level holds times.
    """
    if index.nlevels < 2:
        return
    pandas = require("pandas", "pandas", name)
    *outer, last = index.levels
    timed = [level for level, values in enumerate(outer) if _are_times(values, pandas)]
    numbers = pandas.api.types.is_numeric_dtype(last.dtype)
    texts = not numbers and any(isinstance(cell, str) for cell in last)
    if not timed or _are_times(last, pandas) or not (texts or (numbers and not may_count)):
        return
    names = [f"level {level}" if one is None else str(one) for level, one in enumerate(index.names)]
    raise TableError(
        f"{name} has the index {', '.join(names)}, of which {names[timed[0]]} holds times: expected the series first "
        f"and the time last, as by swaplevel({timed[0]}, {len(outer)}).sort_index()"
    )


def _levels(index: Any, pandas: Any) -> dict[str, Any]:
    """Return the levels of an index that have a meaning, by name."""
    if index.nlevels > 1:
        names = [f"level_{level}" if name is None else str(name) for level, name in enumerate(index.names)]
        return {name: index.get_level_values(level) for level, name in enumerate(names)}
    if _is_time(index, pandas):
        return {_TIME if index.name is None else str(index.name): index}
    if index.name is not None:
        return {str(index.name): index}
    if pandas.api.types.is_numeric_dtype(index.dtype):
        return {}
    return {_TIME if index.is_unique and _are_times(index, pandas) else "id": index}


def _are_times(index: Any, pandas: Any) -> bool:
    """Whether an index, or a level, holds times. Dates that nobody has parsed are times all the same."""
    return _is_time(index, pandas) or all(isinstance(cell, str) and is_time(cell) for cell in index)


def _is_time(index: Any, pandas: Any) -> bool:
    return isinstance(index, pandas.DatetimeIndex | pandas.PeriodIndex | pandas.TimedeltaIndex)


def _array(values: Any, pandas: Any, where: str) -> tuple[NDArray[Any], str]:
    types = pandas.api.types
    values = pandas.Series(values.array)  # the same type for columns and indices
    if isinstance(values.dtype, pandas.CategoricalDtype):
        categories = values.dtype.categories
        values = values.astype(categories.dtype if types.is_string_dtype(categories.dtype) else object)
    if isinstance(values.dtype, pandas.PeriodDtype):
        values = values.dt.to_timestamp()
    dtype = values.dtype
    if types.is_datetime64_any_dtype(dtype):
        zone = "" if values.dt.tz is None else str(values.dt.tz)
        if zone:
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return to_nanoseconds(values.to_numpy(), where), zone
    if types.is_bool_dtype(dtype) or types.is_integer_dtype(dtype):
        if not values.isna().any():
            kind = bool if types.is_bool_dtype(dtype) else None
            return np.asarray(values.to_numpy(dtype=kind)), ""
        return objects(["" if cell is pandas.NA or cell is None else str(cell) for cell in values]), ""
    if types.is_timedelta64_dtype(dtype):
        return np.asarray(values.dt.total_seconds().to_numpy(dtype=np.float64)), DURATION
    if types.is_float_dtype(dtype):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan)), ""
    if types.is_object_dtype(dtype) or types.is_string_dtype(dtype):
        return _fromobjects(list(values), pandas, where)
    raise TableError(f"{where} is of the type {dtype}, expected numbers, texts or times: drop it")


def _fromobjects(cells: list[Any], pandas: Any, where: str) -> tuple[NDArray[Any], str]:
    """Return cells of any Python type: numbers if all are numbers, times if all are times, else texts."""
    missing = [cell is None or cell is pandas.NA or cell is pandas.NaT or is_nan(cell) for cell in cells]
    found = [cell for cell, empty in zip(cells, missing, strict=True) if not empty]
    numbers = int | float | decimal.Decimal | np.number | np.bool_
    if found and all(isinstance(cell, numbers) for cell in found):
        if all(isinstance(cell, int | np.integer) and not isinstance(cell, bool) for cell in found):
            return objects(["" if e else str(c) for c, e in zip(cells, missing, strict=True)]), ""
        return np.array([np.nan if e else float(c) for c, e in zip(cells, missing, strict=True)]), ""
    if found and all(isinstance(cell, datetime.date) for cell in found):
        has_hours = any(isinstance(cell, datetime.datetime) for cell in found)
        zoned = [isinstance(cell, datetime.datetime) and cell.tzinfo is not None for cell in found]
        if any(zoned):
            if not all(zoned):
                raise TableError(f"{where} has times with and without a zone: give all of them one")
            zone = str(found[0].tzinfo)
            utc = datetime.timezone.utc
            plain = [
                None if e else c.astimezone(utc).replace(tzinfo=None)
                for c, e in zip(cells, missing, strict=True)
            ]
            return to_nanoseconds(np.array(plain, dtype="datetime64[us]"), where), zone
        plain = [None if e else c for c, e in zip(cells, missing, strict=True)]
        return to_nanoseconds(np.array(plain, dtype="datetime64[us]"), where), "" if has_hours else "date"
    if all(isinstance(cell, str | int | float | np.number) for cell in found):
        return objects(["" if e else str(c) for c, e in zip(cells, missing, strict=True)]), ""
    odd = next(cell for cell in found if not isinstance(cell, str | int | float | np.number))
    raise TableError(f"{where} holds {odd!r:.60}, expected numbers, texts or times: drop the column")
