"""The user's statements about the columns of a table, checked for contradictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from .errors import TableError, closest, listed
from .time.counted_times import NAMED_FORMATS

Gaps = Literal["error", "missing", "keep"]
Rows = Literal["nodes", "series"]
_LISTS = ("drop", "label", "target", "known", "static", "series", "calendar", "time_parts")
ROLES = (
    *(
        "features",
        "drop",
        "label",
        "target",
        "known",
        "static",
        "series",
        "group",
        "time",
        "time_parts",
        "text",
    ),
)


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """The meanings of a table's columns. A single name may be given as a text, several names as a list.

    Attributes
    ----------
    features : tuple of str, optional
        The columns that nodes consist of, in this order; by default all columns without another meaning.
    drop : tuple of str
        Columns to leave out.
    label : tuple of str
        Columns of labels; by default a column "label", also in capital letters, if the table has it.
    label_of : {"series", "node"}
        Whether a series has one label, or each of its nodes.
    target : tuple of str
        Columns to forecast. They come first among the features.
    known : tuple of str
        Columns that are known for the future too.
    static : tuple of str
        Columns of numbers that are the same for all nodes of a series.
    group : str, optional
        The column that tells which series belong together, such as all recordings of a person.
    series : tuple of str
        The column, or the columns together, that tell series apart.
    time : str, optional
        The column of times, by which the nodes of a series are sorted. If several columns together tell the time, such
        as ["date", "hour"] or ["year", "month", "day"], a list of them; `time` is then the first.
    time_parts : tuple of str
        The other columns of a time that several columns tell.
    time_format : str, optional
        How times are written, such as "%d.%m.%Y %H:%M"; or what their numbers count: "epoch_seconds",
        "epoch_milliseconds", "epoch_microseconds" and "epoch_nanoseconds" since 1970 in UTC, "excel" days since 1900,
        or "number" nothing known.
    time_zone : str, optional
        The time zone of local times, such as "Europe/Berlin". Times without an offset are read in it as instants, and
        the calendar is that of the zone.
    day_first : bool, optional
        Whether 03/04/2025 is in April.
    step : str or number, optional
        The time from one node to the next, such as "1h", "15min", "1 day", "1 business day" or "1 month", or a number
        if times are numbers; by default it is inferred from the times.
    gaps : {"error", "missing", "keep"}, optional
        Whether a step without a row is an error, becomes a node with missing values, or is ignored. By default it is
        an error, except for the default forecaster, which takes missing values.
    missing : tuple of str or number
        Codes for missing values, besides empty cells.
    rows : {"nodes", "series"}, optional
        Whether a row is a node, or a whole series whose nodes are the columns; by default told from the columns.
    calendar : tuple of str
        Features of the calendar to add to the known columns, as `calendar_features` names them.
    text : str, optional
        The column of texts, for texts in place of series.

    Raises
    ------
    TableError
        If an attribute has a value that is not allowed, or a column has two meanings.
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
    time_parts: tuple[str, ...] = ()
    time_format: str | None = None
    time_zone: str | None = None
    day_first: bool | None = None
    step: str | float | None = None
    gaps: Gaps | None = None
    missing: tuple[str | float, ...] = ()
    rows: Rows | None = None
    calendar: tuple[str, ...] = ()
    text: str | None = None

    def __post_init__(self) -> None:
        """Turn single names into tuples, and check everything that can be checked without a table."""
        time: Any = self.time
        if isinstance(time, list | tuple):
            first, *rest = _names("time", time) or (None,)
            object.__setattr__(self, "time", first)
            object.__setattr__(self, "time_parts", tuple(rest))
        for name in _LISTS:
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        if self.features is not None:
            object.__setattr__(self, "features", _names("features", self.features))
        codes = self.missing if isinstance(self.missing, list | tuple) else [self.missing]
        if not all(isinstance(code, str | int | float) and not isinstance(code, bool) for code in codes):
            raise TableError(f"missing must hold texts and numbers, got {self.missing!r}")
        object.__setattr__(self, "missing", tuple(codes))
        for name in ("group", "time", "time_format", "time_zone", "text"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                if (
                    name in ("time_format", "time_zone")
                    or not isinstance(value, int)
                    or isinstance(value, bool)
                ):
                    raise TableError(f"{name} must be one text, got {value!r}")
                object.__setattr__(self, name, str(value))
        if (
            self.time_format is not None
            and "%" not in self.time_format
            and self.time_format not in NAMED_FORMATS
        ):
            raise TableError(
                "time_format must be as strptime takes it, such as '%d.%m.%Y %H:%M', or one of "
                f"{listed(NAMED_FORMATS)}, got {self.time_format!r}{closest(self.time_format, NAMED_FORMATS)}"
            )
        for name, allowed in (
            ("label_of", ("series", "node")),
            ("gaps", (None, "error", "missing", "keep")),
            ("rows", (None, "nodes", "series")),
            ("day_first", (None, True, False)),
        ):
            if getattr(self, name) not in allowed:
                shown = listed(value for value in allowed if value is not None)
                raise TableError(f"{name} must be one of {shown}, got {getattr(self, name)!r}")
        self._check_meanings()

    def _check_meanings(self) -> None:
        meanings: dict[str, str] = {}
        for role in ROLES:
            for column in of_role(self, role):
                other = meanings.setdefault(column, role)
                # A target is always a feature, and a column may tell both series and groups apart.
                if other != role and (other, role) not in (("features", "target"), ("series", "group")):
                    leak = " (the values of a target are not known for the future)" if role == "known" else ""
                    raise TableError(
                        f"column {column} is {other} and {role} at once{leak}: name it as one of them"
                    )
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
            If there is no attribute of an option's name, or its value is not allowed.
        """
        known = [entry.name for entry in fields(cls)]
        for name in options:
            if name not in known:
                raise TableError(
                    f"there is no option {name}{closest(str(name), known)}: expected {', '.join(known)}"
                )
        return cls(**options)


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


def of_role(spec: TableSpec, role: str) -> Sequence[str]:
    """Return the columns that a spec names for a role, however many."""
    value = getattr(spec, role)
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value
