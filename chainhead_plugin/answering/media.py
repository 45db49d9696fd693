"""Reads images, sounds and videos, of which a file holds one."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..inputs.image_files import read_image
from ..inputs.sounds.sound_files import read_sound, resample
from ..inputs.video_files import read_clip
from ..tables.errors import listed
from ..tables.formats.names import FORMATS, endings
from .wanted import Kind, Record, Wanted


def read_media(file: Path, wanted: Wanted, content: bytes | None) -> Iterator[Record]:
    """Yield the images, sounds or videos of a file, a folder, a pattern or a table of paths, as a model takes them.

    Parameters
    ----------
    file : Path
    wanted : Wanted
    content : bytes, optional
        The content of standard input; `file` is then "-".

    Raises
    ------
    ValueError
        If there are none, or a file holds something else; the message names it.
    """
    if content is not None:
        if wanted.frames is not None:
            raise ValueError("a video cannot come from standard input: name its file")
        yield Record(_medium(content, str(file), wanted), {})
        return
    for found in _named_by_table(file, wanted) or media_files(file, wanted.kind):
        yield found._replace(data=read_medium(found.data, wanted))


def _named_by_table(file: Path, wanted: Wanted) -> list[Record]:
    """Return the images, sounds or videos that a table names, as `media_files` yields them; none if it is no table."""
    if not wanted.follows_paths or endings(file)[0] not in FORMATS:
        return []
    from ..recipes.data.media.named_files import column_of_paths, paths_named_by, small_table

    table = small_table(file, wanted.reading)
    column = None if table is None else column_of_paths(table, includes_of(wanted.kind))
    if table is None or column is None:
        return []
    named = paths_named_by(table, column, file.parent)
    return [Record(path, fields | {"file": str(path)}, str(path)) for path, fields in named]


def includes_of(kind: Kind) -> Callable[[Path], bool]:
    """Return what tells files of a kind by their names."""
    from ..recipes.data.media.kinds import IMAGES, SOUNDS, VIDEOS

    return {"image": IMAGES, "sound": SOUNDS, "video": VIDEOS}[kind].includes


def media_files(file: Path, kind: Kind) -> Iterator[Record]:
    """Yield the images, sounds or videos of a file, a folder or a pattern, with their paths in place of their content.

    What else a folder holds is left out, with a warning that names it, if any file is named as one of these.

    Raises
    ------
    ValueError
        If there are none.
    """
    if file.is_file():
        yield Record(file, {})
        return
    includes = includes_of(kind)
    found = file.iterdir() if file.is_dir() else map(Path, glob.glob(str(file), recursive=True))
    entries = sorted(one for one in found if not one.name.startswith("."))
    files = [one for one in entries if one.is_file()]
    named = [one for one in files if includes(one)]
    is_inside = not named and any(map(includes, file.glob("*/*")))
    if not files or is_inside:
        inner = f", but folders: name their files by a pattern, such as '{file}/*/*'"
        holds_folders = file.is_dir() and len(files) < len(entries)
        raise ValueError(
            f"{file} holds no {kind if is_inside else 'file'}{inner if holds_folders else ''}, expected {kind}s"
        )
    files = named or files  # no name tells, so that the content decides
    if left_out := [one.name for one in entries if one not in files]:
        warnings.warn(f"left out {listed(left_out)}", stacklevel=1)
    for one in files:
        yield Record(one, {"file": str(one)}, one.name)


def read_medium(file: Path, wanted: Wanted) -> Any:
    """Return the content of an image or a sound as a model takes it; of a video its path, as the pipeline reads files.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    if wanted.frames is not None:
        # The pipeline would take fewer frames without a word, and read lists of further files.
        read_clip(file, str(file), wanted.frames)
        return str(file.absolute())
    return _medium(file.read_bytes(), str(file), wanted)


def _medium(content: bytes, name: str, wanted: Wanted) -> Any:
    """Return an image, or the samples of a sound, resampled to the rate that the model was trained for."""
    if wanted.kind == "image":
        return read_image(content, name)
    samples, rate, _ = read_sound(content, name)
    model_rate = wanted.sampling_rate
    if model_rate in (None, rate):
        return samples
    if rate < model_rate:
        warnings.warn(
            f"sounds of {rate:,} samples a second hold no tones above {rate // 2:,} Hz; the model was trained on "
            f"{model_rate:,} samples a second",
            stacklevel=1,
        )
    try:
        return resample(samples, rate, model_rate)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{name} has {rate:,} samples a second, expected the model's {model_rate:,}: {error}, or convert it, for "
            f"example by ffmpeg -i FILE -ar {model_rate} NEW.wav"
        ) from error
