"""The base of tasks that predict numbers, or several labels, for whole series."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..errors import RecipeError
from ..task import Task

if TYPE_CHECKING:
    from ...config.configuration_chainhead import ChainHeadConfig
    from ...tables.series import SeriesSet
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class SeriesTargets(Task):
    """Whole series with numbers or several labels; the `problem_type` of a model tells which of them it predicts."""

    pipeline = "time-series-classification"
    is_stratified = False

    @abstractmethod
    def targets_of(self, found: "SeriesSet") -> NDArray[Any]:
        """Return the targets of series that were read, an array [series] or [series, labels]."""

    def load(self, recipe: "Recipe") -> "Data":
        """Load files with columns of targets."""
        from ..data.targets import load_targets

        return load_targets(recipe, self.targets_of)

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit a feature extractor."""
        from ..candidates.inputs.chains import prepare_chains

        return prepare_chains(training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the feature extractor."""
        from ..candidates.inputs.chains import load_chains

        return load_chains(folder)

    def check_model(self, config: "ChainHeadConfig", test: "Examples", recipe: "Recipe") -> None:
        """Check that model and data have the same columns of targets."""
        names = tuple(config.id2label[index] for index in range(config.num_labels))
        if names != test.names:
            raise RecipeError(f"the model predicts {', '.join(names)}; the data have {', '.join(test.names)}")
