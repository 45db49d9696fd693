"""Guess the columns of series, times and labels that the user has not named, if they can mean nothing else."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError
from ..formats.cells import to_texts
from ..formats.table import Table
from ..spec import ROLES, TableSpec, of_role
from ..time.durations import are_durations, seconds_in
from ..time.patterns import looks_like_times
from .node_names import are_nodes, check_nodes
from .numbers import is_missing, looks_numeric, to_numbers
from .of_files import is_series_a_file
from .time_columns import guess_time_columns
from .usual_names import usual_column
from .wide import LEAST_NODES, ids_of_rows, is_wide

# Names under which tables commonly tell series apart, in small letters.
_SERIES_NAMES = (
    "id",
    "series",
    "series_id",
    "seriesid",
    "unique_id",
    "item_id",
    "window",
    "window_id",
    "case",
    "case_id",
    "caseid",
    "sequence",
    "sequence_id",
    "sample_id",
    "recording",
    "recording_id",
)
# Other names that end in a word "id": trip_id, Subject ID, deviceId.
_ENDS_IN_ID = re.compile(r"[_\W](id|ID|Id)$|[a-z]I[dD]$")

# Names under which tables commonly number the nodes of a series, or say when they were, in small letters.
_STEP_NAMES = (
    "t",
    "time",
    "timestamp",
    "time_stamp",
    "ts",
    "epoch",
    "unixtime",
    "unix_time",
    "datum",
    "zeit",
    "timestep",
    "time_step",
    "time_index",
    "step",
    "tick",
    "frame",
    "frame_index",
    "seconds",
    "date",
    "datetime",
    "ds",
    "year",
    "month",
    "week",
    "day",
)


def is_series_name(column: str) -> bool:
    """Whether a column has a name under which tables commonly tell series apart, such as id, trip_id and Subject ID."""
    return column.strip().lower() in _SERIES_NAMES or bool(_ENDS_IN_ID.search(column.strip()))


def is_step_name(column: str) -> bool:
    """Whether a column has a name under which tables commonly number nodes, or say when they were, such as step."""
    return column.strip().lower() in _STEP_NAMES


def guess(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Give a meaning to columns that can have only this meaning.

    Parameters
    ----------
    table : Table
    spec : TableSpec
        The user's statements. None of them is changed.
    free : list of str
        Columns without a meaning so far.

    Returns
    -------
    spec : TableSpec
        The user's statements and the guesses.
    free : list of str
        Columns that still have no meaning.

    Raises
    ------
    TableError
        If several columns may tell series apart, or are times.
    """
    if table.index:
        spec, free = _from_index(table, spec, free)
    # A table with a target to forecast needs no labels.
    label = None if spec.label or spec.target else usual_column("label", free)
    if label is not None and label not in (spec.features or ()):
        spec = replace(spec, label=(label,))
        free.remove(label)
    is_said = any(column in of_role(spec, role) for role in ROLES for column in table.made)
    if not (spec.label or spec.target or spec.text or is_said):
        spec = replace(spec, label=table.made)
    if _are_stated_rows(table, spec, free):
        return replace(spec, rows="series"), free
    if spec.rows != "series":
        named = [column for column in free if column in (spec.features or ())]
        free = [column for column in free if column not in named]
        if table.has_names and not spec.series:
            spec, free = _with_series(table, spec, free)
        if spec.time is None:
            spec, free = _with_time(table, spec, free)
        free = [*named, *free]
    may_forecast = not (spec.label or spec.target or spec.known or spec.series) and spec.time is None
    if may_forecast and (spec.rows == "series" or (spec.rows is None and is_wide(table, spec, free))):
        spec = replace(
            spec, rows="series", series=() if spec.features is not None else ids_of_rows(table, free)
        )
        return spec, [name for name in free if name not in spec.series]
    if spec.rows is None:
        has_rows = not spec.series and not spec.target and spec.time is None and spec.label_of == "series"
        has_rows = has_rows and not is_series_a_file(table, spec.label, free)
        spec = replace(spec, rows="series" if has_rows and bool(spec.label) else "nodes")
        if spec.rows == "series" and spec.features is None:
            spec = replace(spec, series=ids_of_rows(table, free))
            free = [name for name in free if name not in spec.series]
            check_nodes(table, free)
    return spec, free


def _are_stated_rows(table: Table, spec: TableSpec, free: list[str]) -> bool:
    """Whether stated ids are different in all rows, and the other columns are named as the nodes of a series are."""
    is_open = spec.rows is None and not (spec.target or spec.known or spec.features) and spec.time is None
    if not is_open or not spec.series or not table.has_names or len(table) < 2 or spec.label_of == "node":
        return False
    if len(free) < LEAST_NODES or not are_nodes(table, free):
        return False
    keys = zip(*(to_texts(table.columns[name]) for name in spec.series), strict=True)
    return len({*keys}) == len(table)


