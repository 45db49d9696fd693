"""Ridge regression in closed form, its strength chosen by leave-one-out errors."""

from dataclasses import dataclass

import torch
from torch import Tensor

# The strengths to try, in units of the mean square of a row of features.
_STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(-14, 5))


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


def with_zero_mean(products: Tensor) -> Tensor:
    """Return the scalar products of every two rows [rows, rows] as those of rows whose mean is exactly 0.

    Features are centred in float32 only, and some of the rows have another mean than all rows: the leave-one-out errors
    of a weak penalty would be those of rounding.
    """
    return products - products.mean(0) - products.mean(1, keepdim=True) + products.mean()


def fit_ridge(
    products: Tensor, targets: Tensor, weights: Tensor | None = None, most: float | None = None
) -> RidgeFit:
    """Fit a ridge regression of the strength with the least leave-one-out error.

    Parameters
    ----------
    products : float64 Tensor [rows, rows]
        The scalar products of every two rows of features. Each feature has mean 0.
    targets : float64 Tensor [rows, targets]
    weights : float64 Tensor [rows], optional
        How much each row's squared error counts, in the regression and in the mean of leave-one-out errors. They are
        positive, and 1 on average. A weight of 2 fits as two equal rows do, but both are left out together.
    most : float, optional
        The largest strength to try, in units of the mean square of a row of features; by default 100.

    Returns
    -------
    RidgeFit
    """
    if weights is not None:
        return _fit_weighted(products, targets, weights, most)
    values, vectors = torch.linalg.eigh(products)
    values = values.clamp(min=0)
    intercept = targets.mean(0)
    centred = targets - intercept
    ones = centred.new_full((len(targets),), 1)
    missed, errors, strengths = _leave_one_out(values, vectors, centred, ones, most)
    best = int(errors.argmin())
    strength = float(strengths[best])
    weight = vectors @ ((vectors.T @ centred) / (values + strength)[:, None])
    return RidgeFit(
        weight, intercept, strength, targets - missed[:, best], float(errors[best]), values, vectors
    )


def _fit_weighted(products: Tensor, targets: Tensor, weights: Tensor, most: float | None) -> RidgeFit:
    """Fit to rows that count differently: each row is multiplied by the root of its weight."""
    share, root = weights / weights.sum(), weights.sqrt()[:, None]
    # The mean of features is then the weighted mean. The weights of rows sum to 0, so that they need no centred rows.
    means = products @ share
    centred_products = products - means - means[:, None] + share @ means
    centre = share @ targets
    centred = root * (targets - centre)
    values, vectors = torch.linalg.eigh(root * centred_products * root.T)
    values = values.clamp(min=0)
    missed, errors, strengths = _leave_one_out(values, vectors, centred, weights, most)
    best = int(errors.argmin())
    strength = float(strengths[best])
    weight = root * (vectors @ ((vectors.T @ centred) / (values + strength)[:, None]))
    intercept = centre - means @ weight
    left_out = targets - missed[:, best] / root
    return RidgeFit(weight, intercept, strength, left_out, float(errors[best]), values, vectors)


def _leave_one_out(
    values: Tensor, vectors: Tensor, centred: Tensor, weights: Tensor, most: float | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return leave-one-out errors [rows, strengths, targets], their mean squares [strengths], and the strengths.

    `centred` and the errors are multiplied by the roots of the weights.
    """
    projected = vectors.T @ centred
    tried = [strength for strength in _STRENGTHS if most is None or strength <= most]
    strengths = values.new_tensor(tried) * max(float(values.mean()), 1e-12)
    shrunk = strengths[:, None] / (values + strengths[:, None])  # [strengths, rows]
    residuals = vectors @ (shrunk[:, :, None] * projected).movedim(0, 1).flatten(1)
    residuals = residuals.view(len(centred), len(strengths), -1)
    # A row's residual is its leave-one-out error times this number, which also accounts for the intercept.
    free = (vectors.square() @ shrunk.T - (weights / weights.sum())[:, None]).clamp(min=1e-9)
    missed = residuals / free[:, :, None]
    return missed, missed.square().mean((0, 2)), strengths
