"""The condition under which the bi-directional inverse and the linear map are made on the visible eigenvectors."""

import torch
from torch import Tensor

from ..chain.backend import backend, is_eager_on_cpu, runs_on_triton
from ..chain.forms.waves import linear_through_waves, wave_count, waves
from ..chain.kinds import Chain
from .linear.reconciliation import Reconciliation

# Shorter chains have as many eigenvectors as nodes, or are mixed by the matrix itself. Factors of longer ones, which
# are kept, would be tens of megabytes each, and forms whose cost is proportional to the length have caught up there.
_SHORTEST, _LONGEST = 33, 8192
# Products on the waves, in those of the map on all nodes, up to which they were measured to be faster than forms that
# map all nodes. At the limit a forward pass in float32 is as fast, and with its backward pass a fifth faster.
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
    if not _serves(nodes, dtype) or not _SHORTEST <= nodes.size(1) <= _LONGEST or nodes.numel() == 0:
        return None

    weight = reconciliation.plain_matrix(None if autocast else dtype)
    if weight is None:
        return None
    n, width = weight.shape
    if wave_count(nodes.size(1), dtype) * (width + n) > _MOST_PRODUCTS * width * n:
        return None
    return linear_through_waves(nodes, weight, waves(nodes.size(1), dtype, nodes.device))


def _serves(nodes: Tensor, dtype: torch.dtype) -> bool:
    """Whether products may be made in a dtype where the nodes are. Sums along a chain would leave float16's range."""
    if runs_on_triton(nodes):
        return backend() == "fused" and dtype == torch.bfloat16 and not torch.compiler.is_compiling()
    return is_eager_on_cpu(nodes) and dtype in (torch.bfloat16, torch.float32, torch.float64)
