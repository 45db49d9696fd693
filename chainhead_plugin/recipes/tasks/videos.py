"""A label for every video."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecipeError
from ..task import CardWords
from .classification import Classification

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class VideoClassification(Classification):
    """Videos become chains of the nodes that a pretrained encoder makes of their first frames."""

    name = "video-classification"
    reads = "video"
    has_data_sets = False
    options = ("encoder", "class_weight")
    # By its name alone the pipeline would take other frames, those of the encoder's video processor.
    words = CardWords(
        pipeline_code="""\
import registry
from transformers import AutoImageProcessor, AutoModelForVideoClassification, pipeline

registry.load_plugins()
name = "{name}"
classifier = pipeline(
    "video-classification",
    model=AutoModelForVideoClassification.from_pretrained(name),
    image_processor=AutoImageProcessor.from_pretrained(name),
)
print(classifier("video.mp4", frame_sampling_rate={frame_sampling_rate}))"""
    )

    def check(self, recipe: "Recipe") -> None:
        """Check that there is an encoder."""
        if not recipe.encoder:
            raise RecipeError(
                f"{self.name} needs an encoder, as nodes of videos are made by no other means: name a pretrained "
                "encoder of videos as encoder, such as {repository: MCG-NJU/videomae-base, revision: main}"
            )

    def check_data(self, recipe: "Recipe", data: "Data") -> None:
        """Check that the encoder's image processor takes all videos."""
        super().check_data(recipe, data)
        from ..pretrained.clips import check_clips
        from ..pretrained.encoder import load_encoder

        check_clips(load_encoder(recipe).preprocessor, [*data.train.inputs, *data.test.inputs])

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Take the image processor of the encoder."""
        from ..candidates.inputs.videos import prepare_videos

        return prepare_videos(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the image processor."""
        from ..candidates.inputs.videos import load_videos

        return load_videos(folder)
