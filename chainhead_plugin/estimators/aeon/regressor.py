"""`ChainHeadRegressor` on the base class of aeon's regressors."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from aeon.regression.base import BaseRegressor
from numpy.typing import NDArray

from ..regressor import ChainHeadRegressor
from .classifier import TAGS, TEST_OPTIONS


class AeonChainHeadRegressor(BaseRegressor):
    """Predict a number for every series by random chain heads, as a regressor of aeon.

    Training and predictions are those of `ChainHeadRegressor`, which serves most purposes and takes more types of
    series. This class is for what asks for aeon's base class, such as aeon's pipelines and ensembles.

    Parameters
    ----------
    causal : bool
        Whether a node's features depend on no later node.
    options : dict, optional
        Further parameters of `ChainHeadRegressor`.
    n_jobs : int
        Threads of the CPU, -1 for all cores.
    random_state : int, RandomState or None
        The seed.

    Attributes
    ----------
    regressor_ : ChainHeadRegressor
        The fitted regressor, which saves, pushes and streams.
    """

    _tags: ClassVar[dict[str, Any]] = dict(TAGS)

    def __init__(
        self,
        causal: bool = True,
        options: Mapping[str, Any] | None = None,
        n_jobs: int = 1,
        random_state: Any = None,
    ) -> None:
        self.causal = causal
        self.options = options
        self.n_jobs = n_jobs
        self.random_state = random_state
        super().__init__()

    def _fit(self, X: Any, y: NDArray[Any]) -> "AeonChainHeadRegressor":
        self.regressor_ = ChainHeadRegressor(
            causal=self.causal, n_jobs=self.n_jobs, random_state=self.random_state, **(self.options or {})
        ).fit(X, y)
        return self

    def _predict(self, X: Any) -> NDArray[np.float64]:
        return self.regressor_.predict(X)

    @classmethod
    def _get_test_params(cls, parameter_set: str = "default") -> dict[str, Any]:
        return {"options": dict(TEST_OPTIONS)}


__all__ = ["AeonChainHeadRegressor"]
