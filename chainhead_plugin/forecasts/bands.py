"""Quantiles of a forecast, taken from the errors of earlier forecasts that did not see the values they predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The least distance between two quantiles, in the units in which the model computes: a model's quantiles never touch.
_LEAST_GAP = 1e-6
# An error is dropped once it is this many memories old (see `ErrorRecord`), and only so many forecasts are kept.
_FORGOTTEN, _MOST_KEPT = 10, 5000
# Errors of overlapping forecasts are correlated. In each stretch of time as long as the horizon, they are worth this
# many independent errors.
_INDEPENDENT_PER_HORIZON = 2
_LEAST_INDEPENDENT = 1.5
# The normal distribution counts for this many errors in the shape of the band.
_NORMAL_ERRORS = 5


@dataclass(frozen=True)
class ErrorRecord:
    """Errors of past forecasts, and how much each forecast counts.

    Attributes
    ----------
    errors : float64 array [forecasts, steps]
        Observed values less forecasts; NaN where a value is missing or still to come.
    origins : int array [forecasts]
        The step at which each forecast begins, counted from the first time of all series.
    steps : float64 array [forecasts]
        How many steps of time each forecast stands for: more than 1 if only a part of the origins was used.
    memory : float
        The number of steps after which an error counts half.
    """

    errors: Array
    origins: NDArray[np.int64]
    steps: Array
    memory: float

    def band(self, now: int, levels: Sequence[float]) -> Array:
        """Return the quantiles of errors [steps, levels] at step `now`; recent errors count more."""
        weights = self.steps * 0.5 ** ((now - self.origins) / self.memory)
        # Forecasts whose origins are closer than the horizon predict some of the same values: they are not independent.
        spread = np.square(weights.sum()) / np.square(weights / np.sqrt(self.steps)).sum()
        independent = _INDEPENDENT_PER_HORIZON * float(spread) / self.errors.shape[1]
        return band_of(self.errors, weights, levels, max(independent, _LEAST_INDEPENDENT))

    def followed_by(self, errors: Array, origins: NDArray[np.int64], share: float = 1.0) -> "ErrorRecord":
        """Return a record with new forecasts added.

        The new forecasts replace those of this record that began at the same time or later. Very old forecasts are
        dropped.

        Parameters
        ----------
        errors : float64 array [forecasts, steps]
            As in `ErrorRecord`.
        origins : int array [forecasts]
            As in `ErrorRecord`; ascending.
        share : float
            How many steps of time each new forecast stands for.

        Returns
        -------
        ErrorRecord
        """
        since, now = origins[0], origins[-1]
        kept = (self.origins < since) & (self.origins > now - _FORGOTTEN * self.memory)
        return ErrorRecord(
            np.concatenate([self.errors[kept], errors])[-_MOST_KEPT:],
            np.concatenate([self.origins[kept], origins])[-_MOST_KEPT:],
            np.concatenate([self.steps[kept], np.full(len(origins), share)])[-_MOST_KEPT:],
            self.memory,
        )


def band_of(
    errors: Array, weights: Array, levels: Sequence[float], independent: float | None = None
) -> Array:
    """Return the quantiles of errors for each step, around a median of zero.

    Each step has its own width, the root mean square of its errors. All steps share one shape: the quantiles of all
    errors, each divided by the width of its step.

    Parameters
    ----------
    errors : float64 array [forecasts, steps]
        Observed values less forecasts; NaN does not count.
    weights : float64 array [forecasts]
        How much each forecast counts.
    levels : sequence of float
        Levels of the quantiles, ascending; 0.5 must be among them.
    independent : float, optional
        The number of independent errors that these correlated errors are worth. With fewer of them, the shape is
        closer to the normal distribution, and the quantiles lie further out: they are multiplied by the ratio of
        Student's quantile, with this number as degrees of freedom, to the normal quantile, as the widths are only
        estimates. By default neither is done.

    Returns
    -------
    float64 array [steps, levels]
        Ascending in each step.
    """
    counted = np.where(np.isnan(errors), 0, weights[:, np.newaxis])
    known = np.where(np.isnan(errors), 0, errors)

    mass = counted.sum(0)
    squares = (counted * np.square(known)).sum(0)
    # The width of a step with few errors is pulled towards the mean width of all steps.
    mean = squares.sum() / max(mass.sum(), 1e-300)
    share = 1 / (1 + (counted > 0).sum(0))
    widths = np.sqrt((1 - share) * squares / np.maximum(mass, 1e-300) + share * mean)

    relative = known / np.maximum(widths, 1e-12)
    shape = _weighted_quantiles(relative[counted > 0], counted[counted > 0], levels)
    if independent is not None:
        normal = np.array([NormalDist().inv_cdf(level) for level in levels])
        shape = (independent * shape + _NORMAL_ERRORS * normal) / (independent + _NORMAL_ERRORS)
        shape *= [_student_factor(level, independent) for level in levels]
    points = widths[:, np.newaxis] * shape
    median = list(levels).index(0.5)
    points[:, median] = 0
    above = np.maximum.accumulate(points[:, median:], 1)
    below = np.minimum.accumulate(points[:, : median + 1][:, ::-1], 1)[:, ::-1]
    return np.concatenate([below[:, :-1], above], 1) + _LEAST_GAP * (np.arange(len(levels)) - median)


def _weighted_quantiles(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Return quantiles of the weighted distribution, interpolated linearly between the middles of its steps."""
    if not len(values):
        return np.zeros(len(levels))
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    middles = (sums - weights[order] / 2) / sums[-1]
    return np.interp(levels, middles, values[order])


def _student_factor(level: float, freedom: float) -> float:
    """Return Student's quantile divided by the normal quantile, by a series in 1 / degrees of freedom."""
    z = NormalDist().inv_cdf(level)
    first = (z**2 + 1) / 4
    second = (5 * z**4 + 16 * z**2 + 3) / 96
    third = (3 * z**6 + 19 * z**4 + 17 * z**2 - 15) / 384
    return 1 + first / freedom + second / freedom**2 + third / freedom**3


__all__ = ["ErrorRecord", "band_of"]
