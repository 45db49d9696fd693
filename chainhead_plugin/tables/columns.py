"""What the columns of a table mean: what the user says, what can safely be guessed, and what contradicts itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import TableError, closest, listed, place
from .formats.cells import to_texts
from .formats.table import Table
from .numbers import is_missing, looks_numeric
from .times import looks_like_times

Gaps = Literal["error", "missing", "keep"]
Rows = Literal["nodes", "series"]

_LISTS = ("drop", "label", "target", "known", "static", "series", "calendar")
_ROLES = ("features", "drop", "label", "target", "known", "static", "series", "group", "time", "text")
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
_INDEX_NAMES = ("index", "level_0", "rownames")


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """What the columns of a table mean; names may be given as a text, or as a list where there are several.

    Attributes
    ----------
    features : tuple of str, optional
        The columns that nodes consist of, in this order; by default all that have no other meaning.
    drop : tuple of str
        Columns to leave out.
    label : tuple of str
        Columns of labels; by default a column "label", where there is one.
    label_of : {"series", "node"}
        Whether a series has one label, or each of its nodes.
    target : tuple of str
        Columns to forecast. They come first among the features.
    known : tuple of str
        Columns that are known for the future too.
    static : tuple of str
        Columns of numbers that are the same for all nodes of a series.
    group : str, optional
        The column that tells what belongs together, such as a person's recordings.
    series : tuple of str
        The column, or the columns together, that tell series apart.
    time : str, optional
        The column of times, by which the nodes of a series are sorted.
    time_format : str, optional
        How times are written, such as "%d.%m.%Y %H:%M".
    day_first : bool, optional
        Whether 03/04/2025 is in April.
    step : str or number, optional
        From one node to the next, such as "1h", "15min", "1 day", "1 business day", "1 month", or for times that are
        numbers a number; by default what the times tell.
    gaps : {"error", "missing", "keep"}
        What to do where a step has no row: an error, nodes whose values are missing, or nothing.
    missing : tuple of str or number
        Codes for missing values, besides empty cells.
    rows : {"nodes", "series"}, optional
        Whether a row is a node, or a whole series whose nodes are the columns; by default what columns tell.
    calendar : tuple of str
        Features of the time to add to what is known, as `calendar_features` names them.
    text : str, optional
        The column of texts, for texts in place of series.

    Raises
    ------
    TableError
        If an option is none of these, or a column has two meanings.
    """

    features: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    label_of: Literal["series", "node"] = "series"
    target: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    group: str | None = None
    series: tuple[str, ...] = ()
    time: str | None = None
    time_format: str | None = None
    day_first: bool | None = None
    step: str | float | None = None
    gaps: Gaps = "error"
    missing: tuple[str | float, ...] = ()
    rows: Rows | None = None
    calendar: tuple[str, ...] = ()
    text: str | None = None

    def __post_init__(self) -> None:
        """Take texts for lists of one, and check everything that can be checked without a table."""
        for name in _LISTS:
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        if self.features is not None:
            object.__setattr__(self, "features", _names("features", self.features))
        codes = self.missing if isinstance(self.missing, list | tuple) else [self.missing]
        if not all(isinstance(code, str | int | float) and not isinstance(code, bool) for code in codes):
            raise TableError(f"missing must hold texts and numbers, got {self.missing!r}")
        object.__setattr__(self, "missing", tuple(codes))
        for name in ("group", "time", "time_format", "text"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                if name == "time_format" or not isinstance(value, int) or isinstance(value, bool):
                    raise TableError(f"{name} must be one text, got {value!r}")
                object.__setattr__(self, name, str(value))
        for name, allowed in (
            ("label_of", ("series", "node")),
            ("gaps", ("error", "missing", "keep")),
            ("rows", (None, "nodes", "series")),
            ("day_first", (None, True, False)),
        ):
            if getattr(self, name) not in allowed:
                shown = listed(value for value in allowed if value is not None)
                raise TableError(f"{name} must be one of {shown}, got {getattr(self, name)!r}")
        self._check_meanings()

    def _check_meanings(self) -> None:
        meanings: dict[str, str] = {}
        for role in _ROLES:
            for column in _of_role(self, role):
                other = meanings.setdefault(column, role)
                # A target is among the features in any case, and a group may be what tells series apart.
                if other != role and (other, role) not in (("features", "target"), ("series", "group")):
                    leak = " (what is to be forecast is not known for the future)" if role == "known" else ""
                    raise TableError(
                        f"column {column} is {other} and {role} at once{leak}: name it as one of them"
                    )
        for needed, names in (("time", ("time_format", "step", "calendar")),):
            stated = [name for name in names if getattr(self, name) not in (None, ())]
            if stated and self.time is None:
                raise TableError(f"{stated[0]} has no effect without {needed}: name the column of times")
        if self.rows == "series" and (self.target or self.known or self.time or self.label_of == "node"):
            raise TableError(
                "where a row is a whole series there is no target, known, time or label of a node"
            )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "TableSpec":
        """Return the spec that a mapping of options states, such as a recipe's.

        Raises
        ------
        TableError
            If an option has another name than the attributes.
        """
        known = [entry.name for entry in fields(cls)]
        for name in options:
            if name not in known:
                raise TableError(
                    f"there is no option {name}{closest(str(name), known)}: expected {', '.join(known)}"
                )
        return cls(**options)


@dataclass(frozen=True)
class Columns:
    """The columns of one table, each with its meaning.

    Attributes
    ----------
    spec : TableSpec
        With everything in it that was guessed, so that the next table can be read in the same way.
    features : tuple of str
        The targets first.
    notes : tuple of str
        What was guessed or left out.
    """

    spec: TableSpec
    features: tuple[str, ...]
    notes: tuple[str, ...] = ()


def _names(role: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str | int) and not isinstance(value, bool) else value
    if names is None:
        names = []
    if not isinstance(names, list | tuple) or not all(
        isinstance(name, str | int) and not isinstance(name, bool) for name in names
    ):
        raise TableError(f"{role} must be the name of a column, or a list of names, got {value!r}")
    texts = tuple(str(name) for name in names)
    if len(set(texts)) < len(texts):
        raise TableError(f"{role} names a column twice: {listed(texts)}")
    return texts


def _of_role(spec: TableSpec, role: str) -> Sequence[str]:
    value = getattr(spec, role)
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def resolve(table: Table, spec: TableSpec) -> Columns:
    """Give every column of a table its meaning.

    Parameters
    ----------
    table : Table
    spec : TableSpec
        What the user says. Guessed are a column "label", one that tells series apart, one of times, and columns that
        are nothing but row numbers; each only where it can be nothing else.

    Raises
    ------
    TableError
        If a column is missing, or can be several things.
    """
    for role in _ROLES:
        for column in _of_role(spec, role):
            if column not in table.columns:
                raise TableError(
                    f"{table.name} has no column {column} for {role}{closest(column, table.columns)}; it has "
                    f"{listed(table.columns)}"
                )
    if table.classes_first and spec == TableSpec(
        label_of=spec.label_of, missing=spec.missing, rows=spec.rows
    ):
        classes, *values = table.columns
        found = replace(spec, label=(classes,), rows="series")
        return Columns(found, tuple(values), ("classes first, as in the UCR archive",))
    notes: list[str] = []
    taken = {column for role in _ROLES if role != "features" for column in _of_role(spec, role)}
    free = [column for column in table.columns if column not in taken]
    if spec.features is not None:
        free = [column for column in free if column in spec.features]
    free = _without_indices(table, spec, free, notes)
    if spec.text is None:
        spec, free = _guessed(table, spec, free, notes)
    if spec.features is not None:
        free = [column for column in spec.features if column not in spec.target]
    features = (*spec.target, *free)
    if not features and spec.text is None:
        raise TableError(
            f"{table.name} has no column of values: all of {listed(table.columns)} have another meaning"
        )
    return Columns(spec, features, tuple(notes))


def _without_indices(table: Table, spec: TableSpec, free: list[str], notes: list[str]) -> list[str]:
    """Leave out columns that only number the rows, and such without a name that hold nothing."""
    kept = []
    for column in free:
        wanted = spec.features is not None and column in spec.features
        is_unnamed = column.startswith(("Unnamed: ", "__index_level_"))
        if wanted or column in table.index or not (is_unnamed or column.lower() in _INDEX_NAMES):
            kept.append(column)
            continue
        values = table.columns[column]
        if is_unnamed and bool(is_missing(values).all()):
            continue  # a separator at the end of every row
        if is_unnamed and _are_whole(values):
            notes.append(f"left out {column}, an index")
        elif not is_unnamed and _count_rows(values):
            notes.append(f"left out {column}, which numbers the rows")
        else:
            if is_unnamed and not looks_like_times(values, spec.day_first):
                position = list(table.columns).index(column) + 1
                raise TableError(
                    f"{table.name}: column {position} has no name: give it one, or leave it out with drop: [{column!r}]"
                )
            kept.append(column)
    return kept


def _are_whole(values: NDArray[Any]) -> bool:
    return all(text.strip().lstrip("-").isdigit() for text in to_texts(values))


def _count_rows(values: NDArray[Any]) -> bool:
    texts = to_texts(values)
    return set(texts) in ({str(i) for i in range(len(texts))}, {str(i) for i in range(1, len(texts) + 1)})


def _guessed(table: Table, spec: TableSpec, free: list[str], notes: list[str]) -> tuple[TableSpec, list[str]]:
    if table.index:
        spec, free = _from_index(table, spec, free)
    if not spec.label and "label" in free and not (spec.features and "label" in spec.features):
        spec = replace(spec, label=("label",))
        free.remove("label")
    if table.has_names and spec.features is None:
        if not spec.series and spec.rows != "series":
            spec, free = _with_series(table, spec, free)
        if spec.time is None and spec.rows != "series":
            spec, free = _with_time(table, spec, free)
    if spec.rows is None:
        is_wide = not spec.series and not spec.target and spec.time is None and spec.label_of == "series"
        spec = replace(spec, rows="series" if is_wide and bool(spec.label) else "nodes")
    return spec, free


def _from_index(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Take the index of a DataFrame for what it is: outer levels are series, the last one is time."""
    levels = [name for name in table.index if name in free]
    if levels != list(table.index):
        return spec, free
    *outer, last = levels
    if spec.time is None and not spec.series and _tells_apart(table, outer, last):
        spec = replace(spec, series=tuple(outer), time=last)
    elif not spec.series and outer:
        spec = replace(spec, series=tuple(levels))
    elif spec.time is None:
        spec = replace(spec, time=last)
    return spec, [name for name in free if name not in {*spec.series, spec.time}]


