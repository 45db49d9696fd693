"""What differs from task to task in recipes: what is measured, how it is shown, and how a batch carries targets."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .data.node_labels import accuracy_of_nodes, macro_f1, pad_labels
from .recipe import SEGMENTATION

_SIGNIFICANT = 4


@dataclass(frozen=True)
class Metric:
    """A number that tells how good predictions are.

    Attributes
    ----------
    name : str
        In results, catalogue and the Trainer's log: "accuracy" becomes `test_accuracy` and `eval_accuracy`.
    title : str
        In a sentence.
    greater_is_better : bool
    of : callable
        Maps predictions and targets, arrays of all examples, to the number.
    percent : bool
        Whether it is a share, shown in percent. Others are shown with four significant digits.
    """

    name: str
    title: str
    greater_is_better: bool
    of: Callable[[NDArray[Any], NDArray[Any]], float]
    percent: bool = False

    def better(self, value: float, other: float) -> bool:
        """Return whether a value is better than another."""
        return value > other if self.greater_is_better else value < other

    def best(self, models: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the first of the models with the best mean over the seeds, in the form that results have."""
        sign = 1 if self.greater_is_better else -1
        return max(models, key=lambda model: sign * model[f"test_{self.name}_mean"])

    def text(self, value: float, like: float | None = None, *, finer: bool = False) -> str:
        """Return a value as tables show it, without a unit, with as many decimals as `like` has.

        Shares have one decimal, or two if `finer`.
        """
        if self.percent:
            return f"{100 * value:.{2 if finer else 1}f}"
        size = abs(value if like is None else like)
        decimals = _SIGNIFICANT - 1 - math.floor(math.log10(size)) if size > 0 else _SIGNIFICANT
        return f"{value:.{max(0, decimals)}f}"

    def spread(self, model: Mapping[str, Any]) -> str:
        """Return "mean ± standard deviation" of a model's test, in the form that results have."""
        mean, deviation = model[f"test_{self.name}_mean"], model[f"test_{self.name}_sd"]
        return f"{self.text(mean)} ± {self.text(deviation, mean)}"

    def difference(self, model: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, str]:
        """Return how far a model's mean is from another's, and the larger of their standard deviations.

        Shares differ by points, others by percent of the other's.
        """
        mean, deviation = f"test_{self.name}_mean", f"test_{self.name}_sd"
        gap, largest = model[mean] - other[mean], max(model[deviation], other[deviation])
        if self.percent:
            return f"{100 * gap:+.1f} points", f"{100 * largest:.1f}"
        return f"{100 * gap / other[mean]:+.1f} % {self.title}", f"{100 * largest / other[mean]:.1f} %"

    def in_unit(self, unit: str | None) -> str:
        """Return what stands before a table or on an axis: "accuracy in %", "RMSE in km"."""
        unit = "%" if self.percent else unit
        return f"{self.title} in {unit}" if unit else self.title


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


def _accuracy(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    return float((logits.argmax(-1) == labels).mean())


def _accuracy_of_nodes(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    return accuracy_of_nodes(logits.argmax(-1), labels)


def _macro_f1_of_nodes(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    return macro_f1(logits.argmax(-1), labels)


def _rmse(forecasts: NDArray[Any], values: NDArray[Any]) -> float:
    """Of what was observed: NaN does not count."""
    return math.sqrt(np.nanmean(np.square(forecasts.astype(np.float64) - values)))


def _mae(forecasts: NDArray[Any], values: NDArray[Any]) -> float:
    return float(np.nanmean(np.abs(forecasts.astype(np.float64) - values)))


_CLASSIFICATION = TaskTraits(
    metrics=(Metric("accuracy", "accuracy", True, _accuracy, percent=True),),
    loss="cross-entropy",
    targets="labels",
    outputs="logits",
    collate=lambda labels: torch.from_numpy(np.asarray(labels)),
)
_FORECASTING = TaskTraits(
    metrics=(Metric("rmse", "RMSE", False, _rmse), Metric("mae", "MAE", False, _mae)),
    loss="loss, in units of the window's scale",
    targets="future_values",
    outputs="prediction_outputs",
    collate=lambda values: torch.from_numpy(np.asarray(values)),
)
_SEGMENTATION = replace(
    _CLASSIFICATION,
    metrics=(
        Metric("accuracy", "accuracy", True, _accuracy_of_nodes, percent=True),
        Metric("macro_f1", "mean F1 of the labels", True, _macro_f1_of_nodes, percent=True),
    ),
    collate=lambda labels: torch.from_numpy(pad_labels(labels)),
)
_TRAITS = {"time-series-forecasting": _FORECASTING, SEGMENTATION: _SEGMENTATION}


def traits_of(task: str) -> TaskTraits:
    """Return what the recipe system knows of a task."""
    return _TRAITS.get(task, _CLASSIFICATION)
