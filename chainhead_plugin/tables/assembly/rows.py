"""The rows of a table with all cells read as numbers, times or texts, and the series that each row belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns.codes import warn_of_codes
from ..columns.meaning import Columns, check_row
from ..columns.numbers import is_missing, looks_numeric, to_numbers
from ..columns.numerals.decimal_signs import check_decimals
from ..columns.numerals.spelling import check_spelling
from ..errors import place
from ..formats.cells import to_texts
from ..formats.table import Table
from ..spec import TableSpec
from ..time.calendar import calendar_features
from ..time.clock import Times, no_offsets
from ..time.reading import read_times


@dataclass(frozen=True)
class Rows:
    """Rows [n] of one or several series.

    Attributes
    ----------
    keys : list of tuple of str
        The cells that tell each series apart, in the order in which the series appear.
    series_of : int64 array [n]
        The series of each row, an index into `keys`.
    values, known, static : float64 arrays [n, columns]
        The features, the columns that are known for the future too, and those that are the same throughout a series.
    labels : list of object arrays [n]
        Texts, "" where a cell is empty; an array for each column of labels.
    groups : object array [n], optional
        The text that names the group of each row.
    times : Times, optional
        The time of each row.
    files : tuple of str
        The names of the files.
    file_of : int32 array [n]
        The file of each row, an index into `files`.
    numbers : int32 array [n]
        The number of each row in its file.
    """

    keys: list[tuple[str, ...]]
    series_of: NDArray[np.int64]
    values: NDArray[np.float64]
    known: NDArray[np.float64]
    static: NDArray[np.float64]
    labels: list[NDArray[np.object_]]
    groups: NDArray[np.object_] | None
    times: Times | None
    files: tuple[str, ...]
    file_of: NDArray[np.int32]
    numbers: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int, column: str | None = None) -> str:
        """Return the words for the place of a row."""
        series = " / ".join(self.keys[int(self.series_of[row])])
        file = self.files[int(self.file_of[row])]
        return place(file, row=int(self.numbers[row]), column=column, series=series)

    def take(self, index: Any, series: int) -> "Rows":
        """Return the rows of a slice or an array of indices, all of which belong to the series of this number."""
        times, file_of = self.times, self.file_of[index]
        if len(self.files) == 1:
            file_of = constant(0, len(file_of), np.int32)
        if times is not None:
            times = times._replace(moments=times.moments[index], offsets=times.offsets[index])

        return Rows(
            [self.keys[series]],
            constant(0, len(self.numbers[index]), np.int64),
            self.values[index],
            self.known[index],
            self.static[index],
            [column[index] for column in self.labels],
            None if self.groups is None else self.groups[index],
            times,
            self.files,
            file_of,
            self.numbers[index],
        )


def warn_of_codes_in(rows: Rows, columns: Columns, table: str) -> None:
    """Warn of numbers that look like codes for missing values."""
    for names, numbers in ((columns.features, rows.values), (columns.spec.known, rows.known)):
        for position, name in enumerate(names):
            warn_of_codes(place(table, column=name), numbers[:, position])


def join_rows(parts: list[Rows]) -> Rows:
    """Join the rows of a single series and file, in this order, and empty the list meanwhile.

    Each part is released as soon as it is copied, so that memory holds the series about once and not twice.
    """
    if len(parts) == 1:
        return parts.pop()
    whole = _empty_like(parts)
    parts.reverse()
    start = 0
    while parts:
        part = parts.pop()
        end = start + len(part)
        for target, source in zip(_arrays(whole), _arrays(part), strict=True):
            if target.flags.writeable:
                target[start:end] = source
        start = end
    return whole


def _empty_like(parts: list[Rows]) -> Rows:
    part, length = parts[0], sum(map(len, parts))
    times = part.times
    if times is not None:
        moments, offsets = np.empty(length, times.moments.dtype), np.empty(length, dtype=np.int64)
        if not any(other.times.offsets.any() for other in parts if other.times is not None):
            offsets = no_offsets(length)
        times = times._replace(moments=moments, offsets=offsets)
    return Rows(
        part.keys,
        constant(0, length, np.int64),
        np.empty((length, part.values.shape[1])),
        np.empty((length, part.known.shape[1])),
        np.empty((length, part.static.shape[1])),
        [np.empty(length, dtype=object) for _ in part.labels],
        None if part.groups is None else np.empty(length, dtype=object),
        times,
        part.files,
        constant(int(part.file_of[0]), length, np.int32),
        np.empty(length, dtype=np.int32),
    )


def _arrays(rows: Rows) -> list[NDArray[Any]]:
    """Return all arrays that may differ from row to row."""
    arrays: list[NDArray[Any]] = [rows.values, rows.known, rows.static, *rows.labels, rows.numbers]
    if rows.groups is not None:
        arrays.append(rows.groups)
    if rows.times is not None:
        arrays += [rows.times.moments, rows.times.offsets]
    return arrays


def constant(value: int, length: int, dtype: Any) -> NDArray[Any]:
    """Return a read-only array [length] that repeats a value, in the memory of a single element."""
    return np.broadcast_to(np.array(value, dtype=dtype), (length,))


def read_rows(table: Table, columns: Columns, stems: Sequence[str] = ()) -> Rows:
    """Read all cells of a table whose rows are nodes.

    Parameters
    ----------
    table : Table
    columns : Columns
        As `resolve` returns them.
    stems : sequence of str
        The names of the table's files. If no column tells series apart and there are several files, each is a series.

    Returns
    -------
    Rows

    Raises
    ------
    TableError
        If a cell cannot be read; the message names its file, row and column.
    """
    spec = columns.spec
    keys, series_of = _keys(table, spec.series, stems)
    numeric = [*columns.features, *spec.known, *spec.static]
    check_decimals(table, [*numeric, *numeric_labels(table, spec)])
    times = None
    if spec.time is not None:
        for column in (spec.time, *spec.time_parts):
            check_row(table, column, is_missing(table.columns[column]), "time")
        times = read_times(table, spec)
    known = _matrix(table, spec.known, spec.missing)
    if times is not None and spec.calendar:
        known = np.concatenate([known, calendar_features(times.local, spec.calendar)], axis=1)
    if spec.group is not None:
        check_row(table, spec.group, is_missing(table.columns[spec.group]), "group")
        check_spelling(table, spec.group)
    for column in spec.label:
        check_spelling(table, column)
    return Rows(
        keys,
        series_of,
        _matrix(table, columns.features, spec.missing),
        known,
        _matrix(table, spec.static, spec.missing),
        [_labels(table, column) for column in spec.label],
        None if spec.group is None else _shared(to_texts(table.columns[spec.group])),
        times,
        table.files,
        table.file_of,
        table.rows.astype(np.int32),
    )


def numeric_labels(table: Table, spec: TableSpec) -> list[str]:
    """Return the columns of labels that hold nothing but numbers."""
    return [name for name in spec.label if looks_numeric(table.columns[name], table.decimal)]


def _keys(
    table: Table, series: Sequence[str], stems: Sequence[str]
) -> tuple[list[tuple[str, ...]], NDArray[np.int64]]:
    keys: list[tuple[str, ...]]
    if not series:
        if len(table.files) < 2:
            return [()], np.zeros(len(table), dtype=np.int64)
        names = stems if len(stems) == len(table.files) else table.files
        keys = [(name,) for name in names]
        return keys, table.file_of.astype(np.int64)
    for column in series:
        check_row(table, column, is_missing(table.columns[column]), "a column that tells series apart")
        check_spelling(table, column)
    cells = [to_texts(table.columns[column]) for column in series]
    numbers: dict[tuple[str, ...], int] = {}
    found = (numbers.setdefault(key, len(numbers)) for key in zip(*cells, strict=True))
    series_of = np.fromiter(found, dtype=np.int64, count=len(table))
    return list(numbers), series_of


def _matrix(table: Table, columns: Sequence[str], codes: Sequence[str | float]) -> NDArray[np.float64]:
    matrix = np.empty((len(table), len(columns)))
    for position, column in enumerate(columns):
        matrix[:, position] = to_numbers(table, column, codes)
    return matrix


def _labels(table: Table, column: str) -> NDArray[np.object_]:
    """Return labels as they stand, "" for cells that are empty or blank."""
    texts = to_texts(table.columns[column])
    return _shared(np.array(["" if not text.strip() else text for text in texts], dtype=object))


def _shared(texts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the same texts, each only once in memory."""
    seen: dict[str, str] = {}
    shared = np.empty(len(texts), dtype=object)
    shared[:] = [seen.setdefault(text, text) for text in texts]
    return shared
