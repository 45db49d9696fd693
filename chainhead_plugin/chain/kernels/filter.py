"""Filters along a chain as a Triton kernel: each node is read and written once.

The plain forms are in `filter.py` and `path.py`. Sums are kept in float32, or in float64 for float64. A
row's chain is its nodes start ≤ j < start + count; nodes beside it are not read, and zero in the
result.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..cached_tensors import built_once
from .launching.launch import launch
from .launching.operators import node_operator
from .tiles.sizes import cdiv, next_power_of_2

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

_TILE = 4096
_WIDEST = 128


@triton.jit
def _chain_bounds(starts, counts, batch, length, MASKED: tl.constexpr):  # type: ignore[no-untyped-def]
    """First node and number of nodes of a row's chain."""
    if MASKED:
        return tl.load(starts + batch).to(tl.int32), tl.load(counts + batch).to(tl.int32)
    return tl.full((), 0, tl.int32), tl.full((), length, tl.int32)


@triton.jit
def filter_kernel(  # type: ignore[no-untyped-def]
    x, y, taps, starts, counts, length, width, tap_count, ahead,
    MASKED: tl.constexpr, REFLECTED: tl.constexpr, ONE_EACH: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """A tile [BLOCK_T nodes, BLOCK_F features] of the filtered chains; see `filter_chain`, or with taps for every
    feature `filter_features`.
    """
    blocks_t, blocks_f = tl.cdiv(length, BLOCK_T), tl.cdiv(width, BLOCK_F)
    program = tl.program_id(0)
    batch = (program // (blocks_t * blocks_f)).to(tl.int64)
    first = (program // blocks_f % blocks_t) * BLOCK_T
    node = first + tl.arange(0, BLOCK_T)
    feature = (program % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)

    start, count = _chain_bounds(starts, counts, batch, length, MASKED)
    row = x + batch * length * width
    total = tl.zeros((BLOCK_T, BLOCK_F), ACCUMULATOR)
    # Whether the filter reaches beyond the chain from here.
    at_an_end = (first - (tap_count - 1 - ahead) < start) | (first + BLOCK_T - 1 + ahead >= start + count)

    for k in range(tap_count):
        source = node - (k - ahead) - start
        sign = tl.full((BLOCK_T,), 1, ACCUMULATOR)
        if REFLECTED:  # noqa: SIM102 (known to the compiler, unlike the other)
            if at_an_end:
                # Odd reflection about a zero next to either end, again and again: period 2·count + 2.
                period = 2 * count + 2
                phase = (source % period + period) % period
                mirrored = phase > count
                source = tl.where(mirrored, 2 * count - phase, phase)
                sign = tl.where(mirrored, -1, 1).to(ACCUMULATOR)
        inside = (source >= 0) & (source < count)
        if ONE_EACH:
            own = tl.load(taps + k * width + feature, mask=feature < width, other=0)
            weight = own[None, :] * sign[:, None]
        else:
            weight = (tl.load(taps + k) * sign)[:, None]
        nodes = tl.load(
            row + (start + source).to(tl.int64)[:, None] * width + feature[None, :],
            mask=inside[:, None] & (feature < width)[None, :],
            other=0,
        )
        total += weight * nodes.to(ACCUMULATOR)

    real = (node >= start) & (node < start + count)
    tl.store(
        y + batch * length * width + node.to(tl.int64)[:, None] * width + feature[None, :],
        tl.where(real[:, None], total, 0).to(y.dtype.element_ty),
        mask=(node < length)[:, None] & (feature < width)[None, :],
    )


def _feature_block(width: int) -> int:
    return min(_WIDEST, next_power_of_2(width))


@built_once(maxsize=256)
def _weights(taps: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(taps, dtype=dtype, device=device)


def launch_filter(
    x: Tensor,
    taps: Tensor,
    ahead: int,
    reflected: bool,
    starts: Tensor | None,
    counts: Tensor | None,
) -> Tensor:
    """Filter by taps [taps], or [taps, width] if every feature has its own, in the dtype in which sums are kept."""
    x = x.resolve_neg().contiguous()
    y = torch.empty_like(x)
    batch, length, width = x.shape
    if x.numel() == 0:
        return y
    block_f = _feature_block(width)
    block_t = min(_TILE // block_f, max(16, next_power_of_2(length)))
    launch(
        filter_kernel, batch * cdiv(length, block_t) * cdiv(width, block_f), y,
        x, y, taps, starts, counts, length, width, len(taps), ahead,
        MASKED=starts is not None, REFLECTED=reflected, ONE_EACH=taps.ndim == 2,
        ACCUMULATOR=tl.float64 if x.dtype == torch.float64 else tl.float32, BLOCK_T=block_t, BLOCK_F=block_f,
    )  # fmt: skip
    return y


def _transposed(
    taps: Sequence[float], ahead: int, reflected: bool, *bounds: Tensor | None
) -> tuple[Any, ...]:
    return list(reversed(taps)), len(taps) - 1 - ahead, reflected, *bounds


@node_operator("filter_chain", _transposed)
def filter_chain(
    x: Tensor,
    taps: Sequence[float],
    ahead: int,
    reflected: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """y[j] = Σ_k taps[k] x[j − k + ahead].

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter.
    taps : sequence of float
    ahead : int
        How many of the taps weigh nodes after j.
    reflected : bool
        Whether chains go on beyond their ends with the opposite sign, as `path.py` says, or as zeros.
    starts, counts : int Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
    """
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    return launch_filter(x, _weights(tuple(taps), dtype, x.device), ahead, reflected, starts, counts)


def chain_bounds(mask: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """First node and number of nodes of each row of a mask [batch, length, 1], as int32 [batch]."""
    if mask is None:
        return None, None
    real = mask.squeeze(-1).int()
    return real.argmax(1).int(), real.sum(1).int()
