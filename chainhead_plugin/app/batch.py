"""Answers to all records of uploaded files, as a table to download."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..answering.results import rows_of
from ..tables.write import write_rows
from .answer import ask
from .given import from_files

if TYPE_CHECKING:
    from .opened import OpenModel

MOST_RECORDS = 5000


def answer_files(
    model: OpenModel, files: Sequence[str | Path], folder: Path | None = None
) -> tuple[list[dict[str, Any]], Path]:
    """Answer all records of files, and write the answers to a CSV file.

    Parameters
    ----------
    model : OpenModel
    files : sequence of path
    folder : Path, optional
        Where to write; by default a new temporary folder.

    Returns
    -------
    rows : list of dict
        The fields of each record with the best label, or every segment or step.
    file : Path
        The CSV file.

    Raises
    ------
    ValueError
        If there is no file, a file does not hold what the model takes, or there are too many records.
    """
    records = from_files(model, files)
    if len(records) > MOST_RECORDS:
        raise ValueError(
            f"the files hold {len(records):,} records, and at most {MOST_RECORDS:,} are answered here: use chainhead "
            "predict"
        )
    best = 1 if model.answers.result == "predictions" else None
    rows = [
        row
        for record, result in zip(records, ask(model, records), strict=True)
        for row in rows_of(model.answers, record, result[:best] if best else result)
    ]
    if not rows:
        raise ValueError(f"{model.name} finds nothing in these files")
    target = (folder or Path(tempfile.mkdtemp(prefix="chainhead-"))) / "answers.csv"
    write_rows(target, rows)
    return rows, target
