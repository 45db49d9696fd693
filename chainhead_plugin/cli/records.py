"""Reading what to predict from files: sequences of nodes, texts and images, one a record."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..inputs.sequences import is_batch

Kind = Literal["sequence", "text", "image"]
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".npy": "npy",
    ".txt": "lines",
}
_FORMATS_OF = {
    "sequence": ("csv", "json", "jsonl", "parquet", "npy"),
    "text": ("csv", "json", "jsonl", "parquet", "lines", "document"),
}
_DATA_FIELDS = {"sequence": "nodes", "text": "text"}


class Record(NamedTuple):
    """One sequence, text or image, and what the file says beside it, such as its id."""

    data: Any
    fields: dict[str, Any]


def read_records(
    content: bytes,
    name: str,
    kind: Kind,
    *,
    file_format: str | None = None,
    columns: Sequence[str] = (),
    feature_size: int = 1,
) -> list[Record]:
    """Read a file's records.

    - "csv", "parquet": a node of a sequence, or a text, a row. All columns are features, but for an optional column
      "id", which tells sequences apart; where there is none, CSV may lack the header. Texts are in the column
      "text", or the only one; a column "nodes" of Parquet may hold whole sequences. CSV is separated by commas,
      semicolons or tabs; an empty cell is a missing value.
    - "json", "jsonl": a sequence of nodes or a text each, or an object with "nodes" or "text" and fields of your own.
    - "npy": an array ``[L, features]`` or ``[batch, L, features]``, without pickled objects.
    - "lines": a text a line, without empty ones; "document": the whole file is one text.

    Parameters
    ----------
    content : bytes
    name : str
        The file's name, which tells the format; "-" for standard input, whose content does.
    kind : {"sequence", "text", "image"}
        Images are whatever Pillow reads.
    file_format : str, optional
        One of the formats above, whatever the name.
    columns : sequence of str
        Of a table: which columns to read, in this order.
    feature_size : int
        Features of a node.

    Returns
    -------
    list of Record
        At least one. `data` is a list or array of nodes, a str, or a Pillow image.

    Raises
    ------
    ValueError
        If the file is not what it should be; the message names the file, and says what was expected.
    """
    if kind == "image":
        if file_format or columns:
            raise ValueError("--format and --columns have no effect on images")
        return [Record(_read_image(content, name), {})]
    if file_format is None:
        file_format = _guess(content, kind) if name == "-" else _SUFFIXES.get(Path(name).suffix.lower())
    allowed = _FORMATS_OF[kind]
    if file_format not in allowed:
        shown = "an unknown format" if file_format is None else f"the format {file_format}"
        raise ValueError(
            f"{name} has {shown}, expected one of {', '.join(allowed)} for this model: choose it with --format"
        )
    if columns and file_format not in ("csv", "parquet"):
        raise ValueError(f"--columns has no effect on {name}, which is no table")
    try:
        if file_format in ("csv", "parquet"):
            table = _read_csv(content) if file_format == "csv" else _read_parquet(content)
            records = _table_records(table, kind, columns, feature_size)
        elif file_format == "npy":
            array = np.load(io.BytesIO(content), allow_pickle=False)
            records = [Record(nodes, {}) for nodes in (array if is_batch(array, feature_size) else [array])]
        elif file_format in ("lines", "document"):
            text = content.decode("utf-8-sig")
            texts = text.splitlines() if file_format == "lines" else [text]
            records = [Record(text, {}) for text in texts if text.strip()]
        else:
            records = _json_records(content, kind, feature_size, lines=file_format == "jsonl")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} ({file_format}): byte {error.start} is no UTF-8 text: save the file as UTF-8, "
            "or choose another --format"
        ) from error
    except (ValueError, TypeError, OSError, EOFError, csv.Error) as error:
        raise ValueError(f"{name} ({file_format}): {error}") from error
    if not records:
        raise ValueError(f"{name} ({file_format}): there is nothing in it")
    return records


def _guess(content: bytes, kind: Kind) -> str:
    if content.startswith(b"\x93NUMPY"):
        return "npy"
    if content.startswith(b"PAR1"):
        return "parquet"
    if kind == "text":
        return "lines"
    start = content.lstrip()[:1]
    if start not in (b"[", b"{"):
        return "csv"
    try:
        json.loads(content)
    except ValueError:
        return "jsonl"
    return "json"


def _read_image(content: bytes, name: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{name} is no image that Pillow can read: expected PNG, JPEG or the like"
        ) from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} is no image that Pillow can read: {error}") from error
    return image


class _Table(NamedTuple):
    """Columns by name; `named` is False where numbers stand for missing names."""

    columns: dict[str, list[Any]]
    named: bool = True


def _read_csv(content: bytes) -> _Table:
    text = content.decode("utf-8-sig")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if any(row)]
    if not rows:
        raise ValueError("there is nothing in it")
    named = any(cell.strip() and _number(cell) is None for cell in rows[0])
    header = [cell.strip() for cell in rows[0]] if named else [str(i) for i in range(1, len(rows[0]) + 1)]
    if len(set(header)) < len(header):
        raise ValueError(f"two columns have the same name: {', '.join(header)}")
    body = rows[1:] if named else rows
    for number, row in enumerate(body, start=1):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells, expected {len(header)}")
    return _Table({name: [row[i] for row in body] for i, name in enumerate(header)}, named)


def _read_parquet(content: bytes) -> _Table:
    try:
        from pyarrow import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
            ArrowException,
            parquet,
        )
    except ModuleNotFoundError:
        raise ValueError("Parquet needs pyarrow: pip install pyarrow, or convert the file to CSV") from None
    try:
        return _Table(parquet.read_table(io.BytesIO(content)).to_pydict())
    except ArrowException as error:
        raise ValueError(str(error)) from error


def _table_records(table: _Table, kind: Kind, wanted: Sequence[str], feature_size: int) -> list[Record]:
    columns = table.columns
    if wanted and (missing := [name for name in wanted if name not in columns]):
        raise ValueError(f"there is no column {', '.join(missing)}, only {', '.join(columns)}")
    data = _DATA_FIELDS[kind]
    if kind == "text":
        candidates = list(wanted) or [name for name in columns if name == data or len(columns) == 1]
        if len(candidates) != 1:
            raise ValueError(
                f"expected a column text among {', '.join(columns)}, or one name in --columns, got {len(candidates)}"
            )
        (data,) = candidates
    if data in columns and list(wanted) in ([], [data]):
        names = [name for name in columns if name != data]
        return [
            Record(_checked(value, kind, number), {name: columns[name][number - 1] for name in names})
            for number, value in enumerate(columns[data], start=1)
        ]
    names = list(wanted) or [name for name in columns if name != "id" or not table.named]
    if len(names) != feature_size:
        raise ValueError(
            f"there are {len(names)} columns of features ({_few(names)}), expected the model's {feature_size} "
            'features of a node: choose them with --columns, and let a column "id" tell sequences apart'
        )
    features = [_numbers(name, columns[name]) for name in names]
    nodes = list(zip(*features, strict=True))
    if "id" not in columns:
        return [Record(nodes, {})] if nodes else []
    sequences: dict[Any, list[Any]] = {}
    for key, node in zip(columns["id"], nodes, strict=True):
        sequences.setdefault(key, []).append(node)
    return [Record(sequence, {"id": key}) for key, sequence in sequences.items()]


def _numbers(name: str, cells: list[Any]) -> list[float]:
    numbers = [_number(cell) for cell in cells]
    if None in numbers:
        row = numbers.index(None)
        raise ValueError(
            f"column {name}, row {row + 1} holds {cells[row]!r}, expected a number: leave the column out with --columns"
        )
    return numbers  # type: ignore[return-value]


def _number(cell: Any) -> float | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _few(names: list[str]) -> str:
    return ", ".join(names if len(names) < 8 else [*names[:6], "…", names[-1]])


def _json_records(content: bytes, kind: Kind, feature_size: int, *, lines: bool) -> list[Record]:
    text = content.decode("utf-8-sig")
    if lines:
        lines_of_text = enumerate(text.splitlines(), start=1)
        values = [_json_line(line, number) for number, line in lines_of_text if line.strip()]
    else:
        value = json.loads(text)
        is_list = isinstance(value, list) and bool(value)
        if is_list and (kind == "text" or isinstance(value[0], dict) or is_batch(value, feature_size)):
            values = value
        else:
            values = [value]
    return [_json_record(value, kind, number) for number, value in enumerate(values, start=1)]


def _json_line(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _json_record(value: Any, kind: Kind, number: int) -> Record:
    fields: dict[str, Any] = {}
    if isinstance(value, dict):
        name = _DATA_FIELDS[kind]
        if name not in value:
            raise ValueError(f"record {number} has no field {name!r}, only {', '.join(value) or 'none'}")
        fields = {key: other for key, other in value.items() if key != name}
        value = value[name]
    return Record(_checked(value, kind, number), fields)


def _checked(value: Any, kind: Kind, number: int) -> Any:
    expected = str if kind == "text" else list
    if not isinstance(value, expected) or not value:
        shown = "an empty one" if value in ("", []) else f"{value!r:.40}"
        raise ValueError(
            f"record {number} is {shown}, expected {'a text' if kind == 'text' else 'a list of nodes'}"
        )
    return value
