"""Standardised features of training series, and for each part of the features the products of every two series."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from .plan import FeaturePlan
from .workers import in_threads

# A feature's standard deviation counts as at least this share of the usual deviation of features of its kind. Otherwise
# a feature that hardly varies among the training series would be scaled up, and could be huge for a new series.
_LEAST_DEVIATION = 0.1
# Columns and rows that are processed at a time, so that they stay in the CPU's cache.
_COLUMNS, _ROWS = 256, 128
# The number of multiplications from which on a second thread saves time.
_LEAST_WORK = 2**27


@dataclass(frozen=True)
class Standard:
    """Standardised features of some rows, and for each part of them the products of every two rows.

    Parameters
    ----------
    mean, scale : float64 Tensor [features]
        The numbers that were subtracted from features, and the factors that they were multiplied with afterwards.
    features : float32 Tensor [rows, features]
    products : list of float64 Tensor [rows, rows]
        For the parts that `FeaturePlan.part_sizes` lists.
    """

    mean: Tensor
    scale: Tensor
    features: Tensor
    products: list[Tensor]


def standardised(features: Tensor, plan: FeaturePlan, threads: int) -> Standard:
    """Standardise features in place, and multiply every two rows.

    Parameters
    ----------
    features : float32 Tensor [rows, plan.num_features]
        Overwritten.
    plan : FeaturePlan
    threads : int
        The most threads to use. The result does not depend on it.
    """
    moments = [_centre(columns) for columns in torch.split(features, _COLUMNS, 1)]
    mean, deviation = (torch.cat(parts) for parts in zip(*moments, strict=True))
    kinds = [
        block.view(shape).square().mean(dim, keepdim=True).sqrt().expand(shape).flatten()
        for block, shape, dim in zip(
            torch.split(deviation, list(plan.block_sizes)),
            (plan.kernel_shape, plan.group_shape, plan.level_shape),
            ((1, 3), (2, 3), (1,)),
            strict=True,
        )
    ]
    deviation = torch.maximum(deviation, torch.cat(kinds) * _LEAST_DEVIATION)
    scale = (1 / deviation).where(deviation > 0, 0)
    factors = scale.float()
    for rows in torch.split(features, _ROWS):
        rows.mul_(factors)
    parts = torch.split(features, list(plan.part_sizes), 1)
    return Standard(mean, scale, features, _products(parts, threads))


def weights_of_features(standard: Standard, weight: Tensor) -> Tensor:
    """Return the weights of features [features, targets] from the weights of rows [rows, targets], in float64."""
    total = weight.new_zeros(standard.features.size(1), weight.size(1))
    # A few rows at a time, as all features in float64 would take twice their memory once more.
    for rows, weights in zip(torch.split(standard.features, 32), torch.split(weight, 32), strict=True):
        total.addmm_(rows.double().T, weights)
    return total


def _centre(columns: Tensor) -> tuple[Tensor, Tensor]:
    """Subtract the means of columns in place; return means and standard deviations."""
    mean = columns.mean(0, dtype=torch.float64)
    columns.sub_(mean.float())
    return mean, columns.square().mean(0).sqrt().double()


def _products(parts: Sequence[Tensor], threads: int) -> list[Tensor]:
    """Return the scalar products of every two rows for each part, as float64 [rows, rows].

    Each pair of rows is multiplied once.
    """
    count = len(parts[0])
    products = [torch.empty(count, count, dtype=torch.float64) for _ in parts]

    def multiply(task: tuple[int, int]) -> None:
        part, start = task
        features, found = parts[part], products[part]
        rows = slice(start, min(start + _ROWS, count))
        some = features[rows] @ features[: rows.stop].T
        found[rows, : rows.stop] = some
        found[:start, rows] = some[:, :start].T

    # The last rows of the first, largest part are multiplied most. They come first, so that no thread is left with
    # much work at the end.
    tasks = list(product(range(len(parts)), reversed(range(0, count, _ROWS))))
    work = count * count * sum(part.size(1) for part in parts)
    in_threads(multiply, tasks, threads if work >= _LEAST_WORK else 1)
    return products
