"""A label for every text."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecipeError
from ..task import CardWords
from .classification import Classification
from .series import PRINT_LABELS

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Examples
    from ..recipe import Recipe


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
        """Check that a tokenizer is not trained beside that of an encoder."""
        if recipe.encoder and recipe.tokenizer:
            raise RecipeError("tokenizer has no effect with an encoder, which has its own")

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Train a tokenizer, or take the tokenizer of the encoder."""
        from ..candidates.inputs.texts import prepare_texts

        return prepare_texts(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the tokenizer."""
        from ..candidates.inputs.texts import load_texts

        return load_texts(folder)
