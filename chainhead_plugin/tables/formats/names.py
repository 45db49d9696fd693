"""What the names of files tell: formats, compressions, the order of files, and which of them are tables."""

import bz2
import gzip
import lzma
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".npz": "npz",
    ".npy": "npy",
    ".ts": "ts",
    ".arff": "arff",
}
# Notes and settings beside tables have such names, too.
UNSURE = (".txt", ".json")
COMPRESSIONS: dict[str, Any] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": None,
    ".zstd": None,
    ".zip": None,
}

Name = TypeVar("Name", str, Path)


def tables_among(files: Sequence[Path], unsure: Sequence[str] = UNSURE) -> list[Path]:
    """Return the files of a folder that are tables by their names.

    Parameters
    ----------
    files : sequence of Path
    unsure : sequence of str
        Suffixes of tables with which files are left out if at least as many files have those of other tables.
    """
    return tables_by_suffix({file: endings(file)[0] for file in files}, unsure)


def tables_by_suffix(suffixes: Mapping[Name, str], unsure: Sequence[str]) -> list[Name]:
    """Return the names whose suffixes are those of tables, as `tables_among` does."""
    named = [name for name, suffix in suffixes.items() if suffix in FORMATS]
    sure = [name for name in named if suffixes[name] not in unsure]
    return sure if sure and 2 * len(sure) >= len(named) else named


def endings(path: Path) -> tuple[str, str, str]:
    """Return the suffix that tells the format, the suffix of a compression, and the name without both."""
    compression = path.suffix.lower() if path.suffix.lower() in COMPRESSIONS else ""
    inner = path.with_suffix("") if compression else path
    if compression == ".zip" and not inner.suffix:
        return ".csv", compression, inner.name
    return inner.suffix.lower(), compression, inner.stem


def natural(path: Path) -> list[Any]:
    """Return a key that sorts names by the numbers in them: series2 before series10."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
