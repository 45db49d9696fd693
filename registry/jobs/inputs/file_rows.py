"""Readers of input files: each yields the rows of a file as dictionaries, and a reason for a row that is broken."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from ..rows import told
from .files import Kind

# The column of a text file's lines, and of the names of images and sounds.
TEXT, FILE = "text", "file"
_ROWS = 256
_MOST_CELL = 2**31 - 1
Found = tuple[dict[str, Any], str]


def rows_of_file(address: str, kind: Kind) -> Iterator[Found]:
    """Yield the rows of a table or of a text file, each with the reason why it is broken, or an empty reason.

    CSV has no types, so that its columns stay texts; a number of cells that differs from the header's breaks a row.

    Raises
    ------
    ValueError, OSError
        If the file itself cannot be read.
    """
    return _READERS[kind](address)


def rows_of_table(content: bytes) -> Iterator[Found]:
    """Yield the rows of a table in Arrow's stream format."""
    import pyarrow

    with pyarrow.ipc.open_stream(content) as stream:
        for batch in stream:
            for start in range(0, batch.num_rows, _ROWS):
                yield from ((row, "") for row in batch.slice(start, _ROWS).to_pylist())


def content_of(address: str) -> bytes:
    """Return the content of a file."""
    from fsspec.core import url_to_fs

    files, place = url_to_fs(address)
    content: bytes = files.cat_file(place)
    return content


@contextmanager
def _opened(address: str) -> Iterator[IO[bytes]]:
    import fsspec

    with fsspec.open(address, "rb", compression="infer") as stream:
        yield stream


def _parquet(address: str) -> Iterator[Found]:
    import pyarrow
    from pyarrow import parquet

    try:
        with _opened(address) as stream, parquet.ParquetFile(stream) as table:
            for batch in table.iter_batches(batch_size=_ROWS):
                yield from ((row, "") for row in batch.to_pylist())
    except pyarrow.ArrowException as error:
        raise ValueError(f"it is no Parquet file, or it is damaged: {told(error)}") from error


def _lines(address: str) -> Iterator[tuple[str, str]]:
    """Yield lines as texts, each with the reason why it is none, or an empty reason."""
    with _opened(address) as stream:
        for number, line in enumerate(stream):
            content = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
            try:
                yield content.decode().rstrip("\r\n"), ""
            except UnicodeDecodeError as error:
                yield (
                    content.decode(errors="replace").rstrip("\r\n"),
                    f"line {number + 1} is no UTF-8: {error}",
                )


def _text(address: str) -> Iterator[Found]:
    for line, reason in _lines(address):
        yield {TEXT: line}, reason


def _json_lines(address: str) -> Iterator[Found]:
    for number, (line, reason) in enumerate(_lines(address), start=1):
        if reason:
            yield {}, reason
            continue
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield {}, f"line {number} is no JSON: {told(error)}"
            continue
        if not isinstance(row, dict):
            yield {}, f"line {number} holds {row!r:.40}, expected an object"
            continue
        yield row, ""


def _separated(address: str, separator: str) -> Iterator[Found]:
    reasons: list[str] = []

    def lines() -> Iterator[str]:
        for line, reason in _lines(address):
            if reason:
                reasons.append(reason)
            yield f"{line}\n"

    csv.field_size_limit(_MOST_CELL)  # for the whole process: long texts are no mistake
    reader = csv.reader(lines(), delimiter=separator, strict=True)
    header = next(reader, None)
    if header is None:
        raise ValueError("it is empty, expected a header")
    if len(set(header)) != len(header):
        raise ValueError(f"its header names a column twice: {', '.join(header)}")
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield {}, f"line {reader.line_num}: {error}"
            continue
        if cells is None:
            return
        if not cells:
            continue
        broken = "; ".join(reasons)
        reasons.clear()
        if not broken and len(cells) != len(header):
            broken = f"line {reader.line_num} has {len(cells)} cells, expected {len(header)}"
        yield dict(zip(header, cells, strict=False)), broken


_READERS: dict[Kind, Callable[[str], Iterator[Found]]] = {
    "parquet": _parquet,
    "csv": lambda address: _separated(address, ","),
    "tsv": lambda address: _separated(address, "\t"),
    "jsonl": _json_lines,
    "text": _text,
}
