"""What all tasks with labels share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import RecipeError
from ..metrics import Metric, accuracy
from ..task import Task

if TYPE_CHECKING:
    from ...config.configuration_chainhead import ChainHeadConfig
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class Classification(Task):
    """A task whose examples, or their nodes, have labels."""

    metrics: ClassVar[tuple[Metric, ...]] = (Metric("accuracy", "accuracy", True, accuracy, percent=True),)

    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return labels int64 [examples]."""
        return np.asarray(targets)

    def load(self, recipe: "Recipe") -> "Data":
        """Load a set that a package brings, or files."""
        from ..data.datasets import load_dataset
        from ..data.files import load_files

        return load_dataset(recipe, recipe.data) if isinstance(recipe.data, str) else load_files(recipe)

    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the labels' names by their indices, and the other way round."""
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
