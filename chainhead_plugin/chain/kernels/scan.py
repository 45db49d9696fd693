"""Running sums along a chain, decaying or not, as Triton kernels: y[j] = x[j] + γ y[j − 1].

The plain forms are `running_sum` and `decaying_sum`. A chain is cut into blocks. First come the sums of blocks, then
the sum that enters each block, and then all nodes from that. Sums within a block are kept in float32, or in float64 for
float64; across blocks in float64, so that rounding grows with the block and not with the chain.
"""

from typing import Any

import torch
from torch import Tensor

from ..cached_tensors import built_once
from .launching.launch import launch
from .launching.operators import node_operator
from .tiles.bands import ROWS
from .tiles.sizes import cdiv, next_power_of_2

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("the Triton kernels need Triton: pip install triton") from error

# Sums that enter blocks enter the tiles of `banded_sum` and `sum_linear`.
BLOCK = ROWS
_FEATURES = 32
# Blocks, and their features, that a program goes through at a time to find the sums that enter them.
_CHUNK = 128
_CHUNK_FEATURES = 8


@triton.jit
def _decay_and_add(before, sum_before, own, own_sum):  # type: ignore[no-untyped-def]
    """Two stretches of a chain as a single stretch: the share of an entering sum that leaves it, and its own sum."""
    return before * own, own * sum_before + own_sum


