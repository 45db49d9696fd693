"""The condition under which the bi-directional inverse and the linear map are made on the visible eigenvectors."""

import torch
from torch import Tensor

from ..chain.backend import backend, is_eager_on_cpu, runs_on_triton
from ..chain.forms.waves import linear_through_waves, waves
from ..chain.kinds import Chain
from .linear.reconciliation import Reconciliation

# Shorter chains have as many eigenvectors as nodes, or are mixed by the matrix itself.
_SHORTEST = 33
# Products on the waves, in those of the map on all nodes, up to which they were measured to be faster than any form
# that maps all nodes: twice as fast and more in bfloat16, and about a tenth faster in float32 at the limit.
_MOST_PRODUCTS = 2


def wave_linear(
    nodes: Tensor, chain: Chain, reconciliation: Reconciliation, mask: Tensor | None
) -> Tensor | None:
    """Aᵀ x W̄ᵀ of whole chains of the bi-directional inverse without decay; None where it takes other forms.

    On the CPU, in bfloat16, float32 and float64; with the backend "fused" in bfloat16 on a device, too. W̄ must be that
    of an `nn.Linear` which may be read directly, or the mean of its channels.

    Parameters
    ----------
    nodes : Tensor [batch, length, D]
        Of κ(x).
    chain : Chain
    reconciliation : Reconciliation
    mask : bool Tensor [batch, length], optional

    Returns
    -------
    Tensor [batch, length, n], or None
    """
    if mask is not None or chain.kind != "inverse" or not chain.bi_directional or chain.decay is not None:
        return None
    device = nodes.device.type
    autocast = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if autocast else nodes.dtype
    if not _serves(nodes, dtype) or nodes.size(1) < _SHORTEST or nodes.numel() == 0:
        return None

    weight = reconciliation.plain_matrix(None if autocast else dtype)
    if weight is None:
        return None
    factors = waves(nodes.size(1), dtype, nodes.device)
    n, width = weight.shape
    if len(factors.there) * (width + n) > _MOST_PRODUCTS * width * n:
        return None
    return linear_through_waves(nodes, weight, factors)


def _serves(nodes: Tensor, dtype: torch.dtype) -> bool:
    """Whether products may be made in a dtype where the nodes are. Sums along a chain would leave float16's range."""
    if runs_on_triton(nodes):
        return backend() == "fused" and dtype == torch.bfloat16 and not torch.compiler.is_compiling()
    return is_eager_on_cpu(nodes) and dtype in (torch.bfloat16, torch.float32, torch.float64)
