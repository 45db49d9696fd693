"""The running sum that decays in eager mode: exact in O(length), for any γ in [0, 1].

The chain is cut into blocks. The sums that leave the blocks are a running sum themselves, with γ^block for γ, found by
recursion; the nodes of all blocks are then worked through together, from the sums that enter them. Nothing is divided
by a power of γ, so nothing overflows, and powers across blocks are taken in float64, so that rounding grows
with the block and not with the chain.

Half precision is widened, summed up in place and rounded, a few chains or a part of a chain at a time: it stays in the
cache on the way, and takes half as long as if all of it were widened before.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..kinds import accumulated

Decay = float | Tensor

_BLOCK = 16
_SHORT = 16
# Numbers that are widened at a time, for each thread and for as many threads at least: 4 MiB of float32 and more.
_PIECE, _FEWEST_THREADS = 2**19, 2


def sum_in_blocks(x: Tensor, decay: Decay, reverse: bool) -> Tensor:
    """y[j] = Σ_{i≤j} γ^(j−i) x[i], or with `reverse` Σ_{i≥j} γ^(i−j) x[i].

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        Half precision is summed up in float32 and rounded once.
    decay : float or float64 Tensor [1 or batch, 1, width]
    reverse : bool

    Returns
    -------
    Tensor [batch, length, width]
    """
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    dtype = accumulated(x.dtype)
    if x.dtype == dtype:
        _sum(x, decay, reverse, None, y)
        return y

    for rows, parts in _pieces(x):
        gamma = decay if isinstance(decay, float) or decay.size(0) == 1 else decay[rows]
        state = None
        for nodes in reversed(parts) if reverse else parts:
            piece = x[rows, nodes].to(dtype)
            state = _sum(piece, gamma, reverse, state, piece)
            y[rows, nodes] = piece
    return y


def rows_in_cache(x: Tensor) -> int:
    """How many chains of nodes [batch, length, width] are to be widened at a time, at least 1."""
    threads = max(_FEWEST_THREADS, torch.get_num_threads())
    return max(1, _PIECE * threads // max(1, x.size(1) * x.size(2)))


def _pieces(x: Tensor) -> Iterator[tuple[slice, list[slice]]]:
    """A few chains and all of their nodes, or a chain and parts of it."""
    batch, length, width = x.shape
    rows, nodes = rows_in_cache(x), length
    if rows == 1 and batch:
        whole = _BLOCK**2  # so that parts have no nodes beside their blocks
        threads = max(_FEWEST_THREADS, torch.get_num_threads())
        nodes = max(1, _PIECE * threads // width // whole) * whole
    parts = [slice(start, start + nodes) for start in range(0, length, max(1, nodes))]
    for first in range(0, batch, rows):
        yield slice(first, first + rows), parts


def _add_scaled(x: Tensor, decay: Decay, state: Tensor, out: Tensor | None = None) -> Tensor:
    """x + γ state, of one dtype."""
    if isinstance(decay, float):
        return torch.add(x, state, alpha=decay, out=out)
    return torch.addcmul(x, state, decay, out=out)


def _sum(x: Tensor, decay: Decay, reverse: bool, state: Tensor | None, out: Tensor) -> Tensor | None:
    """Write the sums of x to `out`, which may be `x`, going on from `state`; return the last of them."""
    batch, length, width = x.shape

    # About as many blocks as nodes in a block, for few operations.
    block = min(_BLOCK, math.isqrt(length))
    count = length // block if length > _SHORT else 0
    whole = count * block
    gamma = decay if isinstance(decay, float) else decay.to(x.dtype)

    if count:
        first = length - whole if reverse else 0
        # As many rows as nodes in a block, each [batch, count, width].
        blocks = x[:, first : first + whole].view(batch, count, block, width).unbind(2)
        results = out[:, first : first + whole].view(batch, count, block, width).unbind(2)
        if reverse:
            blocks, results = blocks[::-1], results[::-1]

        leaving = _add_scaled(blocks[1], gamma, blocks[0])
        for row in blocks[2:]:
            _add_scaled(row, gamma, leaving, out=leaving)
        around = leaving.new_zeros(batch, count + 1, width)  # before, between and after the blocks
        entering, left = (around[:, 1:], around[:, :-1]) if reverse else (around[:, :-1], around[:, 1:])
        if state is not None:
            around[:, -1 if reverse else 0] = state.squeeze(1)
        _sum(leaving, decay**block, reverse, state, left)
        state = around[:, :1] if reverse else around[:, -1:]

        sums = entering
        for row, result in zip(blocks, results, strict=True):
            sums = _add_scaled(row, gamma, sums, out=result)

    if whole < length:
        rest = slice(0, length - whole) if reverse else slice(whole, length)
        nodes, results = torch.split(x[:, rest], 1, 1), torch.split(out[:, rest], 1, 1)
        if reverse:
            nodes, results = nodes[::-1], results[::-1]
        for node, result in zip(nodes, results, strict=True):
            if state is None:
                state = result.copy_(node)
            else:
                state = _add_scaled(node, gamma, state, out=result)
    return state
