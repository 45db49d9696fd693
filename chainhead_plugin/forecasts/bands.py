"""How far from a forecast the values come to lie: its quantiles, from errors of forecasts that did not know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Quantiles are at least so far apart, in units of the scale: the model's own never touch.
_LEAST_GAP = 1e-6
# Memories after which an error is left out, and how many are kept at most.
_FORGOTTEN, _MOST_KEPT = 10, 5000
# Correlated errors of forecasts that overlap tell as much as so many that do not, for each horizon's worth of time.
_INDEPENDENT_PER_HORIZON = 2
_LEAST_INDEPENDENT = 1.5
# How many errors the normal distribution counts for in the shape.
_NORMAL_ERRORS = 5


@dataclass(frozen=True)
class ErrorRecord:
    """Errors of forecasts that did not know what came, and what each counts for.

    Attributes
    ----------
    errors : float64 array [forecasts, steps]
        What came, less what was forecast; NaN where that is not known, or not yet.
    origins : int array [forecasts]
        Steps, on the time of all series, at which the futures begin.
    steps : float64 array [forecasts]
        For how many steps of time a forecast stands: more than one where only a part of the origins was taken.
    memory : float
        Steps after which an error counts half.
    """

    errors: Array
    origins: NDArray[np.int64]
    steps: Array
    memory: float

    def band(self, now: int, levels: Sequence[float]) -> Array:
        """Return the quantiles [steps, levels] of errors as they are at a time, recent ones counting more."""
        weights = self.steps * 0.5 ** ((now - self.origins) / self.memory)
        # Forecasts of origins that are nearer to each other than the horizon share what comes.
        spread = np.square(weights.sum()) / np.square(weights / np.sqrt(self.steps)).sum()
        independent = _INDEPENDENT_PER_HORIZON * float(spread) / self.errors.shape[1]
        return band_of(self.errors, weights, levels, max(independent, _LEAST_INDEPENDENT))

    def followed_by(self, errors: Array, origins: NDArray[np.int64], share: float = 1.0) -> "ErrorRecord":
        """Return the record with new forecasts in the place of its own since the first of them began.

        What no longer counts is left out.

        Parameters
        ----------
        errors : float64 array [forecasts, steps]
        origins : int array [forecasts]
            Ascending.
        share : float
            For how many steps each stands.
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

    Each step has a width of its own, and all steps together the shape: their errors in units of their widths.

    Parameters
    ----------
    errors : float64 array [origins, steps]
        What came, less what was forecast; NaN does not count.
    weights : float64 array [origins]
        How much they count.
    levels : sequence of float
        Ascending, 0.5 among them.
    independent : float, optional
        How many errors that do not depend on each other these amount to. The fewer, the more is the shape that of
        the normal distribution, and the further out are quantiles, by the ratio of Student's with so many degrees of
        freedom to normal ones: the widths are estimated.

    Returns
    -------
    float64 array [steps, levels]
        Ascending in each step.
    """
    counted = np.where(np.isnan(errors), 0, weights[:, np.newaxis])
    known = np.where(np.isnan(errors), 0, errors)

    mass = counted.sum(0)
    squares = (counted * np.square(known)).sum(0)
    # A step with few errors is as uncertain as the other ones.
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
    """Return quantiles on the lines between the middles of the steps of the weighted distribution."""
    if not len(values):
        return np.zeros(len(levels))
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    middles = (sums - weights[order] / 2) / sums[-1]
    return np.interp(levels, middles, values[order])


def _student_factor(level: float, freedom: float) -> float:
    """Return Student's quantile in units of the normal one, by its expansion in inverse degrees of freedom."""
    z = NormalDist().inv_cdf(level)
    first = (z**2 + 1) / 4
    second = (5 * z**4 + 16 * z**2 + 3) / 96
    third = (3 * z**6 + 19 * z**4 + 17 * z**2 - 15) / 384
    return 1 + first / freedom + second / freedom**2 + third / freedom**3


__all__ = ["ErrorRecord", "band_of"]
