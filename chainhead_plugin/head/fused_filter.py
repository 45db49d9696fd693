"""The condition under which a linear map and the filter or running sum behind it run as one kernel."""

import torch
from torch import Tensor

from ..chain.cached_tensors import built_once
from ..chain.forms.half_taps import decay_filter, half_filter
from ..chain.forms.path import filter_pays, path_filter
from ..chain.forms.short import are_few_on_device
from ..chain.kinds import Chain
from .fused_hop import half_precision
from .linear.reconciliation import Reconciliation


def fused_filter_linear(
    nodes: Tensor,
    chain: Chain,
    reconciliation: Reconciliation,
    bias: Tensor | None,
    mask: Tensor | None,
    relu: bool,
) -> Tensor | None:
    """act(Aᵀ x Wᵀ + b), or None where it takes other forms.

    For the backend "fused", in half precision, under autocast too. The kernel serves single hops, several hops, also
    summed up, exponential chains, the uni-directional inverse with or without a common decay, and the bi-directional
    inverse whose common decay leaves little of nodes beyond a filter's reach.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
        Zero where `mask` is False.
    chain : Chain
    reconciliation : Reconciliation
    bias : Tensor [n], optional
    mask : bool Tensor [batch, length], optional
    relu : bool

    Returns
    -------
    Tensor [batch, length, n], or None
    """
    if chain.kind == "inverse" and chain.bi_directional and chain.decay is None:
        return None
    if mask is None and are_few_on_device(nodes):
        return None  # two products cost less
    # Of few nodes, sums over several hops' reflections would cancel.
    if chain.kind == "multihop" and chain.bi_directional and not filter_pays(nodes, mask):
        return None
    halves = half_precision(nodes, reconciliation.plain_matrix)
    if halves is None:
        return None
    x, weight = halves
    from ..chain.kernels.filter import chain_bounds
    from ..chain.kernels.filter_linear import LONGEST_REACH, filter_linear
    from ..chain.kernels.sum_linear import sum_linear

    bounds = chain_bounds(None if mask is None else mask.unsqueeze(-1))
    if chain.kind == "inverse" and not chain.bi_directional:
        decay = 1.0 if chain.decay is None else chain.decay
        return sum_linear(x, weight, bias, decay, False, relu, *bounds)

    if chain.kind == "inverse":
        assert chain.decay is not None
        found = decay_filter(chain.decay, x.dtype)
    else:
        found = half_filter(chain, x.dtype)
    if found is None or len(found.taps) - 1 > LONGEST_REACH:
        return None
    reach = len(found.taps) - 1
    scales = _column_scales(chain, nodes.size(1), nodes.device) if chain.column_normalised else None
    ahead = reach if chain.bi_directional else 0
    return filter_linear(
        x, weight, bias, found.taps, found.rest, found.factor, reach, ahead, chain.bi_directional, relu,
        scales, *bounds,
    )  # fmt: skip


@built_once(maxsize=8)
def _column_scales(chain: Chain, length: int, device: torch.device) -> Tensor:
    """1 / column sums of a filter, float32 [1, length]; 0 where a column is empty."""
    sums = path_filter(torch.ones(1, length, 1, device=device), None, chain.taps).squeeze(-1)
    return torch.where(sums == 0, 0, 1 / sums)
