"""The values that readers return: a table with columns of equal length, or sequences that are whole already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed
from .cells import to_texts

# The name of a zone for dates without a time of day.
DATE = "date"
# In place of the zone of a typed column of durations, which are held in seconds.
DURATION = "duration"


@dataclass(frozen=True)
class Table:
    """Columns as they stand in a file, before any of them has a meaning.

    Attributes
    ----------
    columns : dict of str to array [rows]
        Arrays of objects hold texts, "" for an empty cell. Arrays of floats, integers or booleans hold the numbers of
        a typed format, NaN for an empty cell. Arrays of datetime64[ns] hold typed times in UTC, NaT for an empty cell.
    files : tuple of str
        The names of the files that the table was read from, for messages.
    file_of : int32 array [rows]
        The file of each row, an index into `files`.
    rows : int64 array [rows]
        The number of each row in its file, from 1; in a text file, the line where the row begins.
    decimal : {".", ",", None}
        The sign before fractions in texts; None if only the cells can tell.
    thousands : {",", ".", "'", " ", "", None}
        The sign between thousands in texts; "" if there is none, and None if only the cells can tell.
    zones : dict of str to str
        The time zones of typed columns of times; `DATE` and `DURATION` for columns of dates and of durations.
    index : tuple of str
        Columns that were the index of a DataFrame and have a meaning, outer levels first.
    has_names : bool
        Whether the file names its columns.
    classes_first : bool
        Whether each row is a series behind its class, as in the UCR archive.
    notes : tuple of str
        Sentences about the reading, for the summary.
    made : tuple of str
        Columns that are not in the files but name their folders, such as "folder". They are the labels if the table
        has no column of labels.
    units : dict of str to str, optional
        The units that were left out, by column; None if they have not been looked for.
    has_siblings : bool
        Whether the table is one of several files that are read one after the other as one set.
    """

    columns: Mapping[str, NDArray[Any]]
    files: tuple[str, ...]
    file_of: NDArray[np.int32]
    rows: NDArray[np.int64]
    decimal: str | None = "."
    thousands: str | None = None
    zones: Mapping[str, str] = field(default_factory=dict)
    index: tuple[str, ...] = ()
    has_names: bool = True
    classes_first: bool = False
    notes: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    has_siblings: bool = False
    units: Mapping[str, str] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, row: int) -> tuple[str, int]:
        """Return the file of a row, and the row's number there."""
        return self.files[int(self.file_of[row])], int(self.rows[row])

    @property
    def name(self) -> str:
        """The name of the table for messages about the whole table."""
        return self.files[0] if len(self.files) == 1 else f"{self.files[0]} and {len(self.files) - 1} more"


@dataclass(frozen=True)
class Sequences:
    """Sequences that a file holds as wholes, as arrays and the UEA archive's files do.

    Attributes
    ----------
    file : str
        The name of the file, for messages.
    values : list of float64 arrays [L_i, m]
        The nodes of each sequence.
    rows : list of int
        The place of each sequence in the file: the line in a text file, else its number, from 1.
    features : tuple of str, optional
        Names of the features; None if the file has no names.
    fields : dict of str to list
        Everything else in the file, with a value for each sequence: labels, ids, groups. Labels of nodes are an array
        [L_i] for each sequence.
    notes : tuple of str
        Sentences about the reading, for the summary.
    """

    file: str
    values: list[NDArray[np.float64]]
    rows: list[int]
    features: tuple[str, ...] | None = None
    fields: Mapping[str, list[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)


def single(
    columns: Mapping[str, NDArray[Any]], file: str, rows: NDArray[np.int64] | None = None, **options: Any
) -> Table:
    """Return the table of one file; rows are counted from 1 if `rows` does not number them."""
    length = len(next(iter(columns.values()))) if columns else 0
    numbers = np.arange(1, length + 1, dtype=np.int64) if rows is None else rows
    return Table(columns, (file,), np.zeros(length, dtype=np.int32), numbers, **options)


def unnamed_filled(names: Sequence[str]) -> list[str]:
    """Return names of columns, with "Unnamed: 0" and so on in place of empty names; `index_columns` knows these."""
    filled: list[str] = []
    for position, name in enumerate(names):
        candidate, number = name or f"Unnamed: {position}", 0
        while not name and (candidate in names or candidate in filled):
            number += 1
            candidate = f"Unnamed: {position}.{number}"
        filled.append(candidate)
    return filled


def join_tables(tables: Sequence[Table]) -> Table:
    """Put the rows of several files below each other, columns matched by name.

    Raises
    ------
    TableError
        If the files do not have the same columns, or do not write numbers in the same way.
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    for table in tables[1:]:
        if table.columns.keys() != first.columns.keys():
            alone = [name for name in first.columns if name not in table.columns]
            other = [name for name in table.columns if name not in first.columns]
            raise TableError(
                f"{first.name} and {table.name} have not the same columns: {listed(alone)} in the first alone, "
                f"{listed(other)} in the second alone; rename them, or read the files one by one"
            )
        if {first.decimal, table.decimal} == {".", ","}:
            raise TableError(
                f"{first.name} and {table.name} write fractions in two ways: read them one by one"
            )
    columns = {
        name: _below([table.columns[name] for table in tables], f"{first.name}: column {name}")
        for name in first.columns
    }
    decimals = {table.decimal for table in tables}
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    starts = np.cumsum([0, *(len(table.files) for table in tables)])
    return Table(
        columns,
        tuple(file for table in tables for file in table.files),
        np.concatenate(
            [table.file_of + np.int32(start) for table, start in zip(tables, starts[:-1], strict=True)]
        ),
        np.concatenate([table.rows for table in tables]),
        decimal="," if "," in decimals else None if None in decimals else ".",
        thousands=first.thousands,
        zones=first.zones,
        index=first.index,
        has_names=first.has_names,
        classes_first=first.classes_first,
        notes=notes,
        made=first.made,
    )


def _below(parts: list[NDArray[Any]], where: str) -> NDArray[Any]:
    kinds = {_kind(part) for part in parts}
    if kinds == {"text", "number"}:
        return np.concatenate([to_texts(part) for part in parts])
    if len(kinds) > 1:
        raise TableError(
            f"{where} is {' in one file and '.join(sorted(kinds))} in another: save all in one format"
        )
    return np.concatenate(parts)


def _kind(array: NDArray[Any]) -> str:
    return {"O": "text", "M": "time"}.get(array.dtype.kind, "number")
