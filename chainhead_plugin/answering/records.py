"""Reads records from files. Each record is a sequence of nodes, a text, an image, a sound or a video to predict."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..inputs.named_sequences import series_sequences
from ..tables.errors import RowsApartError, TableError, counted, listed
from ..tables.formats.files import find_sources
from ..tables.formats.names import COMPRESSIONS, UNSURE
from ..tables.loading import load
from ..tables.matching import load_matched
from ..tables.pieces import load_pieces
from ..tables.read import Reading, source_of
from ..tables.series import SeriesSet
from ..tables.spec import TableSpec
from ..tables.texts import load_texts
from .media import read_media
from .wanted import MEDIA, Record, Wanted

# Files larger than the first are read in pieces. If the rows of a series do not stand together at the beginning of a
# file, it is read as a whole, unless it is larger than the second: a table takes 11 times the memory of its file.
_LARGE, _MOST_WHOLE = 16 * 2**20, 64 * 2**20
# How many times smaller compressed files usually are than text, and the usual length of a cell.
_RATIO, _CHARACTERS = 4, 10


def read_records(file: Path, wanted: Wanted, content: bytes | None = None) -> Iterator[Record]:
    """Read the records of a file, a folder or a pattern of file names. Large files are read piece by piece.

    Parameters
    ----------
    file : Path
    wanted : Wanted
    content : bytes, optional
        The content of standard input; `file` is then "-".

    Yields
    ------
    Record
        At least one.

    Raises
    ------
    ValueError
        If a file has not the expected content; the message names the place, and says what was expected.
    """
    source: Any = file if content is None else source_of(content, "-")
    if wanted.kind in MEDIA:
        yield from read_media(file, wanted, content)
        return
    if content is None:
        # Of a text file every line may be a text, also of notes.
        for note in find_sources(file, unsure=() if wanted.kind == "text" else UNSURE)[1]:
            warnings.warn(note, stacklevel=1)
    if wanted.kind == "text":
        yield from _texts(source, wanted, content)
    else:
        pieces = _read_series(source, wanted)
        while (found := next(pieces, None)) is not None:
            records = _sequences(found, wanted)
            del found  # so that memory does not hold a piece while the next is read
            yield from records
            del records


def _texts(source: Any, wanted: Wanted, content: bytes | None) -> Iterator[Record]:
    reading = wanted.reading
    if content is not None and reading.format is None and not content.startswith(b"PAR1"):
        reading = Reading(format="lines", dialect=reading.dialect)
    texts, spec = load_texts(source, wanted.schema or wanted.spec, reading, tell_errors=wanted.tell_errors)
    for text in texts:
        fields = dict(text.fields)
        if text.label:
            fields[spec.label[0] if spec.label else "label"] = text.label
        yield Record(text.text or None, fields, str(text.fields.get("id", "")), text.error)


def _read_series(source: Any, wanted: Wanted) -> Iterator[SeriesSet]:
    size = _size_of(source) if isinstance(source, Path) else 0
    reading = wanted.reading
    if size > _LARGE:
        pieces = load_pieces(source, wanted.schema or _positional(wanted), reading)
        try:
            first = next(pieces)
        except RowsApartError:
            if size > _MOST_WHOLE:
                raise
        else:
            yield first
            del first
            yield from pieces
            return
    if wanted.schema is not None:
        yield load_matched(source, wanted.schema, reading)
    else:
        yield load(source, _positional(wanted), reading)


def _size_of(location: Path) -> float:
    """Return the size of files in bytes, or about that of the same table as CSV if they are compressed."""
    files = [location]
    if location.is_dir():
        files = [file for file in location.rglob("*") if file.is_file()]
    elif not location.is_file():
        files = [Path(file) for file in glob.glob(str(location), recursive=True)]
    return sum(_size_as_text(file) for file in files if file.is_file())


def _size_as_text(file: Path) -> float:
    size, suffix = file.stat().st_size, file.suffix.lower()
    if suffix in (".parquet", ".pq") and size > _LARGE // 64:
        with suppress(Exception):  # the reader tells what is wrong with the file
            from pyarrow.parquet import read_metadata

            found = read_metadata(file)
            return float(max(size, _CHARACTERS * found.num_rows * found.num_columns))
    is_compressed = suffix in (*COMPRESSIONS, ".feather", ".arrow", ".npz", ".xlsx")
    return size * (_RATIO if is_compressed else 1)


def _positional(wanted: Wanted) -> TableSpec:
    """Return how to read columns for a model without names: if a node has several features, rows are nodes."""
    return replace(wanted.spec, rows="nodes") if wanted.feature_size > 1 else wanted.spec


def _sequences(found: SeriesSet, wanted: Wanted) -> Iterator[Record]:
    spec = found.columns.spec
    sequences = series_sequences(found, wanted.horizon)
    faults = [""] * len(found)
    if wanted.interpolate_missing or wanted.horizon is None:
        faults = [found.fault_of(series, interpolated=wanted.interpolate_missing) for series in found]
    if any(faults) and not wanted.tell_errors:
        raise TableError(next(filter(None, faults)))
    for series, sequence, fault in zip(found, sequences, faults, strict=True):
        width = sequence.nodes.shape[1]
        if width != wanted.feature_size:
            raise TableError(
                f"{found.files[0]}: it has {counted(width, 'column')} of features ({listed(found.features)}), expected "
                f"the model's {wanted.feature_size} features of a node: choose them with --columns, and name the "
                "column that tells sequences apart with --series, or that a row is a whole sequence with --rows series"
            )
        fields: dict[str, Any] = dict(zip(spec.series, series.keys, strict=True)) if spec.series else {}
        if not spec.series and series.id:
            fields["id"] = series.id
        if spec.group is not None:
            fields[spec.group] = series.group
        for name, label in zip(spec.label, series.labels, strict=False):
            fields[name] = label if isinstance(label, str) else list(label)
        yield Record(None if fault else sequence, fields | dict(series.fields), series.id, fault)
