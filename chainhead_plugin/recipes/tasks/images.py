"""A label for every image."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecipeError
from ..fields.rates import check_rates
from ..fields.training_arguments import wrong_argument
from ..task import CardWords
from .classification import Classification
from .series import PRINT_LABELS

if TYPE_CHECKING:
    from ..candidates.frozen import FrozenBackbone
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class ImageClassification(Classification):
    """Images become chains of rows, patches, or places of a backbone's feature map."""

    name = "image-classification"
    reads = "pixels"
    axes = (3, 4)
    options = ("pretraining", "encoder", "class_weight")
    words = CardWords(
        preprocessor="processor",
        auto_preprocessor="AutoImageProcessor",
        imports="import numpy as np\n",
        more_imports="from PIL import Image\n",
        inputs="""\
images = [Image.fromarray(np.array(sample["pixels"], np.uint8)) for sample in samples]
inputs = processor(images, return_tensors="pt")""",
        answers=PRINT_LABELS,
        pipeline_answers='print(classifier(Image.fromarray(np.array(samples[0]["pixels"], np.uint8)), top_k=2))',
    )

    def check(self, recipe: "Recipe") -> None:
        """Check `pretraining`, an encoder, and that no backbone keeps random weights."""
        given = recipe.pretraining
        if recipe.encoder and given:
            raise RecipeError("pretraining has no effect with an encoder, which is trained already")
        if recipe.encoder and isinstance(recipe.data, Mapping) and "size" in recipe.data:
            raise RecipeError(
                "data: size has no effect with an encoder, whose image processor resizes images"
            )
        if recipe.model.get("freeze_backbone") and not given:
            raise RecipeError("freeze_backbone keeps the backbone's random weights without pretraining")
        if not given:
            return
        if not (recipe.model.get("backbone_config") and recipe.model.get("freeze_backbone")):
            raise RecipeError(
                "pretraining has no effect without backbone_config and freeze_backbone: true in the model"
            )
        if missing := sorted({"share", "learning_rate"} - given.keys()):
            raise RecipeError(f"pretraining needs {' and '.join(missing)}")
        rest = {key: given[key] for key in given if key not in ("share", "learning_rate", "seed")}
        if wrong := wrong_argument(rest):
            raise RecipeError(f"pretraining: {wrong}")
        share, seed = given["share"], given.get("seed", 0)
        if not (isinstance(share, float) and 0 < share < 1):
            raise RecipeError(f"pretraining: share must be between 0 and 1, got {share!r}")
        if not (type(seed) is int and seed >= 0):
            raise RecipeError(f"pretraining: seed must be an integer ≥ 0, got {seed!r}")
        check_rates([given["learning_rate"]], "pretraining: learning_rate")

    def check_data(self, recipe: "Recipe", data: "Data") -> None:
        """Check that the encoder's image processor takes all images."""
        super().check_data(recipe, data)
        if not recipe.encoder:
            return
        from ..pretrained.encoder import load_encoder
        from ..pretrained.images import check_images

        encoder = load_encoder(recipe)
        channels = encoder.config.get("num_channels", 3)
        check_images(encoder.preprocessor, channels, [*data.train.inputs, *data.test.inputs])

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Return an image processor that gives images the size of the first image."""
        from ..candidates.inputs.images import prepare_encoded_images, prepare_images

        return (prepare_encoded_images if recipe.encoder else prepare_images)(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the image processor."""
        from ..candidates.inputs.images import load_images

        return load_images(folder)

    def freeze(
        self, recipe: "Recipe", data: "Data", folder: Path, on_epoch: Callable[[int], None]
    ) -> "FrozenBackbone | None":
        """Train the backbone if the recipe has `pretraining`; run its encoder if that is frozen."""
        if not recipe.pretraining:
            return super().freeze(recipe, data, folder, on_epoch)
        from ..training.fitting.pretraining import freeze_trained_backbone

        return freeze_trained_backbone(recipe, data, folder, on_epoch)
