"""The condition under which channels that take nodes at distances of their own run as one kernel."""

from torch import Tensor

from ..chain.kinds import Chain
from .fused_hop import half_precision
from .linear.reconciliation import Reconciliation


def fused_channel_linear(
    nodes: Tensor,
    chain: Chain,
    reconciliation: Reconciliation,
    bias: Tensor | None,
    mask: Tensor | None,
    relu: bool,
) -> Tensor | None:
    """act(Σ_c W_c x[j − h_c] + b), or None where it takes the plain forms.

    For the backend "fused", in half precision, under autocast too. The channels' matrices must be an `nn.Linear`'s that
    may be read directly.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
        Zero where `mask` is False.
    chain : Chain
        Of the kind "channel_hops".
    reconciliation : Reconciliation
    bias : Tensor [n], optional
    mask : bool Tensor [batch, length], optional
    relu : bool

    Returns
    -------
    Tensor [batch, length, n], or None
    """
    halves = half_precision(nodes, reconciliation.plain_channels)
    if halves is None:
        return None
    from ..chain.kernels.channel_linear import channel_linear
    from ..chain.kernels.filter import chain_bounds

    bounds = chain_bounds(None if mask is None else mask.unsqueeze(-1))
    return channel_linear(*halves, bias, chain.channel_hops, relu, *bounds)
