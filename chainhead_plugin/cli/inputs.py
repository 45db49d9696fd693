"""The files that commands read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from .records import Record


TEXT = ("text-classification", "token-classification")


class FileFormat(str, Enum):
    """How to read an input, whatever its name says."""

    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"
    npy = "npy"
    lines = "lines"
    document = "document"


FORMAT_HELP = "How to read the input; by default its name tells. lines: a text a line; document: one text."


COLUMNS_HELP = "Columns of a table to take as features, or as the text: a,b,c."


def check_files(files: Sequence[Path]) -> None:
    """End with 2 where a file is missing, or standard input is to be read twice."""
    folders = [str(file) for file in files if str(file) != "-" and file.is_dir()]
    if folders:
        raise typer.BadParameter(f"expected files, got a folder: {', '.join(folders)}: give the files in it")
    missing = [str(file) for file in files if str(file) != "-" and not file.exists()]
    if missing:
        raise typer.BadParameter(f"there is no file {', '.join(missing)}")
    if [str(file) for file in files].count("-") > 1:
        raise typer.BadParameter("standard input can be read once only: give one -")


def read_files(
    pipe: Any,
    task: str,
    files: Sequence[Path],
    file_format: FileFormat | None,
    columns: str | None,
    folder: Path | None = None,
) -> list[Record]:
    """Read all records of files; where there are several files, each record has its own in the field "file".

    With the folder of a model that was trained on a table, columns are matched with that table's by name.
    """
    from .records import read_records

    if folder is not None and file_format is None and columns is None:
        found = _read_for_table(folder, files)
        if found is not None:
            return found
    records = []
    for file in files:
        is_stdin = str(file) == "-"
        if is_stdin and sys.stdin is None:
            raise ValueError("standard input is closed: give a file")
        found = read_records(
            sys.stdin.buffer.read() if is_stdin else file.read_bytes(),
            str(file),
            "text" if task in TEXT else "image" if task == "image-classification" else "sequence",
            file_format=None if file_format is None else file_format.value,
            columns=[] if columns is None else [column.strip() for column in columns.split(",")],
            feature_size=getattr(pipe, "feature_size", 1),
        )
        if len(files) > 1:
            found = [record._replace(fields={"file": str(file)} | record.fields) for record in found]
        records += found
    return records


def _read_for_table(folder: Path, files: Sequence[Path]) -> list[Record] | None:
    """Return the series of files for a model that was trained on a table, or None for all other models."""
    if not (folder / "table.json").is_file():
        return None
    import numpy as np

    from ..estimators.table_output import read_columns
    from ..tables.loading import load
    from ..tables.read import source_of
    from ..tables.schema import load_matched
    from .records import Record

    _, schema = read_columns(folder)
    records = []
    for file in files:
        is_stdin = str(file) == "-"
        data = source_of(sys.stdin.buffer.read(), "-") if is_stdin else str(file)
        found = load(data) if schema is None else load_matched(data, schema)
        for series in found:
            if np.isnan(series.values).any():
                raise ValueError(
                    f"{series.place} misses values, which this model cannot take: fill them in first"
                )
            fields = {"file": str(file)} if len(files) > 1 else {}
            records.append(Record(series.values, fields | ({"id": series.id} if series.id else {})))
    return records
