"""What differs from task to task in recipes: what is measured, how it is shown, and how a batch carries targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .data.node_labels import pad_labels
from .metrics import Metric, accuracy, mae, mean_f1_of_nodes, rmse, share_of_right_nodes
from .recipe import SEGMENTATION


@dataclass(frozen=True)
class TaskTraits:
    """What differs from task to task.

    Attributes
    ----------
    metrics : tuple of Metric
        The first one chooses learning rates and epochs, and is compared.
    loss : str
        What the loss is called.
    targets : str
        The name under which a model takes the targets.
    outputs : str
        The name under which a model gives what is measured.
    collate : callable
        Makes the targets of a batch, one tensor, of those of its examples.
    """

    metrics: tuple[Metric, ...]
    loss: str
    targets: str
    outputs: str
    collate: Callable[[Sequence[Any]], Tensor]

    @property
    def metric(self) -> Metric:
        """The metric that counts."""
        return self.metrics[0]

    def measure(self, predictions: NDArray[Any], targets: NDArray[Any]) -> dict[str, float]:
        """Return every metric by its name."""
        return {metric.name: metric.of(predictions, targets) for metric in self.metrics}


_CLASSIFICATION = TaskTraits(
    metrics=(Metric("accuracy", "accuracy", True, accuracy, percent=True),),
    loss="cross-entropy",
    targets="labels",
    outputs="logits",
    collate=lambda labels: torch.from_numpy(np.asarray(labels)),
)
_FORECASTING = TaskTraits(
    metrics=(Metric("rmse", "RMSE", False, rmse), Metric("mae", "MAE", False, mae)),
    loss="loss, in units of the window's scale",
    targets="future_values",
    outputs="prediction_outputs",
    collate=lambda values: torch.from_numpy(np.asarray(values)),
)
_SEGMENTATION = replace(
    _CLASSIFICATION,
    metrics=(
        Metric("accuracy", "accuracy", True, share_of_right_nodes, percent=True),
        Metric("macro_f1", "mean F1 of the labels", True, mean_f1_of_nodes, percent=True),
    ),
    collate=lambda labels: torch.from_numpy(pad_labels(labels)),
)
_TRAITS = {"time-series-forecasting": _FORECASTING, SEGMENTATION: _SEGMENTATION}


def traits_of(task: str) -> TaskTraits:
    """Return what the recipe system knows of a task."""
    return _TRAITS.get(task, _CLASSIFICATION)
