"""The names of a training table's columns, which are saved with a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .errors import TableError, listed
from .series import SeriesSet
from .spec import Gaps, TableSpec

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The names and meanings of the training table's columns, saved with a model as JSON.

    Attributes without a description are those of `TableSpec`, with all guesses.

    Attributes
    ----------
    features : tuple of str
        In the order in which the model takes them, the targets first; empty if a row is a whole series or a text.
    target, known, static, label, series, drop, calendar, time_parts : tuple of str
    group, time, time_format, time_zone, step, text : str, optional
    day_first : bool, optional
    gaps : {"error", "missing", "keep"}
    missing : tuple of str or number
    rows : {"nodes", "series"}
    nodes : tuple of str
        The names of the columns that are nodes, if a row is a whole series.
    label_of : {"series", "node"}
    units : dict of str to str
        The unit in which all numbers of a column are written, such as "€", by column.
    """

    features: tuple[str, ...]
    target: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    time_parts: tuple[str, ...] = ()
    time_format: str | None = None
    time_zone: str | None = None
    day_first: bool | None = None
    step: str | None = None
    gaps: Gaps = "error"
    missing: tuple[str | float, ...] = ()
    rows: str = "nodes"
    nodes: tuple[str, ...] = ()
    label_of: str = "series"
    text: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as a mapping for JSON, with its version; empty attributes are left out."""
        values = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return {
            "version": VERSION,
            **{name: value for name, value in values.items() if value not in (None, [], {})},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Schema":
        """Return the schema of a mapping that `to_dict` has returned.

        Raises
        ------
        TableError
            If the mapping is of a later version, or is no schema.
        """
        if not isinstance(values, Mapping) or not isinstance(values.get("version"), int):
            raise TableError(
                f"expected the schema of a table, a mapping with its version, got {values!r:.60}"
            )
        if values["version"] > VERSION:
            raise TableError(
                f"the schema of the table has version {values['version']}, this chainhead reads up to {VERSION}"
            )
        known = {entry.name for entry in fields(cls)}
        stated = {name: value for name, value in values.items() if name != "version"}
        if unknown := sorted(stated.keys() - known):
            raise TableError(
                f"the schema of a table has no {unknown[0]}: expected {listed(sorted(known), 20)}"
            )
        if "features" not in stated and "text" not in stated and stated.get("rows") != "series":
            raise TableError("the schema of a table needs features, or the column of texts")
        lists: dict[str, Any] = {"features": ()} | {
            name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()
        }
        TableSpec(
            **{
                name: value
                for name, value in lists.items()
                if name not in ("features", "nodes", "time_format", "step", "units")
            }
        )
        return cls(**lists)


def schema_of(found: SeriesSet) -> Schema | None:
    """Return the schema of loaded series; None if their features have no names."""
    if not found.has_names:
        return None
    spec = found.columns.spec
    return Schema(
        features=() if spec.rows == "series" else found.features,
        target=spec.target,
        known=spec.known,
        static=spec.static,
        label=spec.label,
        series=spec.series,
        drop=spec.drop,
        calendar=spec.calendar,
        group=spec.group,
        time=spec.time,
        time_parts=spec.time_parts,
        time_format=_time_format(found),
        time_zone=spec.time_zone,
        day_first=_day_first(found),
        step=None if found.step is None else str(found.step),
        gaps=spec.gaps or "error",
        missing=spec.missing,
        rows=spec.rows or "nodes",
        nodes=found.columns.nodes,
        label_of=spec.label_of,
        units=found.columns.units,
    )


def _time_format(found: SeriesSet) -> str | None:
    """Return the format of times, if it is stated or a shorter table may leave it open."""
    stated, clock = found.columns.spec.time_format, found.clock
    if stated is None and clock is not None and clock.kind == "counted":
        return clock.format
    if stated is not None or clock is None or not clock.format.startswith("%y"):
        return stated
    return None if clock.digits or clock.offset else clock.format


def _day_first(found: SeriesSet) -> bool | None:
    """Return whether days stand before months in the training table, as a shorter table may leave that open."""
    stated = found.columns.spec.day_first
    if stated is not None or found.clock is None or found.columns.spec.time_format is not None:
        return stated
    return found.clock.day_first
