"""Ridge regression in closed form, its strength chosen by leave-one-out errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

# A ridge regression with at most this many rows uses a single thread. Several threads would wait for each other
# thousands of times. Little is gained by them, and each wait takes long if another program uses a core.
_MOST_IN_ONE_THREAD = 1024
# The strengths to try, in units of the mean square of a row of features.
_STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(-14, 5))


@contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Within a `with` block, let torch use a single CPU thread if there are too few rows to gain from more."""
    threads = torch.get_num_threads()
    if rows <= _MOST_IN_ONE_THREAD:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class RidgeFit:
    """A ridge regression, and its leave-one-out errors.

    Parameters
    ----------
    weight : float64 Tensor [rows, targets]
        The weights of the training rows: a prediction is the sum of the rows' products with the new features, times
        these weights, plus `intercept`.
    intercept : float64 Tensor [targets]
    strength : float
        The number that is added to the eigenvalues of the products.
    left_out : float64 Tensor [rows, targets]
        The prediction for each row by a fit of the same strength to all other rows.
    error : float
        The mean squared error of these predictions.
    values, vectors : float64 Tensor [rows], [rows, rows]
        Eigenvalues and eigenvectors of the products.
    """

    weight: Tensor
    intercept: Tensor
    strength: float
    left_out: Tensor
    error: float
    values: Tensor
    vectors: Tensor


def fit_ridge(products: Tensor, targets: Tensor) -> RidgeFit:
    """Fit a ridge regression of the strength with the least leave-one-out error.

    Parameters
    ----------
    products : float64 Tensor [rows, rows]
        The scalar products of every two rows of features. Each feature has mean 0.
    targets : float64 Tensor [rows, targets]

    Returns
    -------
    RidgeFit
    """
    values, vectors = torch.linalg.eigh(products)
    values = values.clamp(min=0)
    intercept = targets.mean(0)
    projected = vectors.T @ (targets - intercept)
    strengths = values.new_tensor(_STRENGTHS) * max(float(values.mean()), 1e-12)
    shrunk = strengths[:, None] / (values + strengths[:, None])  # [strengths, rows]
    residuals = vectors @ (shrunk[:, :, None] * projected).movedim(0, 1).flatten(1)
    residuals = residuals.view(len(targets), len(strengths), -1)
    # A row's residual is its leave-one-out error times this number, which also accounts for the intercept.
    free = (vectors.square() @ shrunk.T - 1 / len(targets)).clamp(min=1e-9)
    missed = residuals / free[:, :, None]
    errors = missed.square().mean((0, 2))
    best = int(errors.argmin())
    strength = float(strengths[best])
    weight = vectors @ (projected / (values + strength)[:, None])
    return RidgeFit(
        weight, intercept, strength, targets - missed[:, best], float(errors[best]), values, vectors
    )
