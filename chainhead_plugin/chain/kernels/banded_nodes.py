"""Nodes in half precision times a band, on the tensor cores: read once and written once, whatever the number of taps.

It is what `mixed_products` does behind a linear map. `banded_filter` gives it the bands of filters, `banded_sum` gives
it triangles and what enters each tile. A node that is not finite makes NaN of its whole tile.
"""

from torch import Tensor

from .launching.launch import launch
from .tiles.bands import ROWS
from .tiles.products import product
from .tiles.reach import sources
from .tiles.sizes import cdiv, next_power_of_2

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

WIDEST = 128
WARPS = 8


@triton.jit
def banded_nodes_kernel(  # type: ignore[no-untyped-def]
    x, bands, y, starts, counts, scales, shares, carries, factor,
    length, width, blocks, tiles_f, first_node, scale_batch_stride,
    BACK: tl.constexpr, AHEAD: tl.constexpr, PARTS: tl.constexpr, REFLECTED: tl.constexpr, MASKED: tl.constexpr,
    SCALED: tl.constexpr, SCALED_AFTER: tl.constexpr, CARRIED: tl.constexpr, WIDENED: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """A tile of a row's nodes with the reach of the band on both sides, and BLOCK_F of their features."""
    STEP: tl.constexpr = BLOCK_M - BACK - AHEAD
    program = tl.program_id(0)
    tile = program // tiles_f
    batch = (tile // blocks).to(tl.int64)
    reach_start = first_node + tile % blocks * STEP - BACK
    index = tl.arange(0, BLOCK_M)
    node = reach_start + index
    feature = (program % tiles_f) * BLOCK_F + tl.arange(0, BLOCK_F)
    within = feature < width

    start, count = tl.full((), 0, tl.int32), tl.full((), length, tl.int32)
    if MASKED:
        start, count = tl.load(starts + batch).to(tl.int32), tl.load(counts + batch).to(tl.int32)
    source, inside, sign = sources(
        node, start, count, reach_start, reach_start + BLOCK_M, REFLECTED, BLOCK_M
    )  # fmt: skip
    nodes = tl.load(
        x + (batch * length + source.to(tl.int64))[:, None] * width + feature[None, :],
        mask=inside[:, None] & within[None, :],
        other=0,
    )
    if SCALED and not SCALED_AFTER:
        sign *= tl.load(scales + batch * scale_batch_stride + source, mask=inside, other=0)
    if REFLECTED or (SCALED and not SCALED_AFTER):
        nodes = (nodes.to(tl.float32) * sign[:, None]).to(x.dtype.element_ty)

    band = bands + index[:, None] * BLOCK_M + index[None, :]
    mixed = product(tl.load(band), nodes, tl.zeros((BLOCK_M, BLOCK_F), tl.float32), WIDENED)
    if PARTS == 2:
        mixed = product(tl.load(band + BLOCK_M * BLOCK_M), nodes, mixed, WIDENED)
    mixed *= factor
    if CARRIED:
        carry = tl.load(carries + tile.to(tl.int64) * width + feature, mask=within, other=0)
        mixed += tl.load(shares + index)[:, None] * carry[None, :]

    exists = (node >= 0) & (node < length)
    if SCALED and SCALED_AFTER:
        mixed *= tl.load(scales + batch * scale_batch_stride + node, mask=exists, other=0)[:, None]

    real = (node >= start) & (node < start + count)
    kept = (index >= BACK) & (index < BACK + STEP) & exists
    tl.store(
        y + (batch * length + node.to(tl.int64))[:, None] * width + feature[None, :],
        tl.where(real[:, None], mixed, 0).to(y.dtype.element_ty),
        mask=kept[:, None] & within[None, :],
    )


def banded_nodes(
    x: Tensor,
    bands: Tensor,
    back: int,
    ahead: int,
    *,
    factor: float = 1.0,
    first_node: int = 0,
    reflected: bool = False,
    shares: Tensor | None = None,
    carries: Tensor | None = None,
    scales: Tensor | None = None,
    scaled_after: bool = False,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """f · mixed(s ∘ x), or f · s ∘ mixed(x).

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter. Nodes beside the chains are not read.
    scales : float32 Tensor [batch or 1, length], optional
        s.
    scaled_after : bool
        Whether nodes are multiplied by s after they are mixed, or before.
    bands, back, ahead, factor, first_node, reflected, shares, carries, starts, counts
        As for `mixed_products`.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
        Zero beside the chains.
    """
    x = x.resolve_neg().contiguous()
    y = x.new_empty(x.shape)
    if y.numel() == 0:
        return y
    batch, length, width = x.shape

    blocks = cdiv(length - first_node, ROWS - back - ahead)
    features = min(WIDEST, max(16, next_power_of_2(width)))
    tiles_f = cdiv(width, features)
    scale_stride = 0 if scales is None or scales.size(0) == 1 else scales.stride(0)
    launch(
        banded_nodes_kernel, batch * blocks * tiles_f, y,
        x, bands, y, starts, counts, scales, shares, carries, factor,
        length, width, blocks, tiles_f, first_node, scale_stride,
        BACK=back, AHEAD=ahead, PARTS=bands.size(0), REFLECTED=reflected, MASKED=starts is not None,
        SCALED=scales is not None, SCALED_AFTER=scaled_after, CARRIED=carries is not None, WIDENED=not x.is_cuda,
        BLOCK_M=ROWS, BLOCK_F=features, num_warps=WARPS,
    )  # fmt: skip
    return y
