"""What the gradient of a learned decay is made of, in one pass: Σ_j a[j] (Nᵀy)[j] of every feature.

The plain form multiplies `a` by the neighbours' sum and sums the products up. Sums are kept in float32.
"""

import torch
from torch import Tensor

from ..filter import chain_bounds
from ..launching.launch import launch
from ..tiles.sizes import cdiv, next_power_of_2

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

_NODES = 128
_FEATURES = 64


@triton.jit
def _neighbour_products_kernel(  # type: ignore[no-untyped-def]
    a, y, sums, starts, counts, length, width, blocks,
    BEFORE: tl.constexpr, AFTER: tl.constexpr, MASKED: tl.constexpr, BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """The sum over a block of nodes: sums [batch, blocks, width]."""
    blocks_f = tl.cdiv(width, BLOCK_F)
    program = tl.program_id(0)
    batch = (program // (blocks * blocks_f)).to(tl.int64)
    block = program // blocks_f % blocks
    feature = (program % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)
    node = block * BLOCK_T + tl.arange(0, BLOCK_T)
    within = feature < width
    start, end = tl.full((), 0, tl.int32), tl.full((), length, tl.int32)
    if MASKED:
        start = tl.load(starts + batch).to(tl.int32)
        end = start + tl.load(counts + batch).to(tl.int32)

    real = (node >= start) & (node < end)
    row = (batch * length + node)[:, None] * width + feature[None, :]
    own = tl.load(a + row, mask=real[:, None] & within[None, :], other=0).to(tl.float32)
    around = tl.zeros((BLOCK_T, BLOCK_F), tl.float32)
    if BEFORE:
        before = real & (node > start)
        around += tl.load(y + row - width, mask=before[:, None] & within[None, :], other=0).to(tl.float32)
    if AFTER:
        after = real & (node + 1 < end)
        around += tl.load(y + row + width, mask=after[:, None] & within[None, :], other=0).to(tl.float32)
    tl.store(sums + (batch * blocks + block) * width + feature, tl.sum(own * around, 0), mask=within)


def neighbour_products(
    a: Tensor, y: Tensor, mask: Tensor | None, bi_directional: bool, transposed: bool
) -> Tensor:
    """Σ_j a[j] (Nᵀy)[j] of every row's chain, or if `transposed` Σ_j a[j] (Ny)[j].

    Parameters
    ----------
    a, y : bfloat16, float16 or float32 Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter. Nodes beside the chains are not read.
    mask : bool Tensor [batch, length, 1], optional
    bi_directional : bool
        Whether N reaches the nodes after a node too.
    transposed : bool

    Returns
    -------
    float32 Tensor [batch, width]
    """
    a, y = a.resolve_neg().contiguous(), y.resolve_neg().contiguous()
    batch, length, width = a.shape
    if a.numel() == 0:
        return a.new_zeros(batch, width, dtype=torch.float32)
    blocks = cdiv(length, _NODES)
    features = min(_FEATURES, next_power_of_2(width))
    sums = a.new_empty(batch, blocks, width, dtype=torch.float32)
    launch(
        _neighbour_products_kernel, batch * blocks * cdiv(width, features), sums,
        a, y, sums, *chain_bounds(mask), length, width, blocks,
        BEFORE=bi_directional or not transposed, AFTER=bi_directional or transposed, MASKED=mask is not None,
        BLOCK_T=_NODES, BLOCK_F=features,
    )  # fmt: skip
    return sums.sum(1)