def _from_index(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Take the outer levels of a DataFrame's index for series, and its last level for time."""
    levels = [name for name in table.index if name in free]
    if levels != list(table.index):
        return spec, free
    *outer, last = levels
    if spec.time is None and not spec.series and tells_apart(table, outer, last):
        spec = replace(spec, series=tuple(outer), time=last)
    elif not spec.series and outer:
        spec = replace(spec, series=tuple(levels))
    elif spec.time is None:
        spec = replace(spec, time=last)
    return spec, [name for name in free if name not in {*spec.series, spec.time}]


def tells_apart(table: Table, outer: list[str], last: str) -> bool:
    """Whether the last level of an index has every value once in a series, and is a number or a time."""
    values = table.columns[last]
    if values.dtype.kind == "O" and not (looks_numeric(values, ".") or looks_like_times(values)):
        return False
    keys = list(zip(*(to_texts(table.columns[name]) for name in [*outer, last]), strict=True))
    return len(set(keys)) == len(keys) or values.dtype.kind == "M"


def _with_series(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Guess which column tells series apart."""
    found = [column for column in free if is_series_name(column) and _may_be_series(table, column)]
    ids = [column for column in found if column.lower() == "id"]
    if len(found) > 1 and not ids:
        raise TableError(
            f"{table.name}: {' and '.join(found)} may each tell series apart: name the column that does, as series: "
            f"[{found[0]}], and drop columns without a meaning"
        )
    if not found:
        return spec, free
    column = (ids or found)[0]
    distinct = len(set(to_texts(table.columns[column])))
    others = [name for name in free if name != column]
    is_whole = len(table) > 1 or (len(others) > 2 and are_nodes(table, others))
    if distinct == len(table) and is_whole and spec.rows is None and not spec.target and spec.time is None:
        # Every row has an id of its own, so a row is a series.
        spec = replace(spec, rows="series")
        if spec.features is None and len(others) > 1:
            check_nodes(table, others)
    spec = replace(spec, series=(column,))
    return spec, [name for name in free if name != column]


def _may_be_series(table: Table, column: str) -> bool:
    """Whether a column can only tell series apart: it holds texts, or whole numbers with a single run of rows each."""
    values = table.columns[column]
    if values.dtype.kind in "Mb":
        return False
    if column.lower() == "id":
        return True
    if is_missing(values).any():
        return False
    texts = to_texts(values)
    if not looks_numeric(values, table.decimal):
        # An id for each row, such as that of a booking, tells rows apart, unless its name says more.
        return column.strip().lower() in _SERIES_NAMES or len(set(texts)) < len(texts)
    if not are_whole(values) or len(texts) < 2:
        return False
    runs = 1 + int(np.count_nonzero(texts[1:] != texts[:-1]))
    distinct = len(set(texts))
    return 1 < distinct == runs < len(texts)


def _with_time(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Take the only column of dates for the time, or else the column that numbers the nodes."""
    if spec.rows != "series" and table.has_names:
        several = guess_time_columns(table, spec, free)
        if several is not None:
            taken = {several.time, *several.time_parts}
            return several, [name for name in free if name not in taken]
    found = [column for column in free if looks_like_times(table.columns[column])]
    if len(found) > 1:
        raise TableError(
            f"{table.name}: {' and '.join(found)} are times: name the column that nodes are sorted by as time "
            "(--time), and drop the other column (--drop)"
        )
    if not found and spec.rows != "series" and table.has_names:
        found = _steps(table, spec, free)
    if not found or spec.rows == "series":
        return spec, free
    return replace(spec, time=found[0]), [name for name in free if name != found[0]]


def _steps(table: Table, spec: TableSpec, free: list[str]) -> list[str]:
    """Return the column that numbers the nodes, in a list, or an empty list.

    The column is known by its name, because it holds durations, or because it counts from 0 or 1 in each of several
    series. As a feature it would only tell how long a series is, or where a node stands.
    """
    order, starts = _runs(table, spec)
    for column in free:
        values = table.columns[column]
        is_span = are_durations(table, column)
        is_named = is_span or is_step_name(column)
        if not is_named and (len(starts) < 2 or to_texts(values[order[:1]])[0].strip() not in ("0", "1")):
            continue
        if not (is_span or looks_numeric(values, table.decimal)) or is_missing(values).any():
            continue
        numbers = (seconds_in(table, column) if is_span else to_numbers(table, column))[order]
        if _counts(numbers, starts) or (is_named and _rises(numbers, starts)):
            return [column]
    return []


def _runs(table: Table, spec: TableSpec) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the order of rows that puts each series together, and where each series starts in this order."""
    keys: list[NDArray[Any]] = [to_texts(table.columns[name]) for name in spec.series]
    keys = keys or [table.file_of]
    codes = np.zeros(len(table), dtype=np.int64)
    for key in keys:
        found: dict[Any, int] = {}
        numbers = np.fromiter((found.setdefault(cell, len(found)) for cell in key), np.int64, len(table))
        codes = codes * len(found) + numbers
    order = np.argsort(codes, kind="stable")
    return order, np.flatnonzero(np.diff(codes[order], prepend=-1))


def _counts(numbers: NDArray[np.float64], starts: NDArray[np.intp]) -> bool:
    """Whether every series counts 0, 1, 2, … or 1, 2, 3, …, and at least one has three nodes or more."""
    lengths = np.diff(starts, append=len(numbers))
    expected = np.arange(len(numbers)) - np.repeat(starts, lengths)
    offsets = numbers - expected
    return lengths.max() > 2 and bool((offsets == offsets[0]).all()) and offsets[0] in (0, 1)


def _rises(numbers: NDArray[np.float64], starts: NDArray[np.intp]) -> bool:
    """Whether numbers rise or fall throughout every series, or are evenly spaced after sorting."""
    lengths = np.diff(starts, append=len(numbers))
    within = np.ones(len(numbers), dtype=bool)
    within[starts] = False
    if lengths.max() < 3:
        return False
    steps = np.diff(numbers, prepend=-np.inf)[within]
    if bool((steps > 0).all() or (steps < 0).all()):
        return True
    series = np.repeat(np.arange(len(starts)), lengths)
    steps = np.diff(numbers[np.lexsort((numbers, series))], prepend=0)[within]
    return bool(steps[0] > 0 and (np.abs(steps - steps[0]) <= 1e-6 * steps[0]).all())


def are_whole(values: NDArray[Any]) -> bool:
    """Tell whether all cells are whole numbers."""
    return all(text.strip().lstrip("-").isdigit() for text in to_texts(values))
