"""How much each part of the features counts: its share of the sum of squares."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from ..plan import FeaturePlan
from ..standard import Standard
from .closed_form import with_zero_mean

# The shares to try.
_OF_GROUPS = (0.2, 0.6)
_OF_LEVELS = (0.01, 0.2, 0.6)
_OF_DIFFERENCES = 0.5


@dataclass(frozen=True)
class Shares:
    """Shares of features in the sum of squares of a row.

    Parameters
    ----------
    groups : float
        Of groups in the sum of squares of kernels and groups.
    levels : float
        Of levels in the whole sum.
    differences : float
        Of what reads differences in the sums of squares of kernels and of groups.
    """

    groups: float
    levels: float
    differences: float

    @classmethod
    def of_sums(cls, sums: Sequence[float]) -> "Shares":
        """Return the shares of parts with these sums of squares, of which one is positive.

        Of what reads differences it is the share in kernels and groups together.
        """
        *of_kernels_and_groups, of_levels = sums
        _, kernels_of_differences, groups, groups_of_differences = of_kernels_and_groups
        rest = max(sum(of_kernels_and_groups), 1e-300)
        return cls(
            groups=(groups + groups_of_differences) / rest,
            levels=of_levels / sum(sums),
            differences=(kernels_of_differences + groups_of_differences) / rest,
        )

    @property
    def of_parts(self) -> tuple[float, ...]:
        """Shares in the whole sum of the parts that `FeaturePlan.part_sizes` lists."""
        rest = 1 - self.levels
        return (
            *(rest * (1 - self.groups) * share for share in (1 - self.differences, self.differences)),
            *(rest * self.groups * share for share in (1 - self.differences, self.differences)),
            self.levels,
        )


def shares_to_try(plan: FeaturePlan, with_differences: bool) -> list[Shares]:
    """Return the shares to try, with the differences of nodes or without them."""
    return [
        Shares(groups, levels, _OF_DIFFERENCES if with_differences else 0.0)
        for groups, levels in product(
            _OF_GROUPS if plan.num_groups else (0.0,), _OF_LEVELS if plan.num_levels else (0.0,)
        )
    ]


def mixed(standard: Standard, shares: Shares, rows: Tensor | None) -> Tensor:
    """Return the products of every two rows, with each part scaled to its share: float64 [rows, rows].

    Parameters
    ----------
    standard : Standard
    shares : Shares
    rows : int64 Tensor, optional
        Indices of the rows to take, ascending; by default all.
    """
    total = torch.zeros_like(standard.products[0])
    for share, products in zip(shares.of_parts, standard.products, strict=True):
        if share > 0:
            total.add_(products, alpha=share * _unit(products))
    if rows is not None and len(rows) < len(total):
        total = total[rows][:, rows]
    return with_zero_mean(total)


def factors_of_features(standard: Standard, shares: Shares, plan: FeaturePlan) -> Tensor:
    """Return the factor of each standardised feature, float64 [features], which gives every part its share."""
    return torch.cat(
        [
            torch.full((size,), (share * _unit(products)) ** 0.5, dtype=torch.float64)
            for share, products, size in zip(shares.of_parts, standard.products, plan.part_sizes, strict=True)
        ]
    )


def _unit(products: Tensor) -> float:
    """Return the factor of products that makes the mean square of a row 1; 0 for a part that is constant."""
    mean = float(products.diagonal().mean())
    return 1 / mean if mean > 0 else 0.0
