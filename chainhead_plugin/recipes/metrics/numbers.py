"""The metrics of predicted numbers, a number for each series, by scikit-learn's formulas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.examples import require
from .metric import Metric


def root_mean_squared_error(predictions: NDArray[Any], targets: NDArray[Any]) -> float:
    """Return the root of the mean squared error, in the targets' unit; NaN if a prediction is not finite.

    Parameters
    ----------
    predictions : array [series, 1]
    targets : array [series]
    """
    return _of("root_mean_squared_error", predictions, targets)


def mean_absolute_error(predictions: NDArray[Any], targets: NDArray[Any]) -> float:
    """Return the mean absolute error, in the targets' unit; NaN if a prediction is not finite."""
    return _of("mean_absolute_error", predictions, targets)


def r2(predictions: NDArray[Any], targets: NDArray[Any]) -> float:
    """Return the share of the targets' variance that is explained; NaN if all targets are equal."""
    if np.ptp(targets) == 0:
        return float("nan")
    return _of("r2_score", predictions, targets)


def _of(name: str, predictions: NDArray[Any], targets: NDArray[Any]) -> float:
    values = predictions[:, 0].astype(np.float64)
    if not np.isfinite(values).all():
        return float("nan")
    return float(getattr(require("sklearn.metrics", "scikit-learn"), name)(targets, values))


NUMBER_METRICS = (
    Metric("rmse", "RMSE", False, root_mean_squared_error),
    Metric("mae", "MAE", False, mean_absolute_error),
    Metric("r2", "R²", True, r2, has_unit=False),
)
