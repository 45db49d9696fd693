"""Metrics of validation and test parts, and the outcome of a metric over the seeds."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNIFICANT = 4


@dataclass(frozen=True)
class Outcome:
    """The values of a metric of a model on the test part.

    Attributes
    ----------
    values : tuple of float
        A value for every seed, NaN where the metric is not defined.
    """

    values: tuple[float, ...]

    @property
    def is_defined(self) -> bool:
        """Whether the metric is defined for every seed."""
        return not any(map(math.isnan, self.values))

    @property
    def mean(self) -> float | None:
        """The mean over the seeds, None if the metric is not defined for all of them."""
        return statistics.mean(self.values) if self.is_defined else None

    @property
    def sd(self) -> float | None:
        """The standard deviation over the seeds, None for a single seed or without a mean."""
        return statistics.stdev(self.values) if self.is_defined and len(self.values) > 1 else None


@dataclass(frozen=True)
class Metric:
    """A number that tells how good predictions are.

    Attributes
    ----------
    name : str
        Its name in results, catalogue and the Trainer's log, where "accuracy" becomes `test_accuracy` and
        `eval_accuracy`.
    title : str
        Its name in sentences.
    greater_is_better : bool
    of : callable
        Maps predictions and targets, arrays of all examples, to the number, or to NaN if it is not defined, as the AUC
        if a label has no example.
    percent : bool
        Whether the number is a share, shown in percent. Other numbers are shown with four significant digits.
    of_scores : bool
        Whether it needs a score for every label, and not only the predicted label.
    of_scale : bool
        Whether `of` takes a third argument, the errors of a naive forecast, which are the unit of the metric.
    has_unit : bool
        Whether a number that is no share is in the unit of the data.
    """

    name: str
    title: str
    greater_is_better: bool
    of: Callable[..., float]
    percent: bool = False
    of_scores: bool = False
    of_scale: bool = False
    has_unit: bool = True

    def better(self, value: float, other: float) -> bool:
        """Return whether a value is better than another."""
        return value > other if self.greater_is_better else value < other

    def text(self, value: float | None, like: float | None = None, *, finer: bool = False) -> str:
        """Return a value as tables show it, without a unit, with as many decimals as `like` has.

        Shares have one decimal, or two if `finer`. None and NaN are "not defined".
        """
        if value is None or math.isnan(value):
            return "not defined"
        if self.percent:
            return f"{100 * value:.{2 if finer else 1}f}"
        size = abs(value if like is None else like)
        decimals = _SIGNIFICANT - 1 - math.floor(math.log10(size)) if size > 0 else _SIGNIFICANT
        return f"{value:.{max(0, decimals)}f}"

    def spread(self, outcome: Outcome) -> str:
        """Return "mean ± standard deviation" of an outcome, or the mean alone if there is no deviation."""
        mean, deviation = outcome.mean, outcome.sd
        if mean is None or deviation is None:
            return self.text(mean)
        return f"{self.text(mean)} ± {self.text(deviation, mean)}"

    def difference(self, outcome: Outcome, other: Outcome) -> tuple[str, str | None]:
        """Return how far an outcome's mean is from another's, and the larger of their standard deviations.

        The difference is in percentage points for shares, for other numbers in percent of the other mean, or in their
        own unit if that is 0. The standard deviation is None for a single seed.

        Raises
        ------
        ValueError
            If the metric is not defined for an outcome.
        """
        mean, base = outcome.mean, other.mean
        if mean is None or base is None:
            raise ValueError(f"the {self.title} is not defined for every seed: there is no difference")
        gap = mean - base
        largest = None if outcome.sd is None or other.sd is None else max(outcome.sd, other.sd)

        if self.percent:
            return f"{100 * gap:+.1f} points", None if largest is None else f"{100 * largest:.1f}"
        if base == 0:
            return f"{gap:+.3g} {self.title}", None if largest is None else f"{largest:.3g}"
        spread = None if largest is None else f"{100 * largest / base:.1f} %"
        return f"{100 * gap / base:+.1f} % {self.title}", spread

    def in_unit(self, unit: str | None) -> str:
        """Return the words for a table or an axis, such as "accuracy in %" and "RMSE in km"."""
        if self.percent:
            return f"{self.title} in %"
        return f"{self.title} in {unit}" if self.has_unit and unit else self.title


def json_number(value: float) -> float | None:
    """Return a number for JSON, which has no NaN: None if it is not defined."""
    return None if math.isnan(value) else value


def rmse(forecasts: NDArray[Any], values: NDArray[Any]) -> float:
    """Return the root of the mean squared error over the values that are not NaN, in their unit."""
    return math.sqrt(np.nanmean(np.square(forecasts.astype(np.float64) - values)))


def mae(forecasts: NDArray[Any], values: NDArray[Any]) -> float:
    """Return the mean absolute error over the values that are not NaN, in their unit."""
    return float(np.nanmean(np.abs(forecasts.astype(np.float64) - values)))
