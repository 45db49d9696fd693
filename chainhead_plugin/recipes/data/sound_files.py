"""Labelled sounds: WAV files in a folder for each label, or named by a table, as log-mel frames."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...inputs.sounds.feature_extraction_chainhead_audio import ChainHeadAudioFeatureExtractor
from ...inputs.sounds.sound_files import RATES, Sound, read_sound, resample
from ...tables.errors import TableError, counted, listed, place
from ...tables.formats.files import find_sources
from ...tables.read import Reading
from ...tables.schema import Schema
from ...tables.spec import TableSpec
from ...tables.texts import load_texts, schema_of_texts
from ..errors import RecipeError
from ..recipe import Recipe
from .examples import Labelled
from .file_options import FileOptions
from .label_folders import FileKind, find_labelled, label_of, place_of

SOUNDS = FileKind("WAV file", (".wav", ".wave"), "a table with a column of paths and a column of labels")
# The usual column of paths.
_PATH = "path"
# Chains are padded to the longest of a batch, so that an hour among words would fill the memory.
_MOST_FRAMES = 30_000
_USUAL_RATE = 16_000
# How many files that cannot be used are named.
_MOST_TOLD = 5


def read_sounds(recipe: Recipe, options: FileOptions) -> tuple[Labelled, Labelled | None]:
    """Read the sounds of both parts, at one rate, and make their frames.

    Parameters
    ----------
    recipe : Recipe
        For the options of `spectrum`.
    options : FileOptions

    Returns
    -------
    training : Labelled
        Its inputs are float32 arrays [frames, bands], not scaled.
    test : Labelled or None
        None if the test part is to be drawn from the training sounds.

    Raises
    ------
    RecipeError, TableError
        If a file is missing, cannot be read, or holds nothing that can be told apart; the message names it.
    """
    # The reader of texts reads paths: to it they are the texts of a table.
    spec = replace(options.spec, text=options.path)
    found = find_sounds(options.train, recipe.folder, spec, options.reading)
    rate = options.sampling_rate or _first_rate(found)
    extractor = extractor_for(recipe, rate)
    with_rate = options.sampling_rate is not None
    train = as_frames(found, extractor, resampled=with_rate)
    if options.test is None:
        return train, None
    other = find_sounds(options.test, recipe.folder, spec, options.reading)
    return train, as_frames(other, extractor, resampled=with_rate)


def extractor_for(recipe: Recipe, sampling_rate: int) -> ChainHeadAudioFeatureExtractor:
    """Return the extractor of a recipe's frames, which does not scale them.

    Raises
    ------
    RecipeError
        If an option of `spectrum` is not valid.
    """
    try:
        return ChainHeadAudioFeatureExtractor(sampling_rate=sampling_rate, **recipe.spectrum)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"spectrum: {error}") from error


def find_sounds(
    locations: Any,
    folder: Path | None = None,
    spec: TableSpec | Schema | None = None,
    reading: Reading | None = None,
) -> Labelled:
    """Find sounds and their labels, without reading the sounds.

    Parameters
    ----------
    locations : str, Path or list of them
        Folders or patterns of WAV files, whose labels are the names of their folders; or tables.
    folder : Path, optional
        The folder that relative locations start from.
    spec : TableSpec or Schema, optional
        The columns of a table: `text`, by default "path", is that of paths, which start from the table's folder.
    reading : Reading, optional
        How a table is written.

    Returns
    -------
    Labelled
        Its inputs are paths.

    Raises
    ------
    RecipeError, TableError
        If there are none, or a table has no such column, or no label in a row.
    """
    folder = folder or Path()
    if not _are_tables(locations, folder):
        if isinstance(spec, TableSpec) and (
            role := next(filter(None, (spec.text, *spec.label, spec.group)), None)
        ):
            raise RecipeError(
                f"{role} names a column, but a folder of sounds has none: its folders are the labels"
            )
        files, left_out = find_labelled(locations, folder, SOUNDS)
        said = f"; left out {listed(left_out)}" if left_out else ""
        labels = list(map(label_of, files))
        return Labelled(
            inputs=files, labels=labels, places=list(map(place_of, files)), said=f"label by folder{said}"
        )

    parts = [_of_table(source, spec, reading) for source in find_sources(locations, folder)[0]]
    first = parts[0]
    return Labelled(
        inputs=[file for part in parts for file in part.inputs],
        labels=[label for part in parts for label in part.labels],
        places=[where for part in parts for where in part.places],
        groups=None if first.groups is None else [group for part in parts for group in part.groups or ()],
        schema=first.schema,
        said=listed(part.said for part in parts),
    )


def _are_tables(locations: Any, folder: Path) -> bool:
    paths = [Path(one) for one in (locations if isinstance(locations, list) else [locations])]
    return all(path.suffix and not SOUNDS.includes(path) and not (folder / path).is_dir() for path in paths)


def _of_table(source: Any, spec: TableSpec | Schema | None, reading: Reading | None) -> Labelled:
    if not isinstance(spec, Schema):
        spec = replace(spec or TableSpec(), text=spec.text if spec and spec.text else _PATH)
    texts, spec = load_texts(source, spec, reading, labelled=True)
    files, places = [], []
    for text in texts:
        where = place(text.file, row=text.row, column=text.column)
        file = source.parent / text.text.strip()
        if not file.is_file():
            raise TableError(f"{where}: there is no file {text.text.strip()} in {source.parent.resolve()}")
        if not text.label.strip():
            raise TableError(f"{where} has no label: name the column of labels as label, and fill it in")
        files.append(file)
        places.append(f"{where}: {file.name}")
    return Labelled(
        inputs=files,
        labels=[text.label for text in texts],
        places=places,
        groups=None if spec.group is None else [text.group for text in texts],
        schema=schema_of_texts(texts, spec),
        said=f"{source.name} with paths in {spec.text}; label {listed(spec.label or ('label',))}",
    )


def as_frames(found: Labelled, extractor: ChainHeadAudioFeatureExtractor, *, resampled: bool) -> Labelled:
    """Read sounds and make their frames.

    Parameters
    ----------
    found : Labelled
        Its inputs are paths, as `find_sounds` returns them.
    extractor : ChainHeadAudioFeatureExtractor
    resampled : bool
        Whether sounds of another rate than the extractor's are resampled; otherwise they are an error.

    Raises
    ------
    RecipeError
        If files cannot be read, are silent, too short or too long, or have another rate; the message names them all.
    """
    rate = extractor.sampling_rate
    frames, seconds = [], []
    faults: list[str] = []
    other_rates: list[str] = []
    several_channels: list[str] = []
    like = "the training part"
    for file, where in zip(found.inputs, found.places, strict=True):
        try:
            sound = _read(file, where)
            if sound.rate == rate and like not in found.places:
                like = where
            if sound.channels > 1:
                several_channels.append(where)
            if sound.rate != rate:
                other_rates.append(where)
                sound = _resampled(sound, rate, where, like, allowed=resampled)
            _check(sound, extractor, where)
        except RecipeError as error:
            faults.append(str(error))
            continue
        frames.append(extractor.frames(sound.samples))
        seconds.append(len(sound.samples) / rate)
    if faults:
        more = f"; and {len(faults) - _MOST_TOLD} further files" if len(faults) > _MOST_TOLD else ""
        raise RecipeError("; ".join(faults[:_MOST_TOLD]) + more)

    counts = listed(f"{name} {count}" for name, count in sorted(Counter(found.labels).items()))
    said = (
        f"{counted(len(frames), 'sound')} of {min(seconds):.1f}–{max(seconds):.1f} s, {rate:,} samples a second, "
        f"{extractor.feature_size} mel bands every {1000 * extractor.hop_seconds:g} ms; {found.said} ({counts})"
    )
    if other_rates:
        said += f"; resampled {_some(other_rates)}"
    if several_channels:
        said += f"; the mean of the channels of {_some(several_channels)}"
    return replace(found, inputs=frames, sampling_rate=rate, said=said)


def _some(places: Sequence[str]) -> str:
    """Return how many sounds these are, and which."""
    return f"{counted(len(places), 'sound')} ({listed(places, _MOST_TOLD)})"


def _first_rate(found: Labelled) -> int:
    """Return the rate of the first sound that can be read; the usual rate if there is none, which is told later."""
    for file, where in zip(found.inputs, found.places, strict=True):
        with suppress(RecipeError):
            return _read(file, where).rate
    return _USUAL_RATE


def _read(file: Path, where: str) -> Sound:
    try:
        return read_sound(file.read_bytes(), where)
    except (OSError, ValueError) as error:
        raise RecipeError(str(error)) from error


def _resampled(sound: Sound, rate: int, where: str, like: str, *, allowed: bool) -> Sound:
    if not allowed:
        raise RecipeError(
            f"{where} has {sound.rate:,} samples a second, but {like} has {rate:,}: state the rate that all are "
            f"resampled to, such as sampling_rate: {min(sound.rate, rate)}"
        )
    if not RATES[0] <= sound.rate <= RATES[1]:
        raise RecipeError(
            f"{where} has {sound.rate:,} samples a second, expected {RATES[0]:,} to {RATES[1]:,}"
        )
    return Sound(resample(sound.samples, sound.rate, rate), rate, sound.channels)


def _check(sound: Sound, extractor: ChainHeadAudioFeatureExtractor, where: str) -> None:
    seconds = len(sound.samples) / sound.rate
    if np.ptp(sound.samples) == 0:
        raise RecipeError(f"{where} is silent: leave it out, or record it anew")
    if seconds < extractor.frame_seconds:
        raise RecipeError(
            f"{where} lasts {seconds:.4f} s, less than a frame of {extractor.frame_seconds} s: leave it out, or set a "
            "shorter frame_seconds in spectrum"
        )
    if seconds > (longest := _MOST_FRAMES * extractor.hop_seconds):
        raise RecipeError(
            f"{where} lasts {seconds:,.0f} s, expected at most {longest:,.0f} s, which are {_MOST_FRAMES:,} frames: "
            "cut it into pieces, or set a longer hop_seconds in spectrum"
        )
