"""The parameters that the classifier and the regressor share, as scikit-learn keeps them, and as models take them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .requirement import BaseEstimator


class RandomChainParameters(BaseEstimator):
    """Parameters of random chain heads and of their computation, which `ChainHeadClassifier` describes."""

    def __init__(
        self,
        *,
        causal: bool = True,
        dilations: Sequence[int] | None = None,
        with_differences: bool = True,
        num_biases: int = 4,
        num_groups: int = 32,
        group_size: int = 8,
        num_levels: int | None = None,
        batch_size: int = 256,
        device: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.causal = causal
        self.dilations = dilations
        self.with_differences = with_differences
        self.num_biases = num_biases
        self.num_groups = num_groups
        self.group_size = group_size
        self.num_levels = num_levels
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state


def plain(value: Any) -> Any:
    """Return a parameter with Python's own numbers in place of NumPy's, which grids of parameters are made of."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
