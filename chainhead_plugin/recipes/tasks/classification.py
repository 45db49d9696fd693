"""The base of all tasks with labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.node_labels import IGNORED
from ..errors import RecipeError
from ..metrics.labels import LABEL_METRICS, confusion
from ..task import PEERS, Task

if TYPE_CHECKING:
    from torch import nn

    from ...config.configuration_chainhead import ChainHeadConfig
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe
    from ..training.measuring import Measured


class Classification(Task):
    """A task whose examples, or their nodes, have labels."""

    metrics = LABEL_METRICS
    options: ClassVar[tuple[str, ...]] = ("class_weight",)
    peers: ClassVar[tuple[str, ...]] = (*PEERS, "dilated", "inception")
    # Whether some of its data sets ship in packages; otherwise data are files alone.
    has_data_sets: ClassVar[bool] = True

    def check_data(self, recipe: "Recipe", data: "Data") -> None:
        """Check that labels with weights exist, and that the first metric is defined on all parts."""
        from ..data.splits import held_out
        from ..training.fitting.weighting import class_weights

        class_weights(recipe.class_weight, data.train)
        if self.metric.name != "auc":
            return
        for part, examples in [*held_out(recipe, data.train), ("the test part", data.test)]:
            if 0 in (counts := _counts(examples)):
                raise RecipeError(
                    f"metric: the AUC is not defined on {part}, which has no example of the label "
                    f"{examples.names[counts.index(0)]!r}: choose another metric, or other parts"
                )

    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return labels int64 [examples]."""
        return np.asarray(targets)

    def load(self, recipe: "Recipe") -> "Data":
        """Load a data set from a package, or from files."""
        from ..data.datasets import load_dataset
        from ..data.files import load_files

        if isinstance(recipe.data, str) and not self.has_data_sets:
            raise RecipeError(
                f"there is no data set {recipe.data!r} for {self.name}: name files with train and test"
            )
        return load_dataset(recipe, recipe.data) if isinstance(recipe.data, str) else load_files(recipe)

    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the fields that map indices to labels, and labels to indices."""
        return {
            "problem_type": "single_label_classification",
            "id2label": dict(enumerate(names)),
            "label2id": {name: index for index, name in enumerate(names)},
        }

    def check_model(self, config: "ChainHeadConfig", test: "Examples", recipe: "Recipe") -> None:
        """Check that model and data have the same labels."""
        names = tuple(config.id2label[index] for index in range(config.num_labels))
        if names != test.names:
            raise RecipeError(
                f"the model's labels are {', '.join(names)}; the data's {', '.join(test.names)}"
            )

    def findings(self, recipe: "Recipe", data: "Data") -> dict[str, Any]:
        """Return the number of training examples, or nodes, of every label, and the weights of labels, if any."""
        from ..training.fitting.weighting import class_weights

        weights = class_weights(recipe.class_weight, data.train)
        found: dict[str, Any] = {
            "label_counts": dict(zip(data.train.names, _counts(data.train), strict=True))
        }
        if weights is not None:
            rounded = (round(weight, 4) for weight in weights.tolist())
            found["class_weights"] = dict(zip(data.train.names, rounded, strict=True))
        return found

    def inspect(
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", test: "Examples"
    ) -> dict[str, Any]:
        """Return the confusion matrix of the test part."""
        from ..training.fitting.predicting import predicted_labels

        return {"confusion": confusion(predicted_labels(model, inputs, test), test.labels, test.names)}

    def draw(self, recipe: "Recipe", measured: "Measured", prefix: str) -> None:
        """Draw the confusion matrix of the test part."""
        from ..results.confusion_picture import draw_confusion

        found = measured.results["confusion"]
        names = [label["name"] for label in found["labels"]]
        draw_confusion(found["counts"], names, Path(f"{prefix}confusion.png"))


def _counts(examples: "Examples") -> list[int]:
    counted = examples.labels[examples.labels != IGNORED]
    return [int(count) for count in np.bincount(counted, minlength=len(examples.names))]
