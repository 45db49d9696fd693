"""The condition under which the bi-directional inverse and the linear map are made on the visible eigenvectors."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..chain.backend import backend, is_eager_on_cpu, runs_on_triton
from ..chain.forms.waves import linear_through_waves, wave_count, waves
from ..chain.kinds import Chain

# Shorter chains have as many eigenvectors as nodes, or are mixed by the matrix itself. Factors of longer ones, which
# are kept, would be tens of megabytes each, and forms whose cost is proportional to the length have caught up there.
_SHORTEST, _LONGEST = 33, 8192
# Products on the waves, in those of the map on all nodes, up to which they were measured to be faster than forms that
# map all nodes. At the limit a forward pass in float32 is as fast, and with its backward pass a fifth faster.
_MOST_PRODUCTS = 2


def has_waves(chain: Chain) -> bool:
    """Whether a chain is the bi-directional inverse without decay, of which few eigenvectors matter."""
    return chain.kind == "inverse" and chain.bi_directional and chain.decay is None


def wave_linear(nodes: Tensor, expand: Callable[[Tensor], Tensor], reconciliation: Any) -> Tensor | None:
    """Aᵀ κ(x) W̄ᵀ of whole chains that have waves; None where other forms are faster, or alone possible.

    On the CPU, in bfloat16, float32 and float64; with the backend "fused" in bfloat16 on a device, too. W̄ must be that
    of an `nn.Linear` which may be read directly, or the mean of its channels.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
    expand : callable
        κ, which is not called where the result is None.
    reconciliation : Reconciliation
        That makes W̄.

    Returns
    -------
    Tensor [batch, length, n], or None
    """
    if not _SHORTEST <= nodes.size(1) <= _LONGEST or nodes.numel() == 0:
        return None
    device = nodes.device.type
    autocast = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if autocast else nodes.dtype
    if not _serves(nodes, dtype):
        return None

    weight: Tensor | None = reconciliation.plain_matrix(None if autocast else dtype)
    if weight is None:
        return None
    n, width = weight.shape
    if wave_count(nodes.size(1), dtype) * (width + n) > _MOST_PRODUCTS * width * n:
        return None
    return linear_through_waves(expand(nodes), weight, waves(nodes.size(1), dtype, nodes.device))


def _serves(nodes: Tensor, dtype: torch.dtype) -> bool:
    """Whether products may be made in a dtype where the nodes are. Sums along a chain would leave float16's range."""
    if runs_on_triton(nodes):
        return backend() == "fused" and dtype == torch.bfloat16 and not torch.compiler.is_compiling()
    return is_eager_on_cpu(nodes) and dtype in (torch.bfloat16, torch.float32, torch.float64)