def _tells_apart(table: Table, outer: list[str], last: str) -> bool:
    """Whether the last level of an index has every value once in a series, and is a number or a time."""
    values = table.columns[last]
    if values.dtype.kind == "O" and not looks_numeric(values, "."):
        return False
    keys = list(zip(*(to_texts(table.columns[name]) for name in [*outer, last]), strict=True))
    return len(set(keys)) == len(keys) or values.dtype.kind == "M"


def _with_series(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Guess which column tells series apart."""
    found = [column for column in free if column.lower() in _SERIES_NAMES and _may_be_series(table, column)]
    ids = [column for column in found if column.lower() == "id"]
    if len(found) > 1 and not ids:
        raise TableError(
            f"{table.name}: {' and '.join(found)} may each tell series apart: name what does, as series: [{found[0]}], "
            "and drop what has no meaning"
        )
    if not found:
        return spec, free
    column = (ids or found)[0]
    distinct = len(set(to_texts(table.columns[column])))
    if distinct == len(table) > 1 and spec.rows is None and not spec.target and spec.time is None:
        # Every row has an id of its own, so a row is a series.
        spec = replace(spec, rows="series")
    spec = replace(spec, series=(column,))
    return spec, [name for name in free if name != column]


def _may_be_series(table: Table, column: str) -> bool:
    """Whether a column can be nothing but what tells series apart: texts, or whole numbers that stand in runs."""
    values = table.columns[column]
    if values.dtype.kind in "Mb":
        return False
    if column.lower() == "id":
        return True
    if is_missing(values).any():
        return False
    if not looks_numeric(values, table.decimal):
        return True
    texts = to_texts(values)
    if not _are_whole(values) or len(texts) < 2:
        return False
    runs = 1 + int(np.count_nonzero(texts[1:] != texts[:-1]))
    distinct = len(set(texts))
    return 1 < distinct == runs < len(texts)


def _with_time(table: Table, spec: TableSpec, free: list[str]) -> tuple[TableSpec, list[str]]:
    """Take the only column of dates for the time; it can be nothing else."""
    found = [column for column in free if looks_like_times(table.columns[column], spec.day_first)]
    if len(found) > 1:
        raise TableError(
            f"{table.name}: {' and '.join(found)} are times: name the one that nodes are sorted by as time, and drop "
            "the other"
        )
    if not found or spec.rows == "series":
        return spec, free
    return replace(spec, time=found[0]), [name for name in free if name != found[0]]


def check_row(table: Table, column: str, missing: NDArray[np.bool_], role: str) -> None:
    """Check that a column that tells what a row belongs to has no empty cell.

    Raises
    ------
    TableError
        If it has; names the row.
    """
    if missing.any():
        file, row = table.place(int(missing.argmax()))
        raise TableError(
            f"{place(file, row=row, column=column)} is empty, but {role} needs a value in every row: fill it in, or "
            "delete the row"
        )
