"""Filters and running sums along a chain as Triton kernels: each node is read and written once.

The plain forms of the same names are in `chain_filter.py` and `chain_path.py`. Sums are kept in float32, or
in float64 for float64. A row's chain is its nodes start ≤ j < start + count; what lies beside it is neither
read nor anything but zero in the result.
"""

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

_TILE = 4096
_WIDEST = 128
_SCAN_BLOCK = 128


@triton.jit
def _chain_bounds(starts, counts, batch, length, MASKED: tl.constexpr):  # type: ignore[no-untyped-def]
    """First node and number of nodes of a row's chain."""
    if MASKED:
        return tl.load(starts + batch).to(tl.int32), tl.load(counts + batch).to(tl.int32)
    return tl.full((), 0, tl.int32), tl.full((), length, tl.int32)


@triton.jit
def _filter_kernel(  # type: ignore[no-untyped-def]
    x, y, taps, starts, counts, scale_in, scale_out, length, width, scale_stride, tap_count, ahead,
    MASKED: tl.constexpr, REFLECTED: tl.constexpr, SCALED_IN: tl.constexpr, SCALED_OUT: tl.constexpr,
    ACCUMULATOR: tl.constexpr, BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """A tile [BLOCK_T nodes, BLOCK_F features] of the filtered chains; see `filter_chain`."""
    blocks_t, blocks_f = tl.cdiv(length, BLOCK_T), tl.cdiv(width, BLOCK_F)
    program = tl.program_id(0)
    batch = (program // (blocks_t * blocks_f)).to(tl.int64)
    node = (program // blocks_f % blocks_t) * BLOCK_T + tl.arange(0, BLOCK_T)
    feature = (program % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)
    start, count = _chain_bounds(starts, counts, batch, length, MASKED)
    row = x + batch * length * width
    total = tl.zeros((BLOCK_T, BLOCK_F), ACCUMULATOR)
    for k in range(tap_count):
        source = node - (k - ahead) - start
        sign = tl.full((BLOCK_T,), 1, ACCUMULATOR)
        if REFLECTED:
            # Odd reflection about a zero one step beyond either end, again and again: period 2·count + 2.
            period = 2 * count + 2
            phase = (source % period + period) % period
            mirrored = phase > count
            source = tl.where(mirrored, 2 * count - phase, phase)
            sign = tl.where(mirrored, -1, 1).to(ACCUMULATOR)
        inside = (source >= 0) & (source < count)
        weight = tl.load(taps + k) * sign
        if SCALED_IN:
            weight *= tl.load(scale_in + batch * scale_stride + start + source, mask=inside, other=0)
        nodes = tl.load(
            row + (start + source).to(tl.int64)[:, None] * width + feature[None, :],
            mask=inside[:, None] & (feature < width)[None, :],
            other=0,
        )
        total += weight[:, None] * nodes.to(ACCUMULATOR)
    real = (node >= start) & (node < start + count)
    if SCALED_OUT:
        scale = tl.load(scale_out + batch * scale_stride + node, mask=node < length, other=0)
        total *= scale.to(ACCUMULATOR)[:, None]
    tl.store(
        y + batch * length * width + node.to(tl.int64)[:, None] * width + feature[None, :],
        tl.where(real[:, None], total, 0).to(y.dtype.element_ty),
        mask=(node < length)[:, None] & (feature < width)[None, :],
    )


@triton.jit
def _scan_tile(  # type: ignore[no-untyped-def]
    x, starts, counts, length, width, blocks_t,
    MASKED: tl.constexpr, REVERSED: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Load the nodes of one block, in the order in which they are summed."""
    blocks_f = tl.cdiv(width, BLOCK_F)
    program = tl.program_id(0)
    batch = (program // (blocks_t * blocks_f)).to(tl.int64)
    block = program // blocks_f % blocks_t
    feature = (program % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)
    node = block * BLOCK_T + tl.arange(0, BLOCK_T)
    if REVERSED:
        node = length - 1 - node
    start, count = _chain_bounds(starts, counts, batch, length, MASKED)
    real = (node >= start) & (node < start + count)
    place = batch * length * width + node.to(tl.int64)[:, None] * width + feature[None, :]
    nodes = tl.load(x + place, mask=real[:, None] & (feature < width)[None, :], other=0).to(ACCUMULATOR)
    return batch, block, feature, node, real, place, nodes


@triton.jit
def _block_sum_kernel(  # type: ignore[no-untyped-def]
    x, sums, starts, counts, length, width, blocks_t,
    MASKED: tl.constexpr, REVERSED: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Sum every block: sums [batch, blocks, width]."""
    batch, block, feature, _, _, _, nodes = _scan_tile(
        x, starts, counts, length, width, blocks_t, MASKED, REVERSED, ACCUMULATOR, BLOCK_T, BLOCK_F
    )
    tl.store(sums + (batch * blocks_t + block) * width + feature, tl.sum(nodes, 0), mask=feature < width)


@triton.jit
def _running_sum_kernel(  # type: ignore[no-untyped-def]
    x, y, carries, starts, counts, length, width, blocks_t,
    MASKED: tl.constexpr, REVERSED: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Running sums within a block, plus the sum of all blocks before it: carries [batch, blocks, width]."""
    batch, block, feature, node, real, place, nodes = _scan_tile(
        x, starts, counts, length, width, blocks_t, MASKED, REVERSED, ACCUMULATOR, BLOCK_T, BLOCK_F
    )
    carry = tl.load(carries + (batch * blocks_t + block) * width + feature, mask=feature < width, other=0)
    total = tl.cumsum(nodes, 0) + carry[None, :]
    within = (node >= 0) & (node < length)
    tl.store(
        y + place,
        tl.where(real[:, None], total, 0).to(y.dtype.element_ty),
        mask=within[:, None] & (feature < width)[None, :],
    )


def _accumulator(x: Tensor) -> tuple[torch.dtype, Any]:
    return (torch.float64, tl.float64) if x.dtype == torch.float64 else (torch.float32, tl.float32)


def _feature_block(width: int) -> int:
    return min(_WIDEST, triton.next_power_of_2(width))


@functools.lru_cache(maxsize=256)
def _weights(taps: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(taps, dtype=dtype, device=device)


@torch.library.custom_op("chainhead::filter_chain", mutates_args=())
def filter_chain(
    x: Tensor,
    taps: Sequence[float],
    ahead: int,
    reflected: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
    scale_in: Tensor | None = None,
    scale_out: Tensor | None = None,
) -> Tensor:
    """y[j] = out[j] Σ_k taps[k] in[j − k + ahead] x[j − k + ahead].

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
    taps : sequence of float
    ahead : int
        How many of the taps weigh nodes after j.
    reflected : bool
        Whether chains go on beyond their ends with the opposite sign, as `chain_path.py` says, or as zeros.
    starts, counts : int Tensor [batch], optional
        Where each row's chain lies; by default all of it.
    scale_in, scale_out : Tensor [1 or batch, length], optional
        Factors of the nodes that are read and written.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
    """
    x = x.contiguous()
    y = torch.empty_like(x)
    batch, length, width = x.shape
    if x.numel() == 0:
        return y
    dtype, accumulator = _accumulator(x)
    block_f = _feature_block(width)
    block_t = min(_TILE // block_f, max(16, triton.next_power_of_2(length)))
    scales = [None if scale is None else scale.contiguous() for scale in (scale_in, scale_out)]
    one = next((scale for scale in scales if scale is not None), None)
    _filter_kernel[(batch * triton.cdiv(length, block_t) * triton.cdiv(width, block_f),)](
        x, y, _weights(tuple(taps), dtype, x.device), starts, counts, *scales, length, width,
        0 if one is None or one.size(0) == 1 else length, len(taps), ahead,
        MASKED=starts is not None, REFLECTED=reflected,
        SCALED_IN=scale_in is not None, SCALED_OUT=scale_out is not None,
        ACCUMULATOR=accumulator, BLOCK_T=block_t, BLOCK_F=block_f,
    )  # fmt: skip
    return y


@filter_chain.register_fake
def _(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _save_filter(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, ctx.taps, ctx.ahead, ctx.reflected, *tensors = inputs
    ctx.save_for_backward(*tensors)


def _filter_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    starts, counts, scale_in, scale_out = ctx.saved_tensors
    back = len(ctx.taps) - 1 - ctx.ahead
    transposed = filter_chain(
        grad, list(reversed(ctx.taps)), back, ctx.reflected, starts, counts, scale_out, scale_in
    )
    return transposed, *([None] * 7)


filter_chain.register_autograd(_filter_backward, setup_context=_save_filter)


@torch.library.custom_op("chainhead::sum_chain", mutates_args=())
def sum_chain(x: Tensor, reverse: bool, starts: Tensor | None = None, counts: Tensor | None = None) -> Tensor:
    """y[j] = Σ_{i≤j} x[i], or with `reverse` Σ_{i≥j} x[i], in blocks: sums first, then running sums with a carry.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
    reverse : bool
    starts, counts : int Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
    """
    x = x.contiguous()
    y = torch.empty_like(x)
    batch, length, width = x.shape
    if x.numel() == 0:
        return y
    dtype, accumulator = _accumulator(x)
    block_f = min(_feature_block(width), 32)
    blocks_t = triton.cdiv(length, _SCAN_BLOCK)
    grid = (batch * blocks_t * triton.cdiv(width, block_f),)
    sums = torch.empty(batch, blocks_t, width, dtype=dtype, device=x.device)
    constants = {
        "MASKED": starts is not None, "REVERSED": reverse, "ACCUMULATOR": accumulator,
        "BLOCK_T": _SCAN_BLOCK, "BLOCK_F": block_f,
    }  # fmt: skip
    _block_sum_kernel[grid](x, sums, starts, counts, length, width, blocks_t, **constants)
    carries = torch.cat([torch.zeros_like(sums[:, :1]), sums[:, :-1].cumsum(1)], 1)
    _running_sum_kernel[grid](x, y, carries, starts, counts, length, width, blocks_t, **constants)
    return y


@sum_chain.register_fake
def _(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _save_sum(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, ctx.reverse, *bounds = inputs
    ctx.save_for_backward(*bounds)


def _sum_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return sum_chain(grad, not ctx.reverse, *ctx.saved_tensors), None, None, None


sum_chain.register_autograd(_sum_backward, setup_context=_save_sum)


def chain_bounds(mask: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """First node and number of nodes of each row of a mask [batch, length, 1], as int32 [batch]."""
    if mask is None:
        return None, None
    real = mask.squeeze(-1).int()
    return real.argmax(1).int(), real.sum(1).int()
