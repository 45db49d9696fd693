"""The condition under which a single hop, the linear map behind it, bias and ReLU run as one kernel."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..chain.backend import backend, runs_on_triton
from ..chain.forms.halves import HALVES
from ..chain.kinds import Chain
from .linear.reconciliation import Reconciliation

# Where the kernel was measured to win against a matrix product of cuBLAS and a pass along the chain: on Hopper, with
# many nodes, where the pass is not over the narrower side of the linear map anyway.
_FEWEST_NODES = 8192


def half_precision(
    nodes: Tensor, plain: Callable[[torch.dtype | None], Tensor | None]
) -> tuple[Tensor, Tensor] | None:
    """Nodes and weights in the half precision that a kernel may read them in itself; None where it may not.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
    plain : callable
        Gives the weights if they have a dtype, or of any dtype if that is None; None where modules have to be called.
    """
    device = nodes.device.type
    autocast = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if autocast else nodes.dtype
    if dtype not in HALVES or torch._C._are_functorch_transforms_active():
        return None
    weight = plain(None if autocast else dtype)
    return None if weight is None else (nodes.to(dtype), weight.to(dtype))


def fused_hop_linear(
    nodes: Tensor,
    chain: Chain,
    reconciliation: Reconciliation,
    bias: Tensor | None,
    mask: Tensor | None,
    relu: bool,
) -> Tensor | None:
    """act((N + σI)ᵀ x Wᵀ + b), or None where it takes the plain forms.

    The kernel serves single hops in half precision, under autocast too, where Triton runs; W̄ must be an `nn.Linear`'s
    that may be read directly, or the mean of its channels. `torch.func` has no rules for it.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
    chain : Chain
    reconciliation : Reconciliation
    bias : Tensor [n], optional
    mask : bool Tensor [batch, length], optional
    relu : bool

    Returns
    -------
    Tensor [batch, length, n], or None
    """
    if chain.kind != "single_hop" or not runs_on_triton(nodes):
        return None
    from ..chain.kernels.filter import chain_bounds
    from ..chain.kernels.hop_linear import hop_linear
    from ..chain.kernels.tiles.copy_engine import has_copy_engine

    if backend() == "auto":
        m, n = reconciliation.in_features, reconciliation.out_features
        pays = n <= m and nodes.size(0) * nodes.size(1) >= _FEWEST_NODES
        if not pays or m % 8 or not has_copy_engine(nodes.device):
            return None
    halves = half_precision(nodes, reconciliation.plain_matrix)
    if halves is None:
        return None
    bounds = chain_bounds(None if mask is None else mask.unsqueeze(-1))
    return hop_linear(*halves, bias, chain.self_weight, chain.bi_directional, relu, *bounds)
