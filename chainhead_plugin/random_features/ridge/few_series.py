"""Shares of single pools, where labels have few series: by how well a pool tells which series share a label.

Leave-one-out errors choose between six mixtures of whole blocks, and with two or four series a label they choose them
by chance. Every two series, however, are a pair that shares a label or does not: so many pairs tell for each pool of
each bank of kernels whether series that are alike in it are of one label.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..plan import FeaturePlan
from .closed_form import with_zero_mean

# Chosen in cross-validation on two, four and eight series a label of the development sets' training parts: from how
# many series a label on average single pools no longer count, what the blocks of fixed kernels, groups and levels have
# before their pools are weighed, and the power of a pool's correlation that weighs it.
_ENOUGH = 8
_SHARES = (0.45, 0.45, 0.1)
_POWER = 4
# The strongest penalty to try there, in units of the mean square of a row of features. The squared errors of few rows
# ask for stronger ones, which leave little but the means of labels.
MOST_STRENGTH = 0.1
# Products whose deviation from each other is less than this share of their size differ by rounding alone.
_ROUNDING = 1e-5
# Columns that are processed at a time, so that they stay in the CPU's cache.
_COLUMNS = 1024


def share_of_pools(labels: Tensor | None) -> float:
    """Return how much of the sum of squares single pools decide on: from 7/8 with a series a label to 0 with 8.

    Parameters
    ----------
    labels : int64 Tensor [series], optional
        None where series have no label, or several: then 0.
    """
    if labels is None:
        return 0.0
    return max(0.0, 1 - len(labels) / int(labels.bincount().count_nonzero()) / _ENOUGH)


def squares_of_pools(
    features: Tensor, plan: FeaturePlan, labels: Tensor, weights: Tensor | None
) -> Tensor | None:
    """Return squares of the factors of features, which give every pool its share.

    Parameters
    ----------
    features : float32 Tensor [rows, plan.num_features]
        Standardised.
    plan : FeaturePlan
    labels : int64 Tensor [rows]
    weights : float64 Tensor [rows], optional
        How much each row counts; by default all count alike.

    Returns
    -------
    float64 Tensor [plan.num_features], or None
        With these factors the mean square of a row is 1. None if no pool tells anything: then likeness in no pool goes
        with a shared label.
    """
    same = (labels[:, None] == labels).double()
    count = weights if weights is not None else same.new_ones(len(labels))
    pairs = (count[:, None] * count).fill_diagonal_(0)
    of_pools: list[Tensor] = []
    total = 0.0
    for share, block in zip(_SHARES, _pools_of_blocks(features, plan), strict=True):
        found = [_unit_and_correlation(pools, same, pairs) for pools in block]
        unit, correlation = (torch.cat(parts) for parts in zip(*found, strict=True))
        weight = share / len(unit) * correlation.clamp(min=0) ** _POWER * (unit > 0)
        total += float(weight.sum())
        of_pools.append(weight / unit.where(unit > 0, 1))
    if total == 0:
        return None

    kernels, groups, levels = of_pools
    banks, _, pools, _ = plan.kernel_shape
    squares = (
        kernels.view(banks, 1, pools, 1).expand(plan.kernel_shape),
        groups.view(*plan.group_shape[:2], 1, 1).expand(plan.group_shape),
        levels.view(pools, 1).expand(plan.level_shape),
    )
    return torch.cat([square.flatten() for square in squares]) / total


def products_of(features: Tensor, factors: Tensor) -> Tensor:
    """Return the products of every two rows, with a factor [features] for each column, as float64 [rows, rows]."""
    total = torch.zeros(len(features), len(features), dtype=torch.float64)
    parts = zip(torch.split(features, _COLUMNS, 1), torch.split(factors.float(), _COLUMNS), strict=True)
    for columns, factor in parts:
        scaled = columns * factor
        total += scaled @ scaled.T
    return with_zero_mean(total)


def _pools_of_blocks(features: Tensor, plan: FeaturePlan) -> Iterator[list[Tensor]]:
    """Yield for kernels, groups and levels the features of their pools: of every bank [pools, rows, features]."""
    kernels, groups, levels = torch.split(features, list(plan.block_sizes), 1)
    rows = len(features)
    yield [
        bank.permute(2, 0, 1, 3).flatten(2) for bank in kernels.reshape(rows, *plan.kernel_shape).unbind(1)
    ]
    yield [bank.permute(1, 0, 2, 3).flatten(2) for bank in groups.reshape(rows, *plan.group_shape).unbind(1)]
    yield [levels.reshape(rows, *plan.level_shape).permute(1, 0, 2)]


def _unit_and_correlation(pools: Tensor, same: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Return of each pool the mean square of a row, and over pairs of rows the correlation of product and shared label.

    Parameters
    ----------
    pools : float32 Tensor [pools, rows, features]
    same : float64 Tensor [rows, rows]
        1 for rows of one label, otherwise 0.
    pairs : float64 Tensor [rows, rows]
        How much each pair counts; 0 for a row with itself.

    Returns
    -------
    unit, correlation : float64 Tensor [pools]
        The correlation is 0 where all pairs are alike, but for rounding.
    """
    products = (pools @ pools.transpose(1, 2)).double()
    unit = products.diagonal(dim1=1, dim2=2).mean(1)
    weight = pairs / pairs.sum()
    of_label = same - (weight * same).sum()
    of_pool = products - (weight * products).sum((1, 2), keepdim=True)
    spread = (weight * of_pool.square()).sum((1, 2))
    scale = (spread * (weight * of_label.square()).sum()).sqrt()
    correlation = (weight * of_pool * of_label).sum((1, 2)) / scale.clamp(min=1e-300)
    return unit, correlation * (spread > (_ROUNDING * unit).square())
