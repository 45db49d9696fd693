"""Turns what a user uploads, pastes or draws into records for a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..answering.records import read_records
from ..answering.wanted import Record, Wanted
from ..inputs.named_sequences import NamedSequence
from ..inputs.sounds.sound_files import read_sound
from ..tables.formats.text.dialect import Dialect
from ..tables.read import Reading
from ..tables.schema import Schema

if TYPE_CHECKING:
    from .opened import OpenModel

MOST_BYTES = 20 * 2**20
_MOST_CHARACTERS = 1_000_000
_DRAWN_NODES = 128
_SEPARATORS = re.compile(r"[\s,;]+")
_INK = 0.25


def from_files(model: OpenModel, files: Sequence[str | Path]) -> list[Record]:
    """Return the records in files: tables, series, sounds, texts or images, as the model takes them.

    Raises
    ------
    ValueError
        If there is no file, a file is too large, or it does not hold what the model takes.
    """
    if not files:
        raise ValueError("upload a file first")
    records: list[Record] = []
    for file in map(Path, files):
        if file.stat().st_size > MOST_BYTES:
            raise ValueError(
                f"{file.name} is larger than {MOST_BYTES // 2**20} MB, the most that this page reads"
            )
        found = _of_file(model, file)
        for record in found:
            name = f"{file.name} {record.name}".rstrip() if len(files) > 1 else record.name or file.name
            records.append(record._replace(name=name, fields={"file": file.name} | _own_fields(record)))
    return records


def _of_file(model: OpenModel, file: Path) -> list[Record]:
    if file.suffix.lower() == ".wav" and model.answers.reads != "sound":
        return [_of_sound(model, file)]
    try:
        return list(read_records(file, _wanted(model)))
    except ValueError as error:
        # Uploads lie in a temporary folder, which is nothing to the user.
        raise ValueError(str(error).replace(str(file), file.name)) from error


def _own_fields(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.fields.items() if name != "file"}


def from_text(model: OpenModel, text: str) -> list[Record]:
    """Return the record in a text: the text itself for a model of texts, else numbers or rows of a table.

    Raises
    ------
    ValueError
        If it is empty, too long, or does not hold what the model takes.
    """
    if not text or not text.strip():
        raise ValueError("write something first")
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"the text has {len(text):,} characters, at most {_MOST_CHARACTERS:,} are read")
    if model.answers.reads == "text":
        return [Record(text.strip(), {})]
    if model.answers.reads == "image":
        raise ValueError(f"{model.name} takes images: upload or draw an image")
    if model.answers.reads == "sound":
        raise ValueError(f"{model.name} takes sounds: upload a WAV file")
    if model.answers.reads == "video":
        raise ValueError(f"{model.name} takes videos: upload a file")
    rows, wanted = text.strip(), _wanted(model)
    if model.feature_size == 1 and not model.has_names:
        # Numbers in a line are successive nodes, as most people write a series down.
        rows = "\n".join(_SEPARATORS.split(rows))
    if not model.has_names:
        header = any(_is_word(cell) for cell in _SEPARATORS.split(rows.splitlines()[0].strip()))
        if model.feature_size > 1 or not header:
            wanted = replace(wanted, reading=replace(wanted.reading, dialect=Dialect(header=header)))
    try:
        return list(read_records(Path("-"), wanted, f"{rows}\n".encode()))
    except ValueError as error:
        raise ValueError(re.sub(r"^-(?=[,:])", "the text", str(error))) from error


def from_drawing(model: OpenModel, drawing: NDArray[Any] | None) -> list[Record]:
    """Return the record that a drawing shows.

    A series goes from left to right; the bottom of the canvas is −2 and the top 2. The strokes of an image for a model
    of a single channel are centred, and light on dark.

    Parameters
    ----------
    model : OpenModel
    drawing : uint8 array [height, width, 4], optional
        Dark strokes on a white or transparent ground.

    Raises
    ------
    ValueError
        If nothing is drawn, or the model takes no drawings.
    """
    ink = None if drawing is None else _ink(np.asarray(drawing, np.float64) / 255)
    if ink is None:
        raise ValueError("draw something first")
    if not model.takes_drawings:
        raise ValueError(
            f"{model.name} takes {model.feature_size} numbers a row: paste rows, or upload a file"
        )
    if model.answers.reads == "image":
        return [Record(_centred(ink), {})]
    length = model.pipe.model.config.chain_length or _DRAWN_NODES
    return [Record(NamedSequence(_line_of(ink, length)[:, np.newaxis]), {})]


def _ink(drawing: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return how dark each place is, 1 for the darkest; None where nothing is drawn."""
    darkness = drawing[..., 3] * (1 - drawing[..., :3].mean(-1))
    return darkness / darkness.max() if darkness.max() > _INK else None


def _line_of(ink: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return the height of the ink in each drawn column, from −2 to 2, at evenly spaced places."""
    is_drawn = (ink > _INK).any(0)
    columns = np.flatnonzero(is_drawn)
    if len(columns) < 2:
        raise ValueError("draw a line from left to right")
    weights = ink[:, columns]
    rows = (weights * np.arange(len(ink))[:, np.newaxis]).sum(0) / weights.sum(0)
    heights = 2 - 4 * rows / (len(ink) - 1)
    places = np.linspace(columns[0], columns[-1], length)
    return np.interp(places, columns, heights)


def _centred(ink: NDArray[np.float64]) -> Any:
    """Return the strokes as a square image, light on dark, with a margin of a fifth."""
    from PIL import Image

    rows, columns = (np.flatnonzero((ink > _INK).any(axis)) for axis in (1, 0))
    strokes = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = int(max(strokes.shape) * 1.4)
    square = np.zeros((side, side))
    top, left = (side - strokes.shape[0]) // 2, (side - strokes.shape[1]) // 2
    square[top : top + strokes.shape[0], left : left + strokes.shape[1]] = strokes
    return Image.fromarray((square * 255).round().astype(np.uint8)).convert("RGB")


def _is_word(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return bool(cell)
    return False


def _of_sound(model: OpenModel, file: Path) -> Record:
    if model.answers.reads != "sequence" or model.feature_size != 1 or model.has_names:
        raise ValueError(
            f"{file.name} is a sound, a series of single numbers, which {model.name} does not take"
        )
    samples = read_sound(file.read_bytes(), file.name).samples
    nodes = samples.astype(np.float64)[:, np.newaxis]
    return Record(NamedSequence(nodes), {}, file.name)


def _wanted(model: OpenModel) -> Wanted:
    stated = getattr(model.pipe, "schema", None)
    return Wanted(
        kind=model.answers.reads,
        feature_size=model.feature_size,
        sampling_rate=getattr(model.pipe.feature_extractor, "sampling_rate", None),
        frames=model.answers.frames(model.pipe),
        schema=None if stated is None else Schema.from_dict(stated),
        horizon=model.horizon,
        interpolate_missing=getattr(model.pipe.feature_extractor, "interpolate_missing", False),
        reading=Reading(feature_size=model.feature_size),
    )
