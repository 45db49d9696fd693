"""`ChainHeadClassifier` on the base class of aeon's classifiers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from aeon.classification.base import BaseClassifier
from numpy.typing import NDArray

from ..classifier import ChainHeadClassifier

# What both estimators say of themselves to aeon, and options that make tests quick.
TAGS: Mapping[str, Any] = {
    "X_inner_type": ["np-list", "numpy3D"],
    "capability:multivariate": True,
    "capability:unequal_length": True,
    "capability:missing_values": True,
    "capability:multithreading": True,
    "algorithm_type": "convolution",
}
TEST_OPTIONS: Mapping[str, Any] = {"num_biases": 1, "num_groups": 4, "group_size": 2, "num_levels": 8}


class AeonChainHeadClassifier(BaseClassifier):
    """Classify series by random chain heads, as a classifier of aeon.

    Training and predictions are those of `ChainHeadClassifier`, which serves most purposes and takes more types of
    series. This class is for what asks for aeon's base class, such as aeon's pipelines and ensembles.

    Parameters
    ----------
    causal : bool
        Whether a node's features depend on no later node.
    class_weight : dict, "balanced" or None
        As for `ChainHeadClassifier`.
    seconds : float, optional
        As for `ChainHeadClassifier`.
    options : dict, optional
        Further parameters of `ChainHeadClassifier`.
    n_jobs : int
        Threads of the CPU, -1 for all cores.
    random_state : int, RandomState or None
        The seed.

    Attributes
    ----------
    classes_ : array [labels]
    classifier_ : ChainHeadClassifier
        The fitted classifier, which saves, pushes and streams.

    Examples
    --------
    >>> classifier = AeonChainHeadClassifier(random_state=0).fit(train_series, train_labels)
    >>> classifier.classifier_.save_pretrained("gunpoint")
    """

    _tags: ClassVar[dict[str, Any]] = dict(TAGS)

    def __init__(
        self,
        causal: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        seconds: float | None = None,
        options: Mapping[str, Any] | None = None,
        n_jobs: int = 1,
        random_state: Any = None,
    ) -> None:
        self.causal = causal
        self.class_weight = class_weight
        self.seconds = seconds
        self.options = options
        self.n_jobs = n_jobs
        self.random_state = random_state
        super().__init__()

    def _fit(self, X: Any, y: NDArray[Any]) -> "AeonChainHeadClassifier":
        self.classifier_ = ChainHeadClassifier(
            causal=self.causal,
            class_weight=self.class_weight,
            seconds=self.seconds,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
            **(self.options or {}),
        ).fit(X, y)
        return self

    def _predict(self, X: Any) -> NDArray[Any]:
        return self.classifier_.predict(X)

    def _predict_proba(self, X: Any) -> NDArray[np.float64]:
        return self.classifier_.predict_proba(X)

    @classmethod
    def _get_test_params(cls, parameter_set: str = "default") -> dict[str, Any]:
        return {"options": dict(TEST_OPTIONS)}


__all__ = ["AeonChainHeadClassifier"]
