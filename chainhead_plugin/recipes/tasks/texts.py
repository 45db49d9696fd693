"""A label for every text."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...checks.values import check_switch, check_whole_number
from ..errors import RecipeError, said_of
from ..task import CardWords
from .classification import Classification
from .series import PRINT_LABELS

if TYPE_CHECKING:
    from ..candidates.frozen import FrozenBackbone
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe

_PLACES = ("folder", "package", "repository")
_ENCODER_OPTIONS = (*_PLACES, "revision", "sha256", "frozen", "max_length")
_FROM_ENCODER = ("m", "vocab_size", "pad_token_id", "backbone_config", "freeze_backbone")


class TextClassification(Classification):
    """Texts become chains of tokens, embedded or read by a pretrained encoder."""

    name = "text-classification"
    reads = "text"
    axes = (1,)
    options = ("tokenizer", "encoder", "class_weight")
    words = CardWords(
        preprocessor="tokenizer",
        auto_preprocessor="AutoTokenizer",
        inputs='inputs = tokenizer([sample["text"] for sample in samples], padding=True, return_tensors="pt")',
        answers=PRINT_LABELS,
        pipeline_answers='print(classifier(samples[0]["text"], top_k=2))',
    )

    def check(self, recipe: "Recipe") -> None:
        """Check the options of `encoder`, and that other fields do not contradict it."""
        encoder = recipe.encoder
        if not encoder:
            return
        if recipe.tokenizer:
            raise RecipeError("tokenizer has no effect with an encoder, which has its own")
        if unknown := sorted(encoder.keys() - {*_ENCODER_OPTIONS}):
            raise RecipeError(f"encoder has no {unknown[0]!r}: expected {', '.join(_ENCODER_OPTIONS)}")
        places = [name for name in _PLACES if name in encoder]
        if len(places) != 1 or not isinstance(encoder[places[0]], str):
            raise RecipeError(f"encoder must name its place by a single text, as {', '.join(_PLACES)}")
        if "revision" in encoder and places != ["repository"]:
            raise RecipeError("encoder: revision has no effect without repository")
        hashes = encoder.get("sha256", {})
        if not isinstance(hashes, Mapping) or not all(isinstance(digest, str) for digest in hashes.values()):
            raise RecipeError(f"encoder: sha256 must hold a hash for every file it names, got {hashes!r}")
        with said_of("encoder"):
            check_switch("frozen", encoder.get("frozen", True))
            check_whole_number("max_length", encoder.get("max_length", 1), 1)
        if given := [name for name in _FROM_ENCODER if name in recipe.model]:
            raise RecipeError(f"model: {given[0]} follows from the encoder, leave it out")

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Train a tokenizer, or take the tokenizer of the encoder."""
        from ..candidates.inputs.texts import prepare_texts

        return prepare_texts(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the tokenizer."""
        from ..candidates.inputs.texts import load_texts

        return load_texts(folder)

    def freeze(
        self, recipe: "Recipe", data: "Data", folder: Path, on_epoch: Callable[[int], None]
    ) -> "FrozenBackbone | None":
        """Run the encoder once if the recipe freezes it."""
        if not recipe.on_frozen_encoder:
            return None
        from ..candidates.frozen import encode_data

        return encode_data(recipe, data)
