"""Ridge regression from a past to a future, that shrinks towards a classical forecast instead of towards zero."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .origins import Windows

Matrix = NDArray[np.float64]

# Windows that vary less than this share of their series weigh no more than those that vary this much.
_LEAST_DEVIATION = 0.1
_ROUNDS, _LEAST_ERROR = 4, 0.1


@dataclass
class RidgeFit:
    """Windows, and the solutions of all ridge regressions on them, from one eigendecomposition.

    The squared errors of a window count in units of its own deviation. Sums over windows are taken a block at a time.

    Attributes
    ----------
    windows : Windows
        In units in which the series' deviation is about 1.
    keeps_level : bool
        Whether maps see a past less its mean, so that a shifted past gives a forecast shifted alike; else they may
        return to the level 0.
    """

    windows: Windows
    keeps_level: bool

    def __post_init__(self) -> None:
        past, steps = self.windows.past, self.windows.horizon
        gram, products = np.zeros((past, past)), np.zeros((past, steps))
        for inputs, wanted in self._blocks():
            gram += inputs.T @ inputs
            products += inputs.T @ wanted
        values, self.vectors = np.linalg.eigh(gram)
        self.values = np.maximum(values, 0)[:, np.newaxis]
        self.products = self.vectors.T @ products

    def _blocks(self) -> Iterator[tuple[Matrix, Matrix]]:
        for past, future in self.windows.blocks():
            levels = past.mean(1, keepdims=True) if self.keeps_level else np.zeros((len(past), 1))
            weights = 1 / np.maximum(past.std(1, keepdims=True), _LEAST_DEVIATION)
            yield (past - levels) * weights, (future - levels) * weights

    def rotated(self, start: Matrix, ridge: float) -> Matrix:
        """Return the solution in the basis of the eigenvectors.

        Parameters
        ----------
        start : array [length, steps]
            The map to shrink to, in that basis.
        ridge : float
            Strength of the penalty on the squared difference from it, for each window.
        """
        penalty = ridge * len(self.windows)
        return (self.products + penalty * start) / (self.values + penalty)

    def solve(self, start: Matrix, ridge: float) -> Matrix:
        """Return the map [length, steps] for pasts as they are."""
        return self._whole(self.vectors @ self.rotated(self.vectors.T @ start, ridge))

    def solve_robustly(self, start: Matrix, ridge: float) -> Matrix:
        """Return the map [length, steps] of the least absolute errors, those of a window taken together.

        By least squares whose weights are the errors of the round before, inverted: a holiday counts once, not by its
        square.
        """
        count = len(self.windows)
        weights = np.ones((count, 1))
        change = np.zeros_like(start)
        for _ in range(_ROUNDS):
            gram, products = np.zeros((len(start), len(start))), np.zeros_like(start)
            begin = 0
            for inputs, wanted in self._blocks():
                weighted = inputs * weights[begin : begin + len(inputs)]
                gram += weighted.T @ inputs
                products += weighted.T @ (wanted - inputs @ start)
                begin += len(inputs)
            gram[np.diag_indices_from(gram)] += ridge * count
            change = np.asarray(np.linalg.solve(gram, products), np.float64)

            errors = np.concatenate(
                [np.abs(wanted - inputs @ (start + change)).mean(1) for inputs, wanted in self._blocks()]
            )[:, np.newaxis]
            weights = 1 / np.maximum(errors, _LEAST_ERROR * np.median(errors) + 1e-12)
            weights /= weights.mean()
        return self._whole(start + change)

    def _whole(self, weights: Matrix) -> Matrix:
        return with_level(weights) if self.keeps_level else weights


def with_level(weights: Matrix) -> Matrix:
    """Return the map [length, steps] for pasts as they are of one for pasts less their mean: columns sum to 1."""
    return weights + (1 - weights.sum(0)) / len(weights)


__all__ = ["RidgeFit", "with_level"]
