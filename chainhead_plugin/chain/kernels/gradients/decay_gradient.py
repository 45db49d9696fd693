"""What the gradient of a learned decay is made of, in one pass: Σ_j a[j] y[j − 1] of every feature.

The plain form multiplies `a` by moved nodes and sums the products up. Sums are kept in float32.
"""

import torch
from torch import Tensor

from ..launch import on_device_of

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

_NODES = 128
_FEATURES = 64


@triton.jit
def _neighbour_products_kernel(  # type: ignore[no-untyped-def]
    a, y, sums, length, width, blocks, shift, BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr
):
    """The sum over a block of nodes: sums [batch, blocks, width]."""
    blocks_f = tl.cdiv(width, BLOCK_F)
    program = tl.program_id(0)
    batch = (program // (blocks * blocks_f)).to(tl.int64)
    block = program // blocks_f % blocks
    feature = (program % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)
    node = block * BLOCK_T + tl.arange(0, BLOCK_T)
    neighbour = node - shift
    within = feature < width

    inside = (node < length) & (neighbour >= 0) & (neighbour < length)
    mask = inside[:, None] & within[None, :]
    row = (batch * length + node)[:, None] * width + feature[None, :]
    own = tl.load(a + row, mask=mask, other=0).to(tl.float32)
    other = tl.load(y + row - shift * width, mask=mask, other=0).to(tl.float32)
    tl.store(sums + (batch * blocks + block) * width + feature, tl.sum(own * other, 0), mask=within)


def neighbour_products(a: Tensor, y: Tensor, transposed: bool) -> Tensor:
    """Σ_j a[j] y[j − 1] of every row, or if `transposed` Σ_j a[j] y[j + 1].

    Parameters
    ----------
    a, y : bfloat16, float16 or float32 Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter. Zero beside the chains.
    transposed : bool

    Returns
    -------
    float32 Tensor [batch, width]
    """
    a, y = a.resolve_neg().contiguous(), y.resolve_neg().contiguous()
    batch, length, width = a.shape
    if a.numel() == 0:
        return a.new_zeros(batch, width, dtype=torch.float32)
    blocks = triton.cdiv(length, _NODES)
    features = min(_FEATURES, triton.next_power_of_2(width))
    sums = a.new_empty(batch, blocks, width, dtype=torch.float32)
    with on_device_of(a):
        _neighbour_products_kernel[(batch * blocks * triton.cdiv(width, features),)](
            a, y, sums, length, width, blocks, -1 if transposed else 1, BLOCK_T=_NODES, BLOCK_F=features
        )
    return sums.sum(1)
