"""Ridge regression in closed form, its strength chosen by leave-one-out errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

# Rows up to which a ridge regression takes a single thread. Several threads would wait for each other thousands of
# times: little is gained, and where another program has a core, a wait takes as long as its turn.
_MOST_IN_ONE_THREAD = 1024
# In units of the mean square of a row of features.
_STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(-14, 5))


@contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Let torch take a single thread of the CPU where so few rows gain nothing by more."""
    threads = torch.get_num_threads()
    if rows <= _MOST_IN_ONE_THREAD:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class RidgeFit:
    """A ridge regression, and how well it does on rows that it has not seen.

    Parameters
    ----------
    weight : float64 Tensor [rows, targets]
        What each row's products with new features are weighed by.
    intercept : float64 Tensor [targets]
    strength : float
        What is added to the squares of the rows.
    left_out : float64 Tensor [rows, targets]
        The prediction of each row by a fit, of this strength, to the other rows.
    error : float
        The mean square of what those predictions miss.
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
    """Fit targets by the products of rows of features with each other, at the strength with the least error.

    Parameters
    ----------
    products : float64 Tensor [rows, rows]
        Of features with mean 0.
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
    # How much of its own prediction a row does not decide; all rows decide the intercept alike.
    free = (vectors.square() @ shrunk.T - 1 / len(targets)).clamp(min=1e-9)
    missed = residuals / free[:, :, None]
    errors = missed.square().mean((0, 2))
    best = int(errors.argmin())
    strength = float(strengths[best])
    weight = vectors @ (projected / (values + strength)[:, None])
    return RidgeFit(
        weight, intercept, strength, targets - missed[:, best], float(errors[best]), values, vectors
    )
