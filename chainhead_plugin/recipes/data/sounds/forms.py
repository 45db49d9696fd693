"""The form in which a model takes sounds: as log-mel frames of ours, or as samples, which an encoder takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....inputs.sounds.feature_extraction_chainhead_audio import ChainHeadAudioFeatureExtractor
from ...errors import RecipeError
from ...pretrained.encoder import load_encoder
from ...pretrained.recordings import most_seconds
from ...recipe import Recipe

# Chains are padded to the longest of a batch, so that an hour among words would fill the memory.
_MOST_FRAMES, _MOST_SECONDS = 30_000, 300.0
# Both the reach of Wav2Vec2's convolutions and a frame of the usual spectra.
_SHORTEST = 0.025


class Limit(NamedTuple):
    """How long a sound must last, or may last.

    Attributes
    ----------
    seconds : float
    reason : str
        Words for it: of the shortest in its place, of the longest behind the number.
    advice : str
        What to do about a sound beyond it.
    """

    seconds: float
    reason: str
    advice: str


@dataclass(frozen=True)
class SoundForm:
    """What a model takes of a sound.

    Attributes
    ----------
    rate : int
        Samples a second.
    shortest, longest : Limit
    make : callable
        Turns samples [samples] from −1 to 1 into what the model takes.
    said : str
        Words for it.
    """

    rate: int
    shortest: Limit
    longest: Limit
    make: Callable[[NDArray[Any]], NDArray[np.float32]]
    said: str

    def check_length(self, seconds: float, where: str) -> None:
        """Check how long a sound lasts.

        Raises
        ------
        RecipeError
            If it is too short or too long for the model.
        """
        limit, reason, advice = self.shortest
        if seconds < limit:
            raise RecipeError(f"{where} lasts {seconds:.4f} s, less than {reason}: {advice}")
        limit, reason, advice = self.longest
        if seconds > limit:
            raise RecipeError(
                f"{where} lasts {seconds:,.0f} s, expected at most {limit:,.0f} s{reason}: {advice}"
            )


def form_of_recipe(recipe: Recipe, sampling_rate: Callable[[], int]) -> SoundForm:
    """Return the form that a recipe's model takes.

    Parameters
    ----------
    recipe : Recipe
    sampling_rate : callable
        Returns samples a second, unless the recipe's encoder says how many.

    Raises
    ------
    RecipeError
        If an option of `spectrum` is not valid, or the encoder cannot be loaded.
    """
    if recipe.encoder:
        return form_of(load_encoder(recipe).preprocessor)
    return form_of(extractor_for(recipe, sampling_rate()))


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


def form_of(extractor: Any) -> SoundForm:
    """Return the form in which a model with this feature extractor takes sounds.

    Frames of our extractor are made when sounds are read. Extractors of encoders turn samples into inputs of their own
    kind batch by batch.
    """
    if isinstance(extractor, ChainHeadAudioFeatureExtractor):
        frame, hop = extractor.frame_seconds, extractor.hop_seconds
        return SoundForm(
            rate=extractor.sampling_rate,
            shortest=Limit(
                frame, f"a frame of {frame} s", "leave it out, or set a shorter frame_seconds in spectrum"
            ),
            longest=Limit(
                _MOST_FRAMES * hop,
                f", which are {_MOST_FRAMES:,} frames",
                "cut it into pieces, or set a longer hop_seconds in spectrum",
            ),
            make=extractor.frames,
            said=f"{extractor.feature_size} mel bands every {1000 * hop:g} ms",
        )
    limit = most_seconds(extractor)
    return SoundForm(
        rate=extractor.sampling_rate,
        shortest=Limit(_SHORTEST, f"the {_SHORTEST} s of a frame", "leave it out"),
        longest=Limit(
            _MOST_SECONDS if limit is None else min(limit, _MOST_SECONDS),
            "" if limit is None else ", all that the encoder takes",
            "cut it into pieces",
        ),
        make=_as_float32,
        said="as samples, for the encoder",
    )


def _as_float32(samples: NDArray[Any]) -> NDArray[np.float32]:
    return samples.astype(np.float32)
