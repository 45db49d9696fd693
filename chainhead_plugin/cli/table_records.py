"""The records of files for a model that was trained on a table, whose columns are matched by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .records import Record


def read_table_records(folder: Path, files: Sequence[Path]) -> list[Record] | None:
    """Return the series of files, or None for a model that knows of no table.

    Parameters
    ----------
    folder : Path
        Of the model.
    files : sequence of Path
        "-" for standard input.

    Raises
    ------
    ValueError
        If a table has other columns than the model's, or misses values.
    """
    if not (folder / "table.json").is_file():
        return None
    from ..estimators.table_output import read_columns
    from ..tables.loading import load
    from ..tables.read import source_of
    from ..tables.schema import load_matched

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
