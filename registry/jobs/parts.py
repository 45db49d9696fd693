"""The files of a job's output: parts, each written whole, in a folder or under an address that fsspec knows."""

from __future__ import annotations

import base64
import datetime
import io
import json
import math
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .rows import ERROR
from .work import Format

_PART = re.compile(r"part-\d{5,}-\d{6,}\.(parquet|jsonl)")
_UNFINISHED = "_unfinished-"


def part_name(source: int, number: int, kind: Format) -> str:
    """Return the name of a part; names are in the order of the rows."""
    return f"part-{source:05d}-{number:06d}.{kind}"


def is_part(name: str) -> bool:
    """Whether a file's name is that of a part."""
    return _PART.fullmatch(name) is not None


@dataclass(frozen=True)
class Store:
    """The folder of a job's output.

    Attributes
    ----------
    address : str
        A folder's absolute path, or an address such as ``"s3://bucket/answers"``.
    """

    address: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        files, path = url_to_fs(self.address)
        return files, path.rstrip("/")

    def create(self) -> None:
        """Make the folder, if it is not there."""
        files, path = self._place
        files.makedirs(path, exist_ok=True)

    def names(self) -> set[str]:
        """Return the names of all files in the folder; none if it is not there."""
        files, path = self._place
        files.invalidate_cache()
        if not files.exists(path):
            return set()
        return {found["name"].rstrip("/").rpartition("/")[2] for found in files.ls(path, detail=True)}

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        files, path = self._place
        content: bytes = files.cat_file(f"{path}/{name}")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole: it appears under its name when it is complete, in place of a file of that name."""
        files, path = self._place
        unfinished = f"{path}/{_UNFINISHED}{uuid.uuid4().hex}"
        if _is_local(files):
            with open(unfinished, "xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(unfinished, f"{path}/{name}")
            return
        files.pipe_file(unfinished, content)
        files.mv(unfinished, f"{path}/{name}")

    def remove(self, names: set[str]) -> None:
        """Remove files."""
        files, path = self._place
        for name in sorted(names):
            files.rm_file(f"{path}/{name}")

    def tidy(self) -> None:
        """Remove the files of writers that were killed."""
        self.remove({name for name in self.names() if name.startswith(_UNFINISHED)})

    def foreign(self) -> list[str]:
        """Return the names of files that no job writes, sorted."""
        return sorted(name for name in self.names() if not is_part(name) and not name.startswith("_"))


def _is_local(files: Any) -> bool:
    protocols = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    return "file" in protocols


def encoded(rows: list[dict[str, Any]], kind: Format) -> bytes:
    """Return rows as the content of a part.

    Raises
    ------
    ValueError
        If the format cannot hold a value.
    """
    if kind == "jsonl":
        lines = (json.dumps(as_json(row), ensure_ascii=False, allow_nan=False) for row in rows)
        return "".join(f"{line}\n" for line in lines).encode()

    import pyarrow
    from pyarrow import parquet

    names = list(dict.fromkeys(name for row in rows for name in row if name != ERROR))
    columns = {name: _column(name, rows) for name in names}
    columns[ERROR] = pyarrow.array([row[ERROR] for row in rows], pyarrow.string())
    content = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), content)
    return content.getvalue()


def _column(name: str, rows: list[dict[str, Any]]) -> Any:
    import pyarrow

    try:
        return pyarrow.array([as_column(row.get(name)) for row in rows])
    except (pyarrow.ArrowException, OverflowError) as error:
        raise ValueError(
            f"column {name} holds values that Parquet cannot hold together: {error}; write JSON lines instead"
        ) from error


def errors_in(content: bytes, kind: Format) -> int | None:
    """Return how many rows of a part have an error; None if the part is damaged."""
    if kind == "jsonl":
        try:
            return sum(json.loads(line)[ERROR] is not None for line in content.splitlines())
        except (ValueError, KeyError, TypeError):
            return None

    import pyarrow
    from pyarrow import parquet

    try:
        column = parquet.read_table(io.BytesIO(content), columns=[ERROR])[ERROR]
    except (pyarrow.ArrowException, OSError, KeyError):
        return None
    return len(column) - column.null_count


def as_column(value: Any) -> Any:
    """Return a value in types that Arrow takes: arrays and tensors as lists, images as the bytes of a PNG."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(name): as_column(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_column(entry) for entry in value]
    if hasattr(value, "save") and hasattr(value, "getbands"):
        content = io.BytesIO()
        value.save(content, format="PNG")
        return content.getvalue()
    return value


def as_json(value: Any) -> Any:
    """Return a value in types that JSON has: NaN as None, times as texts, bytes in base 64.

    Raises
    ------
    ValueError
        If JSON has no type for it.
    """
    value = as_column(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, dict):
        return {name: as_json(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [as_json(entry) for entry in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise ValueError(f"cannot write {value!r:.60} of the type {type(value).__name__} as JSON")
