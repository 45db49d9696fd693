"""A label for every node of a time series."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..data.node_labels import pad_labels
from ..task import CardWords
from .classification import Classification
from .series import READ_CHAINS

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Examples
    from ..recipe import Recipe
    from ..training.measuring import Measured

_PRINT_SEGMENTS = """\
for chain, sample, indices in zip(chains, samples, logits.argmax(-1).tolist(), strict=True):
    named = [model.config.id2label[index] for index in indices[: len(chain)]]
    for segment in sample["segments"]:
        print(segment["label"], "->", *named[segment["start"] : segment["end"]])"""
_PICTURE = """\
![The first test chains: true and predicted labels]({pictures}segments.png)

The first chains of the test part, with their true labels and those that the published model names."""


class Segmentation(Classification):
    """Each time series is a chain of nodes, and every node has a label."""

    name = "time-series-segmentation"
    of_nodes = True
    is_stratified = False
    samples = "segments"
    words = CardWords(
        samples="test chains with every label",
        preprocessor="extractor",
        auto_preprocessor="AutoFeatureExtractor",
        inputs=READ_CHAINS,
        answers=_PRINT_SEGMENTS,
        pipeline_answers="""\
for segment in classifier(samples[0]["nodes"], aggregation_strategy="simple"):
    print(segment)""",
        picture_below=_PICTURE,
    )

    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return labels int64 [chains, longest], -100 behind a chain's end."""
        return pad_labels(targets)

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit a feature extractor."""
        from ..candidates.inputs.chains import prepare_chains

        return prepare_chains(training, of_nodes=True)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the feature extractor."""
        from ..candidates.inputs.chains import load_chains

        return load_chains(folder, of_nodes=True)

    def draw(self, recipe: "Recipe", measured: "Measured", prefix: str) -> None:
        """Draw the confusion matrix, and the true and predicted segments of the first test chains."""
        super().draw(recipe, measured, prefix)
        from ..results.segments_picture import draw_first_segments
        from ..training.fitting.predicting import predicted_labels

        test = measured.data.test
        predicted = predicted_labels(measured.model, measured.inputs, test)
        draw_first_segments(test, predicted, Path(f"{prefix}segments.png"))
