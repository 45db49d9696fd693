"""A label for every sound."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecipeError
from ..task import CardWords
from .classification import Classification

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class AudioClassification(Classification):
    """Sounds become chains of log-mel frames."""

    name = "audio-classification"
    reads = "sound"
    options = ("spectrum", "class_weight")
    words = CardWords()

    def check(self, recipe: "Recipe") -> None:
        """Check that the model has no encoder, and that the rate of sounds is stated where it belongs."""
        if recipe.model.get("backbone_config") is not None:
            raise RecipeError(
                "model: backbone_config has no effect for sounds, whose nodes are log-mel frames: to train a head on "
                "an encoder of audio, use ChainHeadForAudioClassification.from_backbone"
            )
        if "sampling_rate" in recipe.spectrum:
            raise RecipeError("spectrum: sampling_rate is an option of data: state it there")

    def load(self, recipe: "Recipe") -> "Data":
        """Load sounds from files."""
        if isinstance(recipe.data, str):
            raise RecipeError(
                f"there is no data set {recipe.data!r} for {self.name}: name files with train and test"
            )
        return super().load(recipe)

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit an audio feature extractor."""
        from ..candidates.inputs.sounds import prepare_sounds

        return prepare_sounds(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the audio feature extractor."""
        from ..candidates.inputs.sounds import load_sounds

        return load_sounds(folder)
