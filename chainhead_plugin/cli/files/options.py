"""The options on how files are written and what their columns mean, shared by all commands that read files."""

from __future__ import annotations

import csv
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from .choices import Axes, FileFormat, Gaps, Rows

if TYPE_CHECKING:
    from ...tables.read import Reading
    from ...tables.spec import TableSpec

_PANEL = "Files and their columns"
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " ", "\\t": "\t"}
_DECIMALS = {"comma": ",", "point": "."}
_THOUSANDS = {"comma": ",", "point": ".", "apostrophe": "'", "space": " "}


def _option(*names: str, told: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=told, rich_help_panel=_PANEL, metavar=metavar)


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """The user's options on the files of a command; an option that was not given is None."""

    file_format: Annotated[
        FileFormat | None,
        _option(
            "--format",
            told="Format of the files, by default told by their names: csv, json, jsonl, parquet, feather, excel, npy, "
            "npz, ts, arff, lines (a text a line) or document (one text).",
            metavar="FORMAT",
        ),
    ] = None
    header: Annotated[
        bool | None,
        _option("--header/--no-header", told="Whether the first row of a table names its columns."),
    ] = None
    separator: Annotated[
        str | None,
        _option(
            "--separator",
            "--delimiter",
            told="Sign between columns of a text file: comma, semicolon, tab, bar or space; by default found in it.",
        ),
    ] = None
    decimal: Annotated[
        str | None,
        _option(
            "--decimal", told="Decimal sign of a text file: point or comma; by default found in the file."
        ),
    ] = None
    thousands: Annotated[
        str | None,
        _option("--thousands", told="Of a text file: comma, point, apostrophe or space, between thousands."),
    ] = None
    encoding: Annotated[
        str | None,
        _option(
            "--encoding",
            told="Encoding of a text file, such as utf-16 or cp1252; by default found in the file.",
        ),
    ] = None
    comment: Annotated[
        str | None,
        _option("--comment", told="Text with which comments begin in a text file; such lines are left out."),
    ] = None
    sheet: Annotated[
        str | None,
        _option("--sheet", told="Sheet of a workbook; by default the only sheet that holds anything."),
    ] = None
    axes: Annotated[
        Axes | None,
        _option(
            "--axes",
            told="Axes of arrays with three: nodes_first or channels_first; by default told by the shapes.",
            metavar="ORDER",
        ),
    ] = None
    columns: Annotated[
        str | None,
        _option(
            "--columns",
            "--features",
            told="Columns to take as features, or as the text, in this order: a,b,c.",
        ),
    ] = None
    drop: Annotated[str | None, _option("--drop", told="Columns to leave out: a,b,c.")] = None
    label: Annotated[
        str | None,
        _option("--label", told="Column of labels; by default the column named label."),
    ] = None
    series: Annotated[str | None, _option("--series", told="Columns that tell series apart: a,b.")] = None
    group: Annotated[
        str | None,
        _option("--group", told="Column that tells which series belong together, such as those of a person."),
    ] = None
    known: Annotated[
        str | None,
        _option("--known", told="For forecasts: columns that are known for the future too, a,b."),
    ] = None
    static: Annotated[
        str | None,
        _option("--static", told="Columns of numbers that are the same in all rows of a series: a,b."),
    ] = None
    calendar: Annotated[
        str | None,
        _option("--calendar", told="For forecasts: features made of the time, such as hour,weekday."),
    ] = None
    rows: Annotated[
        Rows | None,
        _option(
            "--rows",
            told="What a row holds: nodes (one node) or series (a whole series); by default told by the columns.",
            metavar="WHAT",
        ),
    ] = None
    missing: Annotated[
        str | None,
        _option("--missing", told="Cells that stand for missing values, besides empty cells: NA,-200."),
    ] = None
    time: Annotated[
        str | None,
        _option(
            "--time",
            told="Column of times, or of steps, by which rows are sorted; several that tell the time together: "
            "date,hour or year,month,day.",
        ),
    ] = None
    time_format: Annotated[
        str | None,
        _option(
            "--time-format",
            told='How times are written, such as "%d.%m.%Y %H:%M", or what they count: epoch_seconds, '
            "epoch_milliseconds, excel (days) or number.",
        ),
    ] = None
    time_zone: Annotated[
        str | None,
        _option("--time-zone", told="Time zone of local times without offset, such as Europe/Berlin."),
    ] = None
    day_first: Annotated[
        bool | None,
        _option("--day-first/--month-first", told="How to read dates such as 03/04/2025."),
    ] = None
    step: Annotated[
        str | None,
        _option(
            "--step", told="Time from row to row, such as 15min or 1 day; by default found in the times."
        ),
    ] = None
    gaps: Annotated[
        Gaps | None,
        _option(
            "--gaps",
            told="If rows are missing in time: error, missing (their values are missing) or keep (rows as they are). "
            "By default error, for forecasts of a table missing.",
            metavar="WHAT",
        ),
    ] = None

    def given(self) -> dict[str, object]:
        """Return the options that were given, by their names on the command line."""
        values = {_option_name(entry.name): getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def reading(self, feature_size: int | None = None) -> Reading:
        """Return the options on how to read files.

        Raises
        ------
        TableError
            If an option has a value that is not allowed.
        """
        from ...tables.formats.text.dialect import Dialect
        from ...tables.read import Reading

        return Reading(
            format=None if self.file_format is None else self.file_format.value,
            dialect=Dialect(
                header=self.header,
                separator=_SEPARATORS.get(self.separator or "", self.separator),
                decimal=_DECIMALS.get(self.decimal or "", self.decimal),
                thousands=_THOUSANDS.get(self.thousands or "", self.thousands),
                encoding=self.encoding,
                comment=self.comment,
            ),
            sheet=self.sheet,
            axes=None if self.axes is None else self.axes.value,
            feature_size=feature_size,
        )

    def spec(self) -> TableSpec:
        """Return the options on the meaning of columns.

        Raises
        ------
        TableError
            If a column has two meanings.
        """
        from ...tables.spec import TableSpec

        time, *time_parts = listed_names(self.time) or (None,)
        return TableSpec(
            features=listed_names(self.columns) or None,
            drop=listed_names(self.drop),
            label=listed_names(self.label),
            known=listed_names(self.known),
            static=listed_names(self.static),
            series=listed_names(self.series),
            group=self.group,
            time=time,
            time_parts=tuple(time_parts),
            time_format=self.time_format,
            time_zone=self.time_zone,
            day_first=self.day_first,
            step=self.step,
            gaps=None if self.gaps is None else self.gaps.value,
            missing=listed_names(self.missing),
            rows=None if self.rows is None else self.rows.value,
            calendar=listed_names(self.calendar),
        )


# The value for a command that is called without any of these options.
UNSAID = FileOptions()


def listed_names(names: str | None) -> tuple[str, ...]:
    """Return the names in an option's value. They are separated by commas; a name with a comma is in quotes."""
    if names is None:
        return ()
    return tuple(name.strip() for name in next(csv.reader([names], skipinitialspace=True), [""]))


def takes_file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options on files to a command, which gets them as one argument `files_as` of type `FileOptions`."""
    own = inspect.signature(command, eval_str=False)
    hints = get_type_hints(command, include_extras=True)
    kept = [
        parameter.replace(annotation=hints[name])
        for name, parameter in own.parameters.items()
        if name != "files_as"
    ]
    added = [
        inspect.Parameter(
            entry.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=entry.default,
            annotation=_HINTS[entry.name],
        )
        for entry in fields(FileOptions)
    ]

    @functools.wraps(command)
    def run(**given: Any) -> Any:
        said = {entry.name: given.pop(entry.name) for entry in fields(FileOptions)}
        return command(**given, files_as=FileOptions(**said))

    run.__signature__ = inspect.Signature([*kept, *added])  # type: ignore[attr-defined]  # Read by typer.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*kept, *added]}
    return run


_HINTS = get_type_hints(FileOptions, include_extras=True)


def _option_name(field: str) -> str:
    """Return the name on the command line of an option's field."""
    information = get_args(_HINTS[field])[1]
    # Outside of Annotated, the first argument of typer.Option is the default. Within it, this is the option's name.
    return str(information.default).partition("/")[0]
