"""Ridge regression from the past to the future, which shrinks towards a classical forecast instead of zero."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .origins import Windows

Matrix = NDArray[np.float64]

# A window's errors are divided by its standard deviation, but at least by this share of the series' deviation.
_LEAST_DEVIATION = 0.1
_ROUNDS, _LEAST_ERROR = 4, 0.1


@dataclass
class RidgeFit:
    """Ridge regressions of any strength, and towards any classical forecast, from one eigendecomposition.

    The errors of a window are divided by its own standard deviation before they are squared. Sums over windows are
    computed block by block.

    Attributes
    ----------
    windows : Windows
        Of series scaled to a standard deviation of about 1.
    keeps_level : bool
        If True, the mean of a window's past is subtracted from past and future, so that a shift of the past shifts the
        forecast by the same amount. If False, forecasts may return to the level 0.
    """

    windows: Windows
    keeps_level: bool

    def __post_init__(self) -> None:
        past, steps = self.windows.past, self.windows.horizon
        # Of each block, as they are read once for every round of a robust solution.
        self._scalings = [self._scaling(rows) for rows, _ in self.windows.blocks()]
        gram, products = np.zeros((past, past)), np.zeros((past, steps))
        for inputs, wanted in self._blocks():
            gram += inputs.T @ inputs
            products += inputs.T @ wanted
        values, self.vectors = np.linalg.eigh(gram)
        self.values = np.maximum(values, 0)[:, np.newaxis]
        self.products = self.vectors.T @ products

    def _scaling(self, past: Matrix) -> tuple[Matrix, Matrix]:
        levels = past.mean(1, keepdims=True) if self.keeps_level else np.zeros((len(past), 1))
        return levels, 1 / np.maximum(past.std(1, keepdims=True), _LEAST_DEVIATION)

    def _blocks(self) -> Iterator[tuple[Matrix, Matrix]]:
        for (past, future), (levels, weights) in zip(self.windows.blocks(), self._scalings, strict=True):
            yield (past - levels) * weights, (future - levels) * weights

    def rotated(self, start: Matrix, ridge: float) -> Matrix:
        """Return the solution [length, steps] in the basis of the eigenvectors.

        Parameters
        ----------
        start : float64 array [length, steps]
            The map to shrink towards, in this basis.
        ridge : float
            Strength of the penalty on the squared difference from `start`, for each window.
        """
        penalty = ridge * len(self.windows)
        return (self.products + penalty * start) / (self.values + penalty)

    def solve(self, start: Matrix, ridge: float) -> Matrix:
        """Return the map [length, steps], to be multiplied with pasts from which no mean is subtracted."""
        return self._whole(self.vectors @ self.rotated(self.vectors.T @ start, ridge))

    def solve_robustly(self, start: Matrix, ridge: float) -> Matrix:
        """Return the map [length, steps] with the least sum of the windows' absolute errors instead of their squares.

        It is found by repeated weighted least squares, which begin with equal weights: the weight of a window is the
        inverse of its error in the round before. A single unusual day, such as a holiday, then has less influence.
        """
        solution = np.asarray(self.vectors @ self.rotated(self.vectors.T @ start, ridge), np.float64)
        for _ in range(_ROUNDS - 1):
            errors = np.concatenate(
                [np.abs(wanted - inputs @ solution).mean(1) for inputs, wanted in self._blocks()]
            )[:, np.newaxis]
            weights = 1 / np.maximum(errors, _LEAST_ERROR * np.median(errors) + 1e-12)
            roots = np.sqrt(weights / weights.mean())

            gram, products = np.zeros((len(start), len(start))), np.zeros_like(start)
            begin = 0
            for inputs, wanted in self._blocks():
                root = roots[begin : begin + len(inputs)]
                # NumPy multiplies a matrix with its own transpose in half the time.
                weighted = inputs * root
                gram += weighted.T @ weighted
                products += weighted.T @ ((wanted - inputs @ start) * root)
                begin += len(inputs)
            gram[np.diag_indices_from(gram)] += ridge * len(self.windows)
            solution = start + np.asarray(np.linalg.solve(gram, products), np.float64)
        return self._whole(solution)

    def _whole(self, weights: Matrix) -> Matrix:
        return with_level(weights) if self.keeps_level else weights


def with_level(weights: Matrix) -> Matrix:
    """Return the map for pasts with their mean, from a map for pasts less their mean; its columns sum to 1."""
    return weights + (1 - weights.sum(0)) / len(weights)


__all__ = ["RidgeFit", "with_level"]
