"""Reads the input files of commands as records for a pipeline."""

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
    from ...answering.answers import Answers
    from ...answering.wanted import Record, Wanted
    from ...tables.schema import Schema
    from ...tables.spec import TableSpec

OF_TEXT_FILES = (
    "--format",
    "--header",
    "--separator",
    "--decimal",
    "--thousands",
    "--encoding",
    "--comment",
    "--sheet",
)
# The options for tables that still have an effect if the model knows the names of its columns.
_OF_NAMED = (
    *OF_TEXT_FILES,
    "--axes",
    "--drop",
    "--missing",
    "--time-format",
    "--time-zone",
    "--day-first",
    "--step",
    "--gaps",
)


def check_files(files: Sequence[Path]) -> None:
    """End the command with exit code 2 if a file is missing, or standard input is named twice."""
    missing = [
        str(file)
        for file in files
        if str(file) != "-" and not file.exists() and not glob.glob(str(file), recursive=True)
    ]
    if missing:
        raise wrong(f"there is no file {', '.join(missing)}")
    if [str(file) for file in files].count("-") > 1:
        raise wrong("standard input can be read only once: give a single -")


def wanted_of(pipe: Any, answers: Answers, files_as: FileOptions) -> Wanted:
    """Return the kind of input that a pipeline takes, and how to read files for it.

    Raises
    ------
    ValueError
        If an option has no effect, or has a value that is not allowed.
    """
    from ...answering.wanted import MEDIA, Wanted
    from ...tables.schema import Schema

    stated = getattr(pipe, "schema", None)
    if answers.reads == "text":
        stated = pipe.tokenizer.init_kwargs.get("schema")
    horizon = getattr(pipe, "horizon", None)
    schema = None if stated is None else Schema.from_dict(stated)
    if schema is not None:
        schema = _of_texts(schema, files_as) if answers.reads == "text" else _as_written(schema, files_as)
    given = files_as.given()
    if answers.reads in MEDIA:
        _refuse(given, (), f"on {answers.reads}s")
    elif answers.reads == "text":
        _refuse(given, (*OF_TEXT_FILES, "--columns", "--drop", "--label"), "on texts")
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
        sampling_rate=getattr(pipe.feature_extractor, "sampling_rate", None),
        frames=answers.frames(pipe),
        schema=schema,
        horizon=horizon,
        interpolate_missing=getattr(pipe.feature_extractor, "interpolate_missing", False),
        reading=files_as.reading(feature_size),
        spec=_text_spec(files_as) if answers.reads == "text" else files_as.spec(),
        follows_paths=True,
    )


def _as_written(schema: Schema, files_as: FileOptions) -> Schema:
    """Return a model's schema, changed by the user's options on how this table is written."""
    spec = files_as.spec()
    changes: dict[str, Any] = {
        name: getattr(spec, name)
        for name in ("drop", "missing", "time_format", "time_zone", "day_first", "step")
        if getattr(files_as, name) is not None
    }
    for name in _open_roles(schema, files_as):
        if getattr(files_as, name) is not None:
            changes[name] = getattr(spec, name)
    if "time" in changes:
        changes["time_parts"] = spec.time_parts
    if files_as.gaps is not None:
        changes["gaps"] = spec.gaps
    if "drop" in changes:
        changes["drop"] = (*dict.fromkeys([*schema.drop, *changes["drop"]]),)
    return replace(schema, **changes)


def _open_roles(schema: Schema, files_as: FileOptions) -> list[str]:
    """Return the roles for which the user may name a column: the model has no column, or the same column, for them."""
    spec = files_as.spec()
    return [
        name
        for name in ("label", "series", "time")
        if not getattr(schema, name) or getattr(schema, name) == getattr(spec, name)
    ]


def _of_texts(schema: Schema, files_as: FileOptions) -> Schema:
    """Return the schema of a model of texts, with the columns that the user names in place of its own."""
    spec = _text_spec(files_as)
    return replace(
        schema,
        text=spec.text or schema.text,
        label=spec.label or schema.label,
        drop=(*dict.fromkeys([*schema.drop, *spec.drop]),),
    )


def _text_spec(files_as: FileOptions) -> TableSpec:
    spec = files_as.spec()
    if len(spec.features or ()) > 1:
        raise ValueError(
            f"--columns names {len(spec.features or ())} columns, expected the column of texts alone"
        )
    return replace(spec, features=None, text=spec.features[0] if spec.features else None)


def _refuse(given: Iterable[str], allowed: Iterable[str], where: str) -> None:
    for name in given:
        if name not in allowed:
            raise ValueError(f"{name} has no effect {where}")


def read_files(files: Sequence[Path], wanted: Wanted) -> Iterator[Record]:
    """Read all records of files. If there are several files, each record names its file in the field "file"."""
    from ...answering.records import read_records

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
