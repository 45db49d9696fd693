"""A matrix product in Triton, with the tiles of the fused hop and nothing else: a measure for the hop."""

import torch
import triton
import triton.language as tl
from torch import Tensor
from triton.tools.tensor_descriptor import TensorDescriptor

from chainhead_plugin.chain.kernels.tiles.copy_engine import tiles_for


@triton.jit
def _product_kernel(  # type: ignore[no-untyped-def]
    x, weight, y, rows, m, n, programs,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr = 8,
):  # fmt: skip
    blocks_m, blocks_n = tl.cdiv(rows, BLOCK_M), tl.cdiv(n, BLOCK_N)
    for tile in tl.range(tl.program_id(0), blocks_m * blocks_n, programs, flatten=True):
        first = tile // (GROUP * blocks_n) * GROUP
        group = min(blocks_m - first, GROUP)
        first_row = (first + tile % (GROUP * blocks_n) % group) * BLOCK_M
        first_column = tile % (GROUP * blocks_n) // group * BLOCK_N
        products = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for k in range(0, m, BLOCK_K):
            products = tl.dot(x.load([first_row, k]), weight.load([first_column, k]).T, products)
        row, column = first_row + tl.arange(0, BLOCK_M), first_column + tl.arange(0, BLOCK_N)
        tl.store(
            y + row.to(tl.int64)[:, None] * n + column[None, :],
            products.to(y.dtype.element_ty),
            mask=(row < rows)[:, None] & (column < n)[None, :],
        )


def triton_product(x: Tensor, weight: Tensor) -> Tensor:
    """x Wᵀ, [batch, length, m] to [batch, length, n], in bfloat16 on a Hopper device."""
    batch, length, m = x.shape
    n, rows = weight.size(0), batch * length
    y = x.new_empty(batch, length, n)
    sizes = tiles_for(n, described=True)
    tiles = triton.cdiv(rows, sizes.block_m) * triton.cdiv(n, sizes.block_n)
    programs = min(tiles, torch.cuda.get_device_properties(x.device).multi_processor_count)
    _product_kernel[(programs,)](
        TensorDescriptor(x, [rows, m], [m, 1], [sizes.block_m, sizes.block_k]),
        TensorDescriptor(weight, [n, m], [m, 1], [sizes.block_n, sizes.block_k]),
        y, rows, m, n, programs,
        BLOCK_M=sizes.block_m, BLOCK_N=sizes.block_n, BLOCK_K=sizes.block_k,
        num_warps=sizes.warps, num_stages=sizes.stages,
    )  # fmt: skip
    return y
