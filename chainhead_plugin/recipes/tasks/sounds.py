"""A label for every sound."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecipeError
from ..task import CardWords
from .classification import Classification

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Examples
    from ..recipe import Recipe


class AudioClassification(Classification):
    """Sounds become chains of log-mel frames, or of the frames of a pretrained encoder."""

    name = "audio-classification"
    reads = "sound"
    has_data_sets = False
    options = ("spectrum", "encoder", "class_weight")
    words = CardWords()

    def check(self, recipe: "Recipe") -> None:
        """Check that an encoder and the rate of sounds are stated where they belong."""
        if recipe.model.get("backbone_config") is not None:
            raise RecipeError(
                "model: backbone_config has no effect for sounds, as its weights would be random: name a pretrained "
                "encoder as encoder"
            )
        if "sampling_rate" in recipe.spectrum:
            raise RecipeError("spectrum: sampling_rate is an option of data: state it there")
        if recipe.encoder and recipe.spectrum:
            raise RecipeError(
                "spectrum has no effect with an encoder, which has a feature extractor of its own"
            )
        if recipe.encoder and isinstance(recipe.data, Mapping) and "sampling_rate" in recipe.data:
            raise RecipeError("data: sampling_rate follows from the encoder, leave it out")

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit an audio feature extractor, or take that of the encoder."""
        from ..candidates.inputs.sounds import prepare_encoded_sounds, prepare_sounds

        return (prepare_encoded_sounds if recipe.encoder else prepare_sounds)(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the audio feature extractor."""
        from ..candidates.inputs.sounds import load_sounds

        return load_sounds(folder)