@triton.jit
def _scan_block(  # type: ignore[no-untyped-def]
    x, decay, length, width, blocks, decay_batch_stride, decay_stride,
    REVERSED: tl.constexpr, DECAYING: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Load the nodes of a block, in the order in which they are summed, and sum them up.

    Returns the sums, the share of an entering sum that is left at each node, and the places of the nodes.
    """
    blocks_f = tl.cdiv(width, BLOCK_F)
    program = tl.program_id(0)
    batch = (program // (blocks * blocks_f)).to(tl.int64)
    block = program // blocks_f % blocks
    feature = (program % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)
    node = block * BLOCK_T + tl.arange(0, BLOCK_T)
    inside = (node < length)[:, None] & (feature < width)[None, :]

    if REVERSED:
        node = length - 1 - node
    place = batch * length * width + node.to(tl.int64)[:, None] * width + feature[None, :]
    nodes = tl.load(x + place, mask=inside, other=0).to(ACCUMULATOR)
    boundary = (batch * blocks + block) * width + feature

    if DECAYING:
        own = tl.load(
            decay + batch * decay_batch_stride + feature * decay_stride, mask=feature < width, other=0
        )
        left = tl.broadcast_to(own.to(ACCUMULATOR)[None, :], (BLOCK_T, BLOCK_F))
        left, sums = tl.associative_scan((left, nodes), 0, _decay_and_add)
    else:
        left, sums = tl.full((BLOCK_T, BLOCK_F), 1, ACCUMULATOR), tl.cumsum(nodes, 0)
    return sums, left, place, boundary, inside, feature


@triton.jit
def _block_sum_kernel(  # type: ignore[no-untyped-def]
    x, leaving, decay, length, width, blocks, decay_batch_stride, decay_stride,
    REVERSED: tl.constexpr, DECAYING: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """The sum of each block: leaving [batch, blocks, width]."""
    sums, _, _, boundary, _, feature = _scan_block(
        x, decay, length, width, blocks, decay_batch_stride, decay_stride,
        REVERSED, DECAYING, ACCUMULATOR, BLOCK_T, BLOCK_F,
    )  # fmt: skip
    last = (tl.arange(0, BLOCK_T) == BLOCK_T - 1)[:, None]
    tl.store(leaving + boundary, tl.sum(tl.where(last, sums, 0), 0), mask=feature < width)


@triton.jit
def _carry_kernel(  # type: ignore[no-untyped-def]
    leaving, entering, decay, width, blocks, decay_batch_stride, decay_stride,
    DECAYING: tl.constexpr, BLOCK_T: tl.constexpr, CHUNK: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """The sum that enters each block, [batch, blocks, width], chunk after chunk."""
    blocks_f = tl.cdiv(width, BLOCK_F)
    batch = (tl.program_id(0) // blocks_f).to(tl.int64)
    feature = (tl.program_id(0) % blocks_f) * BLOCK_F + tl.arange(0, BLOCK_F)

    power = tl.full((BLOCK_F,), 1, tl.float64)
    if DECAYING:
        power = tl.load(
            decay + batch * decay_batch_stride + feature * decay_stride, mask=feature < width, other=0
        )
        step = 1
        while step < BLOCK_T:
            power = power * power
            step *= 2

    number = tl.arange(0, CHUNK)
    state = tl.zeros((BLOCK_F,), tl.float64)
    for first in range(0, blocks, CHUNK):
        block = first + number
        mask = (block < blocks)[:, None] & (feature < width)[None, :]
        place = batch * blocks * width + block.to(tl.int64)[:, None] * width + feature[None, :]
        before = tl.load(leaving + place - width, mask=mask & (block > 0)[:, None], other=0).to(tl.float64)
        left = tl.broadcast_to(power[None, :], (CHUNK, BLOCK_F))
        left, sums = tl.associative_scan((left, before), 0, _decay_and_add)
        sums += left * state[None, :]
        tl.store(entering + place, sums.to(entering.dtype.element_ty), mask=mask)
        state = tl.sum(tl.where((number == CHUNK - 1)[:, None], sums, 0), 0)


@triton.jit
def _running_sum_kernel(  # type: ignore[no-untyped-def]
    x, y, entering, decay, length, width, blocks, decay_batch_stride, decay_stride,
    REVERSED: tl.constexpr, DECAYING: tl.constexpr, ACCUMULATOR: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """All nodes, from the sums that enter their blocks."""
    sums, left, place, boundary, inside, feature = _scan_block(
        x, decay, length, width, blocks, decay_batch_stride, decay_stride,
        REVERSED, DECAYING, ACCUMULATOR, BLOCK_T, BLOCK_F,
    )  # fmt: skip
    carry = tl.load(entering + boundary, mask=feature < width, other=0)
    tl.store(y + place, (sums + left * carry[None, :]).to(y.dtype.element_ty), mask=inside)


@built_once(maxsize=256)
def decay_tensor(decay: float, device: torch.device) -> Tensor:
    """A common γ as the kernels read it, [1, 1, 1]."""
    return torch.full((1, 1, 1), decay, dtype=torch.float64, device=device)


def _tile(
    x: Tensor, decay: Tensor | None, reverse: bool
) -> tuple[Tensor | None, tuple[int, int], dict[str, Any]]:
    """The decay and its strides by row and feature, as the kernels read them, and what they are compiled for."""
    strides = (0, 0)
    if decay is not None:
        decay = decay.resolve_neg().contiguous()
        one_each, one_batch = decay.size(2) > 1, decay.size(0) > 1
        strides = (decay.size(2) if one_batch else 0, int(one_each))
    compiled = {
        "DECAYING": decay is not None,
        "BLOCK_T": BLOCK,
        "REVERSED": reverse,
        "ACCUMULATOR": tl.float64 if x.dtype == torch.float64 else tl.float32,
        "BLOCK_F": min(_FEATURES, next_power_of_2(x.size(2))),
    }
    return decay, strides, compiled


def entering_sums(x: Tensor, decay: Tensor | None, reverse: bool) -> Tensor:
    """The sums that enter blocks of `BLOCK` nodes, which are counted in the order in which nodes are summed.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        Contiguous, and not empty.
    decay, reverse
        As for `scan_chain`.

    Returns
    -------
    float32 Tensor [batch, blocks, width], or float64 for float64
    """
    batch, length, width = x.shape
    dtype = torch.promote_types(x.dtype, torch.float32)
    blocks = cdiv(length, BLOCK)
    if blocks == 1:
        return x.new_zeros(batch, 1, width, dtype=dtype)

    decay, strides, compiled = _tile(x, decay, reverse)
    features = compiled["BLOCK_F"]
    carry_features = min(_CHUNK_FEATURES, features)
    leaving, entering = x.new_empty(2, batch, blocks, width, dtype=dtype)
    launch(
        _block_sum_kernel, batch * blocks * cdiv(width, features), leaving,
        x, leaving, decay, length, width, blocks, *strides, **compiled,
    )  # fmt: skip
    launch(
        _carry_kernel, batch * cdiv(width, carry_features), entering,
        leaving, entering, decay, width, blocks, *strides,
        CHUNK=min(_CHUNK, next_power_of_2(blocks)), BLOCK_F=carry_features,
        DECAYING=decay is not None, BLOCK_T=BLOCK,
    )  # fmt: skip
    return entering


def tile_sums(x: Tensor, decay: float, reverse: bool) -> tuple[Tensor | None, int]:
    """The sums that enter tiles of `BLOCK` nodes, which are counted from the first node on, and where the first begins.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        Contiguous.
    decay : float
        γ in (0, 1].
    reverse : bool

    Returns
    -------
    entering : float32 Tensor [batch, tiles, width], or float64 for float64
        None if nothing enters any.
    first_node : int
        At most zero: in reverse, the last tile ends with the chain.
    """
    length = x.size(1)
    first_node = length - cdiv(length, BLOCK) * BLOCK if reverse else 0
    if x.numel() == 0 or length <= BLOCK:
        return None, first_node
    entering = entering_sums(x, None if decay == 1 else decay_tensor(decay, x.device), reverse)
    return entering.flip(1) if reverse else entering, first_node


def _transposed(decay: Tensor | None, reverse: bool) -> tuple[Any, ...]:
    return decay, not reverse


@node_operator("scan_chain", _transposed)
def scan_operator(x: Tensor, decay: Tensor | None, reverse: bool) -> Tensor:
    """`scan_chain`, of a γ that is a tensor."""
    x = x.resolve_neg().contiguous()
    y = torch.empty_like(x)
    batch, length, width = x.shape
    if x.numel() == 0:
        return y

    entering = entering_sums(x, decay, reverse)
    decay, strides, compiled = _tile(x, decay, reverse)
    blocks = cdiv(length, BLOCK)
    programs = batch * blocks * cdiv(width, compiled["BLOCK_F"])
    launch(
        _running_sum_kernel, programs, y, x, y, entering, decay, length, width, blocks, *strides, **compiled
    )
    return y


def scan_chain(x: Tensor, decay: Tensor | float | None, reverse: bool) -> Tensor:
    """y[j] = Σ_{i≤j} γ^(j−i) x[i], or with `reverse` Σ_{i≥j} γ^(i−j) x[i].

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter.
    decay : float or float64 Tensor [1 or batch, 1, 1 or width], optional
        γ in [0, 1], which has no gradient here; 1 by default.
    reverse : bool

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
    """
    if isinstance(decay, float):
        decay = decay_tensor(decay, x.device)
    return scan_operator(x, decay, reverse)
