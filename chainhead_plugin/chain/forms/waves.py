"""The bi-directional inverse and the linear map with it, on the few eigenvectors that a dtype can see.

A = Σ_k v_k g_k v_kᵀ, columns scaled, and of a chain's L eigenvectors only some √L have a g_k that matters; see
`power_sum.py`. A linear map of features commutes with all that is done along the chain. So nodes are first taken to the
visible eigenvectors, the map is applied there, to √L rows in place of L, and its results are taken back to nodes: the
map and the mixing together can cost less than the map alone. Rounding the three factors of A to bfloat16 changes a
result by about as much as rounding the result does.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..cached_tensors import built_once
from .power_sum import spectrum, visible_eigenvectors


class Waves(NamedTuple):
    """Factors of Aᵀ = back · there.

    Attributes
    ----------
    there : Tensor [waves, length]
        Takes nodes to what there is of each visible eigenvector, times its g.
    back : Tensor [length, waves]
        Takes eigenvectors to nodes, divided by the sums of A's columns.
    """

    there: Tensor
    back: Tensor


def wave_count(length: int, dtype: torch.dtype) -> int:
    """How many eigenvectors `waves` has for a chain, without making them."""
    return 2 * visible_eigenvectors(length, _seen_by(dtype))


def _seen_by(dtype: torch.dtype) -> torch.dtype:
    # Next to a chain's ends, results are small differences of waves: as if bfloat16 could see what float16 does.
    return torch.float16 if dtype == torch.bfloat16 else dtype


@built_once(maxsize=8)
def waves(length: int, dtype: torch.dtype, device: torch.device) -> Waves:
    """The visible eigenvectors of a chain.

    Parameters
    ----------
    length : int
        At least 2.
    dtype : {torch.bfloat16, torch.float32, torch.float64}
    device : torch.device
    """
    theta, response, mirrored = spectrum(length, _seen_by(dtype))
    node = torch.arange(1, length + 1, dtype=torch.float64)[:, None]
    vectors = torch.sin(theta * node) * math.sqrt(2 / (length + 1))  # [length, K]

    # The eigenvector of −λ_k is that of λ_k with the sign changed at every other node.
    both = torch.cat([vectors, (2 * (node % 2) - 1) * vectors], 1)
    there = torch.cat([response, mirrored]) * both.T
    back = both / (both @ there.sum(1, keepdim=True))
    return Waves(there.to(dtype).contiguous().to(device), back.to(dtype).to(device))


def linear_through_waves(x: Tensor, weight: Tensor, factors: Waves) -> Tensor:
    """Aᵀ x Wᵀ of whole chains.

    Parameters
    ----------
    x : Tensor [batch, length, m]
    weight : Tensor [n, m]
    factors : Waves
        In the dtype in which products are made.

    Returns
    -------
    Tensor [batch, length, n]
    """
    there, back = (factor.expand(x.size(0), -1, -1) for factor in factors)
    return torch.bmm(back, F.linear(torch.bmm(there, x), weight))
