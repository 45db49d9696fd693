"""The base of tasks that predict numbers, or several labels, for whole series."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..errors import RecipeError
from .whole_series import WholeSeries

if TYPE_CHECKING:
    from ...config.configuration_chainhead import ChainHeadConfig
    from ...tables.series import SeriesSet
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class SeriesTargets(WholeSeries):
    """Whole series with numbers or several labels; the `problem_type` of a model tells which of them it predicts."""

    pipeline = "time-series-classification"
    is_stratified = False
    options = ("encoder",)

    @abstractmethod
    def targets_of(self, found: "SeriesSet") -> NDArray[Any]:
        """Return the targets of series that were read, an array [series] or [series, labels]."""

    def load(self, recipe: "Recipe") -> "Data":
        """Load files with columns of targets."""
        from ..data.targets import load_targets

        return load_targets(recipe, self.targets_of)

    def check_model(self, config: "ChainHeadConfig", test: "Examples", recipe: "Recipe") -> None:
        """Check that model and data have the same columns of targets."""
        names = tuple(config.id2label[index] for index in range(config.num_labels))
        if names != test.names:
            raise RecipeError(f"the model predicts {', '.join(names)}; the data have {', '.join(test.names)}")
