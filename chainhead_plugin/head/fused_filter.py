"""The condition under which a linear map and the filter or running sum behind it run as one kernel."""

from torch import Tensor

from ..chain.forms.short import are_few_on_device
from ..chain.forms.tiles import is_sum, tile_filter
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
    if mask is None and are_few_on_device(nodes):
        return None  # two products cost less
    halves = half_precision(nodes, reconciliation.plain_matrix)
    if halves is None:
        return None
    x, weight = halves
    from ..chain.kernels.filter import chain_bounds
    from ..chain.kernels.filter_linear import filter_linear
    from ..chain.kernels.sum_linear import sum_linear

    bounds = chain_bounds(None if mask is None else mask.unsqueeze(-1))
    if is_sum(chain):
        decay = 1.0 if chain.decay is None else chain.decay
        return sum_linear(x, weight, bias, decay, False, relu, *bounds)
    found = tile_filter(chain, x, mask, x.dtype)
    if found is None:
        return None
    return filter_linear(
        x, weight, bias, found.taps, found.rest, found.factor, found.back, found.ahead, found.reflected, relu,
        found.scales, *bounds,
    )  # fmt: skip
