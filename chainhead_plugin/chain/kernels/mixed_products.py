"""A linear map, then a mixing of the nodes in reach of a tile, as a single Triton kernel.

Each program multiplies a tile of nodes, the reach on both sides included, by the weight, rounds the products to half
precision, as `nn.Linear` does, and multiplies them by a band that says what nodes take from each other, on the tensor
cores too; nodes in reach of two tiles are multiplied twice. `filter_linear` gives it the bands of filters, `sum_linear`
triangles and what enters each tile. A product that is not finite makes NaN of its whole tile: zero times infinity is.
"""

from typing import NamedTuple

from torch import Tensor

from .launching.launch import launch
from .tiles.bands import ROWS
from .tiles.products import product
from .tiles.reach import sources
from .tiles.sizes import cdiv

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error


class Tiles(NamedTuple):
    """How wide tiles are, and by how many warps and in how many stages a program works."""

    block_n: int = 128
    block_k: int = 64
    warps: int = 8
    stages: int = 3


TILES = Tiles()


@triton.jit
def mixed_products_kernel(  # type: ignore[no-untyped-def]
    x, weight, bands, bias, y, starts, counts, scales, shares, carries, factor,
    length, m, n, blocks, tiles_n, first_node, scale_batch_stride, weight_stride_n, weight_stride_m,
    BACK: tl.constexpr, AHEAD: tl.constexpr, PARTS: tl.constexpr, REFLECTED: tl.constexpr, MASKED: tl.constexpr,
    SCALED: tl.constexpr, CARRIED: tl.constexpr, BIASED: tl.constexpr, RELU: tl.constexpr, EVEN: tl.constexpr,
    WIDENED: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """A tile of a row's nodes with the reach of the filter on both sides, times BLOCK_N rows of the weight.

    Tiles of the same nodes follow each other, so that these come from the cache. The products stand still in registers
    when their rows are mixed, by a product with the filter's band.
    """
    STEP: tl.constexpr = BLOCK_M - BACK - AHEAD
    program = tl.program_id(0)
    tile = program // tiles_n
    batch = (tile // blocks).to(tl.int64)
    block = tile % blocks
    index = tl.arange(0, BLOCK_M)
    node = first_node + block * STEP - BACK + index
    column = (program % tiles_n) * BLOCK_N + tl.arange(0, BLOCK_N)
    within = column < n

    start, count = tl.full((), 0, tl.int32), tl.full((), length, tl.int32)
    if MASKED:
        start, count = tl.load(starts + batch).to(tl.int32), tl.load(counts + batch).to(tl.int32)
    reach_start = first_node + block * STEP - BACK
    source, inside, sign = sources(
        node, start, count, reach_start, reach_start + BLOCK_M, REFLECTED, BLOCK_M
    )  # fmt: skip

    nodes = x + (batch * length + source.to(tl.int64))[:, None] * m
    weights = weight + column.to(tl.int64)[None, :] * weight_stride_n
    products = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for k in range(0, m, BLOCK_K):
        feature = k + tl.arange(0, BLOCK_K)
        if EVEN:
            given = tl.load(nodes + feature[None, :], mask=inside[:, None], other=0)
            factors = tl.load(weights + feature[:, None] * weight_stride_m, mask=within[None, :], other=0)
        else:
            known = feature < m
            given = tl.load(nodes + feature[None, :], mask=inside[:, None] & known[None, :], other=0)
            factors = tl.load(
                weights + feature[:, None] * weight_stride_m, mask=within[None, :] & known[:, None], other=0
            )
        products = product(given, factors, products, WIDENED)

    if REFLECTED:
        products *= sign[:, None]
    halves = products.to(x.dtype.element_ty)
    band = bands + index[:, None] * BLOCK_M + index[None, :]
    mixed = product(tl.load(band), halves, tl.zeros((BLOCK_M, BLOCK_N), tl.float32), WIDENED)
    if PARTS == 2:
        mixed = product(tl.load(band + BLOCK_M * BLOCK_M), halves, mixed, WIDENED)
    mixed *= factor

    if CARRIED:
        carry = tl.load(carries + tile.to(tl.int64) * n + column, mask=within, other=0)
        mixed += tl.load(shares + index)[:, None] * carry[None, :]
    exists = (node >= 0) & (node < length)
    if SCALED:
        scale = tl.load(scales + batch * scale_batch_stride + node, mask=exists, other=0)
        mixed *= scale[:, None]
    if BIASED:
        mixed += tl.load(bias + column, mask=within, other=0).to(tl.float32)[None, :]
    if RELU:
        mixed = tl.maximum(mixed, 0)

    real = (node >= start) & (node < start + count)
    kept = (index >= BACK) & (index < BACK + STEP) & exists
    tl.store(
        y + (batch * length + node.to(tl.int64))[:, None] * n + column[None, :],
        tl.where(real[:, None], mixed, 0).to(y.dtype.element_ty),
        mask=kept[:, None] & within[None, :],
    )


def mixed_products(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    bands: Tensor,
    back: int,
    ahead: int,
    *,
    factor: float = 1.0,
    first_node: int = 0,
    reflected: bool = False,
    relu: bool = False,
    shares: Tensor | None = None,
    carries: Tensor | None = None,
    scales: Tensor | None = None,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
    tiles: Tiles = TILES,
) -> Tensor:
    """f · mixed(x Wᵀ) of contiguous nodes, with scales, bias and ReLU.

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, m]
        Contiguous.
    weight : Tensor [n, m], in the dtype of `x`
        In any layout.
    bias : Tensor [n], optional
    bands : Tensor [1 or 2, ROWS, ROWS], in the dtype of `x`
    back, ahead : int
        The reach of the bands; a tile has as many fewer results than `ROWS`.
    factor : float
        What the mixed products are multiplied by.
    first_node : int
        Where the first tile of each row begins; not above zero.
    reflected : bool
        Whether chains go on beyond their ends with the opposite sign, or as zeros.
    relu : bool
    shares, carries : float32 Tensor [ROWS] and [batch, tiles of a row, n], optional
        What enters each tile, and how much of that is left at its nodes.
    scales : float32 Tensor [batch or 1, length], optional
        What results are multiplied by, before the bias.
    starts, counts : int32 Tensor [batch], optional
    tiles : Tiles

    Returns
    -------
    Tensor [batch, length, n], in the dtype of `x`
    """
    batch, length, m = x.shape
    n = weight.size(0)
    y = x.new_empty(batch, length, n)
    if y.numel() == 0:
        return y

    blocks = cdiv(length - first_node, ROWS - back - ahead)
    tiles_n = cdiv(n, tiles.block_n)
    scale_stride = 0 if scales is None or scales.size(0) == 1 else scales.stride(0)
    launch(
        mixed_products_kernel, batch * blocks * tiles_n, y,
        x, weight, bands, bias, y, starts, counts, scales, shares, carries, factor,
        length, m, n, blocks, tiles_n, first_node, scale_stride, *weight.stride(),
        BACK=back, AHEAD=ahead, PARTS=bands.size(0), REFLECTED=reflected, MASKED=starts is not None,
        SCALED=scales is not None, CARRIED=carries is not None, BIASED=bias is not None, RELU=relu,
        EVEN=m % tiles.block_k == 0, WIDENED=not x.is_cuda,
        BLOCK_M=ROWS, BLOCK_N=tiles.block_n, BLOCK_K=tiles.block_k,
        num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip
    return y
