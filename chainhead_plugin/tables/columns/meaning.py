"""Find the meaning of every column of a table: stated by the user, or guessed if only one meaning is possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, closest, listed, place
from ..formats.cells import to_texts
from ..formats.table import Table
from ..spec import ROLES, TableSpec, of_role
from ..time.durations import are_durations
from ..time.patterns import looks_like_times
from .guessing import are_whole, guess, is_step_name
from .numbers import is_missing, looks_numeric

_UNNAMED = ("Unnamed: ", "__index_level_")
_INDEX_NAMES = (
    *(
        "index",
        "level_0",
        "rownames",
        "no",
        "no.",
        "nr",
        "nr.",
        "#",
        "idx",
        "row",
        "rowid",
        "row_id",
        "row_number",
    ),
    "instant",
)


@dataclass(frozen=True)
class Columns:
    """The columns of one table, each with its meaning.

    Attributes
    ----------
    spec : TableSpec
        The user's statements and all guesses, so that the next table can be read in the same way.
    features : tuple of str
        The columns of values, the targets first.
    notes : tuple of str
        Sentences for the summary about guesses and about columns that were left out.
    nodes : tuple of str
        Where a row is a whole series, the names of the columns that are its nodes.
    units : dict of str to str
        The units that stand in all cells of a column, by column.
    """

    spec: TableSpec
    features: tuple[str, ...]
    notes: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def numeric(self) -> tuple[str, ...]:
        """The columns of numbers: of values, known for the future, and static."""
        return (*self.features, *self.spec.known, *self.spec.static)


def resolve(table: Table, spec: TableSpec) -> Columns:
    """Give every column of a table its meaning.

    Parameters
    ----------
    table : Table
    spec : TableSpec
        The user's statements. Guessed are a column "label", a column that tells series apart, a column of times, and
        columns that only number the rows, each only if the column can have no other meaning.

    Returns
    -------
    Columns

    Raises
    ------
    TableError
        If a column is missing, or can have several meanings.
    """
    for role in ROLES:
        for column in of_role(spec, role):
            if column not in table.columns:
                raise _no_column(table, column, role)
    if table.classes_first and not any(of_role(spec, role) for role in ROLES) and spec.rows != "nodes":
        classes, *values = (column for column in table.columns if column not in table.made)
        found = replace(spec, label=(classes,), rows="series")
        return Columns(found, tuple(values), ("classes first, as in the UCR archive",))
    notes: list[str] = []
    taken = {column for role in ROLES if role != "features" for column in of_role(spec, role)}
    free = [column for column in table.columns if column not in {*taken, *table.made}]
    free = _without_indices(table, spec, free, notes)
    if spec.text is None:
        stated = spec.time
        spec, free = guess(table, spec, free)
        if (
            spec.time is not None
            and stated is None
            and not spec.time_parts
            and looks_numeric(table.columns[spec.time], table.decimal)
        ):
            notes.append(f"took {spec.time} for the time, as it counts nodes")
        if spec.time is None and spec.rows == "nodes" and spec.features is None and table.has_names:
            notes += [
                f"took {column} for a feature, as it does not count the nodes of each series (else --time {column})"
                for column in free
                if is_step_name(column)
            ]
    spans = [column for column in (spec.time, *free) if column and are_durations(table, column)]
    if spans:
        notes.append(f"{listed(spans)} in seconds")
    if spec.features is not None:
        free = [column for column in spec.features if column not in spec.target]
    for option in ("time_format", "time_zone", "step", "calendar"):
        is_of_names = spec.rows == "series" and option != "calendar"
        if getattr(spec, option) not in (None, ()) and spec.time is None and not is_of_names:
            raise TableError(f"{option} has no effect without a column of times: name it as time (--time)")
    features = (*spec.target, *free)
    if not features and spec.text is None:
        raise TableError(
            f"{table.name} has no column of values: "
            + listed(
                f"{column} is taken as {role.partition('_')[0]}"
                for role in ROLES
                for column in of_role(spec, role)
            )
            + "; name the columns of values as features (--columns)"
        )
    return Columns(spec, features, tuple(notes))


def _no_column(table: Table, column: str, role: str) -> TableError:
    if not table.has_names:
        return TableError(
            f"{table.name} has no column {column} for {role}: its first row holds no names, so its columns are "
            f"{listed(table.columns, 4)}; add a row of names, or if there is one, state header: true (--header)"
        )
    return TableError(
        f"{table.name} has no column {column} for {role}{closest(column, table.columns)}; it has "
        f"{listed(table.columns)}"
    )


def index_columns(table: Table, columns: Sequence[str]) -> list[str]:
    """Return the columns that only number the rows, or that have neither a name nor values."""
    found = []
    for column in columns:
        values = table.columns[column]
        if column.startswith(_UNNAMED):
            if bool(is_missing(values).all()) or are_whole(values):
                found.append(column)
        elif column.lower() in _INDEX_NAMES and _count_rows(values):
            found.append(column)
    return found


def _without_indices(table: Table, spec: TableSpec, free: list[str], notes: list[str]) -> list[str]:
    """Leave out columns that only number the rows, and nameless columns that hold nothing."""
    wanted = {*(spec.features or ()), *table.index}
    if spec.features is not None:
        return free
    indices = index_columns(table, [column for column in free if column not in wanted])
    # A column without values comes from a separator at the end of every row: it is left out without a note.
    numbering = [column for column in indices if not is_missing(table.columns[column]).all()]
    notes += [f"left out {column}, which numbers the rows" for column in numbering]
    kept = [column for column in free if column not in indices]
    for column in kept:
        is_unnamed = column.startswith(_UNNAMED) and column not in wanted
        if is_unnamed and not looks_like_times(table.columns[column]):
            position = list(table.columns).index(column) + 1
            raise TableError(
                f"{table.name}: column {position} has no name: give it one, or leave it out with drop: [{column!r}]"
            )
    return kept


def _count_rows(values: NDArray[Any]) -> bool:
    texts = to_texts(values)
    return set(texts) in ({str(i) for i in range(len(texts))}, {str(i) for i in range(1, len(texts) + 1)})


def check_row(table: Table, column: str, missing: NDArray[np.bool_], role: str) -> None:
    """Check that a column has no empty cell, because every row needs a value in it.

    Parameters
    ----------
    table : Table
    column : str
    missing : bool array [rows]
        Which cells are empty.
    role : str
        Words for the thing that needs the values, for the message.

    Raises
    ------
    TableError
        If a cell is empty; the message names the row.
    """
    if missing.any():
        file, row = table.place(int(missing.argmax()))
        raise TableError(
            f"{place(file, row=row, column=column)} is empty, but {role} needs a value in every row: fill it in, or "
            "delete the row"
        )
