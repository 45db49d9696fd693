"""What is measured on validation and test parts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data.node_labels import IGNORED


def accuracy_of_nodes(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Return the share of nodes whose label is right.

    Parameters
    ----------
    predicted, labels : int64 arrays [chains, length]
        -100 in `labels` for nodes that do not count. At least one does.
    """
    return float((predicted == labels)[labels != IGNORED].mean())


def macro_f1(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Return the mean over the labels that occur of the harmonic mean of precision and recall.

    Parameters
    ----------
    predicted, labels : int64 arrays [chains, length]
        As in `accuracy_of_nodes`.
    """
    counted = labels != IGNORED
    predicted, labels = predicted[counted], labels[counted]
    count = int(max(labels.max(), predicted.max())) + 1
    right = np.bincount(labels[predicted == labels], minlength=count)
    true, named = np.bincount(labels, minlength=count), np.bincount(predicted, minlength=count)
    present = true > 0
    return float((2 * right[present] / (true + named)[present]).mean())


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
        """Return "mean ± standard deviation" of a model's test, in the form that results have; without one the mean."""
        mean, deviation = model[f"test_{self.name}_mean"], model[f"test_{self.name}_sd"]
        if deviation is None:
            return self.text(mean)
        return f"{self.text(mean)} ± {self.text(deviation, mean)}"

    def difference(self, model: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, str | None]:
        """Return how far a model's mean is from another's, and the larger of their standard deviations.

        Shares differ by points, errors by percent of the other's, or in their own unit where the other has none. One
        seed has no standard deviation: None.
        """
        base, deviations = (
            other[f"test_{self.name}_mean"],
            (model[f"test_{self.name}_sd"], other[f"test_{self.name}_sd"]),
        )
        gap = model[f"test_{self.name}_mean"] - base
        largest = None if None in deviations else max(deviations)

        if self.percent:
            return f"{100 * gap:+.1f} points", None if largest is None else f"{100 * largest:.1f}"
        if base == 0:
            return f"{gap:+.3g} {self.title}", None if largest is None else f"{largest:.3g}"
        spread = None if largest is None else f"{100 * largest / base:.1f} %"
        return f"{100 * gap / base:+.1f} % {self.title}", spread

    def in_unit(self, unit: str | None) -> str:
        """Return what stands before a table or on an axis: "accuracy in %", "RMSE in km"."""
        unit = "%" if self.percent else unit
        return f"{self.title} in {unit}" if unit else self.title


def accuracy(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share of examples whose largest logit, of [examples, labels], is that of their label."""
    return float((logits.argmax(-1) == labels).mean())


def share_of_right_nodes(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return `accuracy_of_nodes` for logits [chains, length, labels]."""
    return accuracy_of_nodes(logits.argmax(-1), labels)


def mean_f1_of_nodes(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return `macro_f1` for logits [chains, length, labels]."""
    return macro_f1(logits.argmax(-1), labels)


def rmse(forecasts: NDArray[Any], values: NDArray[Any]) -> float:
    """Of what was observed: NaN does not count."""
    return math.sqrt(np.nanmean(np.square(forecasts.astype(np.float64) - values)))


def mae(forecasts: NDArray[Any], values: NDArray[Any]) -> float:
    """Return the mean absolute error over the values that are not NaN, in their unit."""
    return float(np.nanmean(np.abs(forecasts.astype(np.float64) - values)))
