"""Ridge regression in closed form, its strength chosen by leave-one-out errors."""

from dataclasses import dataclass

import torch
from torch import Tensor

# In units of the mean square of a row of features.
STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(-14, 5))


@dataclass(frozen=True)
class RidgeFit:
    """A linear map, and how well it does on rows that it has not seen.

    Parameters
    ----------
    weight : float64 Tensor [features, targets], or [rows, targets] by `fit_from_products`
        What features, or the products of features with those of the rows, are weighed by.
    intercept : float64 Tensor [targets]
    strength : float
    left_out : float64 Tensor [rows, targets]
        The prediction of each row by a fit, of this strength, to the other rows.
    error : float
        The mean square of what those predictions miss.
    """

    weight: Tensor
    intercept: Tensor
    strength: float
    left_out: Tensor
    error: float


def fit_from_products(products: Tensor, targets: Tensor) -> RidgeFit:
    """Fit targets by the products of rows of features with each other: for more features than rows.

    Parameters
    ----------
    products : float64 Tensor [rows, rows]
        Of features with mean 0.
    targets : float64 Tensor [rows, targets]

    Returns
    -------
    RidgeFit
        Its `weight` is a row's: the map from features is their transpose times `weight`.
    """
    values, vectors = torch.linalg.eigh(products)
    values = values.clamp(min=0)
    intercept = targets.mean(0)
    projected = vectors.T @ (targets - intercept)
    best: RidgeFit | None = None
    for strength in _strengths(float(values.sum()) / len(values)):
        shrunk = strength / (values + strength)
        residual = vectors @ (shrunk[:, None] * projected)
        # What a row does not decide itself of its own prediction; the intercept is decided by all alike.
        free = (vectors.square() @ shrunk - 1 / len(targets)).clamp(min=1e-9)
        left_out = targets - residual / free[:, None]
        error = float((residual / free[:, None]).square().mean())
        if best is None or error < best.error:
            weight = vectors @ (projected / (values + strength)[:, None])
            best = RidgeFit(weight, intercept, strength, left_out, error)
    assert best is not None
    return best


def fit_from_covariance(covariance: Tensor, cross: Tensor, features: Tensor, targets: Tensor) -> RidgeFit:
    """Fit targets by features: for more rows than features.

    Parameters
    ----------
    covariance : float64 Tensor [features, features]
        The products of features of mean 0 with each other, summed over all rows.
    cross : float64 Tensor [features, targets]
        Their products with the targets, less the targets' mean.
    features : Tensor [rows, features]
        Rows to choose the strength by, of those that were summed.
    targets : float64 Tensor [rows, targets]
        Less the mean of all targets.

    Returns
    -------
    RidgeFit
        Its `intercept` is 0, and `left_out` is of the rows given.
    """
    values, vectors = torch.linalg.eigh(covariance)
    values = values.clamp(min=0)
    rotated = features.double() @ vectors
    projected = vectors.T @ cross
    best: RidgeFit | None = None
    for strength in _strengths(float(values.sum()) / max(len(features), 1)):
        weight = projected / (values + strength)[:, None]
        free = (1 - rotated.square() @ (1 / (values + strength))).clamp(min=1e-9)
        missed = (targets - rotated @ weight) / free[:, None]
        error = float(missed.square().mean())
        if best is None or error < best.error:
            best = RidgeFit(
                vectors @ weight, torch.zeros_like(targets[0]), strength, targets - missed, error
            )
    assert best is not None
    return best


def _strengths(mean_square: float) -> list[float]:
    return [max(mean_square, 1e-12) * strength for strength in STRENGTHS]
