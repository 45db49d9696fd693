"""The files that commands read, for what a pipeline takes."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..screen import wrong
from .options import FileOptions

if TYPE_CHECKING:
    from ...tables.schema import Schema
    from ...tables.spec import TableSpec
    from ..answers import Answers
    from .records import Record, Wanted

_OF_TEXT_FILES = ("--format", "--header", "--separator", "--decimal", "--encoding", "--comment", "--sheet")
# What a later table may be written like, though the model knows the names of its columns.
_OF_NAMED = (
    *_OF_TEXT_FILES,
    "--axes",
    "--drop",
    "--missing",
    "--time-format",
    "--day-first",
    "--step",
    "--gaps",
)


def check_files(files: Sequence[Path]) -> None:
    """End with 2 where a file is missing, or standard input is to be read twice."""
    missing = [
        str(file)
        for file in files
        if str(file) != "-" and not file.exists() and not glob.glob(str(file), recursive=True)
    ]
    if missing:
        raise wrong(f"there is no file {', '.join(missing)}")
    if [str(file) for file in files].count("-") > 1:
        raise wrong("standard input can be read once only: give one -")


def wanted_of(pipe: Any, answers: Answers, files_as: FileOptions) -> Wanted:
    """Return what a pipeline takes, and how files are to be read for it.

    Raises
    ------
    ValueError
        If an option has no effect, or not this value.
    """
    from ...tables.schema import Schema
    from .records import Wanted

    stated = getattr(pipe, "schema", None)
    horizon = getattr(pipe, "horizon", None)
    schema = None if stated is None else _as_written(Schema.from_dict(stated), files_as)
    given = files_as.given()
    if answers.reads == "image":
        _refuse(given, (), "on images")
    elif answers.reads == "text":
        _refuse(given, (*_OF_TEXT_FILES, "--columns", "--drop", "--label"), "on texts")
    elif schema is not None:
        _refuse(
            given,
            (*_OF_NAMED, *(f"--{name}" for name in _open_roles(schema, files_as))),
            "on a model that knows the names of its columns: rename those of the file, or leave columns out with "
            "--drop",
        )
    feature_size = getattr(pipe, "feature_size", 1)
    return Wanted(
        kind=answers.reads,
        feature_size=feature_size,
        schema=schema,
        horizon=horizon,
        reading=files_as.reading(feature_size),
        spec=_text_spec(files_as) if answers.reads == "text" else files_as.spec(),
    )


def _as_written(schema: Schema, files_as: FileOptions) -> Schema:
    """Return a model's names with what the user says about how this table is written."""
    spec = files_as.spec()
    changes: dict[str, Any] = {
        name: getattr(spec, name)
        for name in ("drop", "missing", "time_format", "day_first", "step")
        if getattr(files_as, name) is not None
    }
    for name in _open_roles(schema, files_as):
        if getattr(files_as, name) is not None:
            changes[name] = getattr(spec, name)
    if files_as.gaps is not None:
        changes["gaps"] = spec.gaps
    if "drop" in changes:
        changes["drop"] = (*schema.drop, *changes["drop"])
    return replace(schema, **changes)


def _open_roles(schema: Schema, files_as: FileOptions) -> list[str]:
    """Return the roles that the user may name a column for: the model knows none for them, or that very one."""
    spec = files_as.spec()
    return [
        name
        for name in ("label", "series", "time")
        if not getattr(schema, name) or getattr(schema, name) == getattr(spec, name)
    ]


def _text_spec(files_as: FileOptions) -> TableSpec:
    spec = files_as.spec()
    if len(spec.features or ()) > 1:
        raise ValueError(
            f"--columns names {len(spec.features or ())} columns, expected that of the texts alone"
        )
    return replace(spec, features=None, text=spec.features[0] if spec.features else None)


def _refuse(given: Iterable[str], allowed: Iterable[str], where: str) -> None:
    for name in given:
        if name not in allowed:
            raise ValueError(f"{name} has no effect {where}")


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
