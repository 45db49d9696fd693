"""The files that commands read, and the options that say how."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .records import Record, Wanted

TEXT = ("text-classification", "token-classification")
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "\\t": "\t"}


class FileFormat(str, Enum):
    """How to read an input, whatever its name says."""

    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"
    feather = "feather"
    excel = "excel"
    npy = "npy"
    npz = "npz"
    ts = "ts"
    arff = "arff"
    lines = "lines"
    document = "document"


class Gaps(str, Enum):
    """What to do where times lack a row."""

    error = "error"
    missing = "missing"
    keep = "keep"


FormatOption = Annotated[
    FileFormat | None,
    typer.Option(
        "--format",
        help="How to read the input; by default its name tells. lines: a text a line; document: one text.",
    ),
]
ColumnsOption = Annotated[
    str | None, typer.Option(help="Columns of a table to take as features, or as the text: a,b,c.")
]
SeriesOption = Annotated[str | None, typer.Option(help="Columns that tell series apart: a,b.")]
TimeOption = Annotated[str | None, typer.Option(help="Column of times, by which rows are sorted.")]
DayFirstOption = Annotated[
    bool | None, typer.Option("--day-first/--month-first", help="How to read dates such as 03/04/2025.")
]
GapsOption = Annotated[
    Gaps | None,
    typer.Option(help="Where times lack a row: an error (default), missing values, or rows as they are."),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether a text file's first row names its columns."),
]
SeparatorOption = Annotated[
    str | None, typer.Option(help="Of a text file: comma, semicolon, tab or space; by default it tells.")
]
EncodingOption = Annotated[
    str | None, typer.Option(help="Of a text file, such as utf-16 or cp1252; by default it tells.")
]


def check_files(files: Sequence[Path]) -> None:
    """End with 2 where a file is missing, or standard input is to be read twice."""
    missing = [
        str(file)
        for file in files
        if str(file) != "-" and not file.exists() and not glob.glob(str(file), recursive=True)
    ]
    if missing:
        raise typer.BadParameter(f"there is no file {', '.join(missing)}")
    if [str(file) for file in files].count("-") > 1:
        raise typer.BadParameter("standard input can be read once only: give one -")


def wanted_of(
    pipe: Any,
    task: str,
    *,
    file_format: FileFormat | None = None,
    header: bool | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    columns: str | None = None,
    series: str | None = None,
    time: str | None = None,
    day_first: bool | None = None,
    gaps: Gaps | None = None,
) -> Wanted:
    """Return what a pipeline takes, and how files are to be read for it.

    Raises
    ------
    ValueError
        If an option has no effect, or not this value.
    """
    from ..tables.formats.dialect import Dialect
    from ..tables.read import Reading
    from ..tables.schema import Schema
    from ..tables.spec import TableSpec
    from .records import Wanted

    kind = "text" if task in TEXT else "image" if task == "image-classification" else "sequence"
    of_series: dict[str, object] = {
        "--series": series,
        "--time": time,
        "--day-first": day_first,
        "--gaps": gaps,
    }
    of_tables: dict[str, object] = {
        "--columns": columns,
        "--header": header,
        "--separator": separator,
        "--encoding": encoding,
    }
    schema = getattr(pipe, "schema", None)
    if kind == "image":
        _refuse({"--format": file_format} | of_tables | of_series, "on images")
    elif kind == "text":
        _refuse(of_series, "on texts")
    elif schema is not None:
        _refuse({"--columns": columns} | of_series, "on a model that knows the names of its columns")
    feature_size = getattr(pipe, "feature_size", 1)
    names = _listed(columns)
    if kind == "text":
        if len(names) > 1:
            raise ValueError(f"--columns names {len(names)} columns, expected that of the texts alone")
        spec = TableSpec(text=names[0] if names else None)
    else:
        spec = TableSpec(
            features=tuple(names) or None,
            series=tuple(_listed(series)),
            time=time,
            day_first=day_first,
            gaps="error" if gaps is None else gaps.value,
        )
    return Wanted(
        kind=kind,  # type: ignore[arg-type]
        feature_size=feature_size,
        schema=None if schema is None else Schema.from_dict(schema),
        horizon=getattr(pipe, "horizon", None),
        reading=Reading(
            format=None if file_format is None else file_format.value,
            dialect=Dialect(
                header=header,
                separator=None if separator is None else _SEPARATORS.get(separator, separator),
                encoding=encoding,
            ),
            feature_size=feature_size,
        ),
        spec=spec,
    )


def _refuse(options: Mapping[str, object], where: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{name} has no effect {where}")


def _listed(names: str | None) -> list[str]:
    return [] if names is None else [name.strip() for name in names.split(",")]


def read_files(files: Sequence[Path], wanted: Wanted) -> Iterator[Record]:
    """Read all records of files; where there are several files, each record has its own in the field "file"."""
    from .records import read_records

    for file in files:
        content = None
        if str(file) == "-":
            if sys.stdin is None:
                raise ValueError("standard input is closed: give a file")
            content = sys.stdin.buffer.read()
        for record in read_records(file, wanted, content):
            if len(files) == 1:
                yield record
            else:
                name = f"{file} {record.name}".rstrip()
                yield record._replace(fields={"file": str(file)} | record.fields, name=name)
