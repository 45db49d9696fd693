"""Read labelled sounds, at one rate, in the form that a model takes."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....inputs.sounds.sound_files import RATES, Sound, read_sound, resample
from ....tables.errors import counted, listed
from ...errors import RecipeError
from ...recipe import Recipe
from ..examples import Labelled
from ..file_options import FileOptions
from ..media.faults import collected, raise_faults
from ..media.finding import find_media
from ..media.kinds import SOUNDS
from .forms import SoundForm, form_of_recipe

_USUAL_RATE = 16_000
# How many files with something special about them are named.
_MOST_TOLD = 5


def read_sounds(recipe: Recipe, options: FileOptions) -> tuple[Labelled, Labelled | None]:
    """Read the sounds of both parts.

    Parameters
    ----------
    recipe : Recipe
        For the options of `spectrum`, or its encoder.
    options : FileOptions

    Returns
    -------
    training : Labelled
        Its inputs are float32 arrays: frames [frames, bands], not scaled, or with an encoder [samples].
    test : Labelled or None
        None if the test part is to be drawn from the training sounds.

    Raises
    ------
    RecipeError, TableError
        If a file is missing, cannot be read, or holds nothing that can be told apart; the message names it.
    """
    # The reader of texts reads paths: to it they are the texts of a table.
    spec = replace(options.spec, text=options.path)
    found = find_media(SOUNDS, options.train, recipe.folder, spec, options.reading)
    form = form_of_recipe(recipe, lambda: options.sampling_rate or _first_rate(found))
    # An encoder knows sounds of its own rate alone, so that there is nothing to choose.
    resampled = options.sampling_rate is not None or bool(recipe.encoder)
    train = read_found(found, form, resampled=resampled)
    if options.test is None:
        return train, None
    other = find_media(SOUNDS, options.test, recipe.folder, spec, options.reading)
    return train, read_found(other, form, resampled=resampled)


def read_found(found: Labelled, form: SoundForm, *, resampled: bool) -> Labelled:
    """Read sounds that were found.

    Parameters
    ----------
    found : Labelled
        Its inputs are paths, as `find_media` returns them.
    form : SoundForm
    resampled : bool
        Whether sounds of another rate than the form's are resampled; otherwise they are an error.

    Raises
    ------
    RecipeError
        If files cannot be read, are silent, too short or too long, or have another rate; the message names them all.
    """
    inputs, seconds = [], []
    faults: dict[str, str] = {}
    other_rates: list[str] = []
    several_channels: list[str] = []
    like = "the training part"
    for file, where in zip(found.inputs, found.places, strict=True):
        with collected(faults, where):
            sound = _read(file, where)
            if sound.rate == form.rate and like not in found.places:
                like = where
            if sound.channels > 1:
                several_channels.append(where)
            if sound.rate != form.rate:
                other_rates.append(where)
                sound = _resampled(sound, form.rate, where, like, allowed=resampled)
            if np.ptp(sound.samples) == 0:
                raise RecipeError(f"{where} is silent: leave it out, or record it anew")
            form.check_length(len(sound.samples) / form.rate, where)
            inputs.append(form.make(sound.samples))
            seconds.append(len(sound.samples) / form.rate)
    raise_faults(faults)

    counts = listed(f"{name} {count}" for name, count in sorted(Counter(found.labels).items()))
    lasting = "–".join(dict.fromkeys(f"{extreme:.1f}" for extreme in (min(seconds), max(seconds))))
    said = (
        f"{counted(len(inputs), 'sound')} of {lasting} s, {form.rate:,} samples a second, "
        f"{form.said}; {found.said} ({counts})"
    )
    if other_rates:
        said += f"; resampled {_some(other_rates)}"
    if several_channels:
        said += f"; the mean of the channels of {_some(several_channels)}"
    return replace(found, inputs=inputs, sampling_rate=form.rate, said=said)


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
