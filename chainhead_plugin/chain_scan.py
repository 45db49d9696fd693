"""The running sum that decays, y[j] = x[j] + γ y[j − 1]: exact in O(length) for any γ in [0, 1].

The chain is cut into blocks. What leaves each block is a running sum of its own, with γ^block for γ, found by
recursion; the nodes of all blocks are then worked through together, from what enters them. Nothing is divided
by a power of γ, so nothing overflows, and powers across blocks are taken in float64, so that rounding grows
with the block and not with the chain.

`decay` is one γ, as a float, or one a feature, as a float64 Tensor [1 or batch, 1, width].
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

Decay = float | Tensor

_BLOCK = 32
_SHORT = 16
# Levels of blocks that hold any chain, 32^7 ≥ 2^31: for graphs that must fit every length.
_MOST_LEVELS = 7


def decaying_sum(x: Tensor, decay: Decay, reverse: bool) -> Tensor:
    """y[j] = Σ_{i≤j} γ^(j−i) x[i], or with `reverse` Σ_{i≥j} γ^(i−j) x[i].

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
    decay : float or float64 Tensor [1 or batch, 1, width]
    reverse : bool

    Returns
    -------
    Tensor [batch, length, width]
    """
    if not torch.compiler.is_compiling():
        return _sum_in_blocks(x, decay, reverse)
    levels = _levels(x.size(1))
    return (
        _sum_by_doubling(x.flip(1), decay, levels).flip(1) if reverse else _sum_by_doubling(x, decay, levels)
    )


def decaying_sum_by_steps(x: Tensor, decay: Decay, reverse: bool) -> Tensor:
    """`decaying_sum` by its definition, one node after the other: what the fast forms are tested against."""
    nodes = list(x.flip(1).unbind(1) if reverse else x.unbind(1))
    gamma = decay if isinstance(decay, float) else decay.to(x.dtype).squeeze(1)
    for j in range(1, len(nodes)):
        nodes[j] = nodes[j] + gamma * nodes[j - 1]
    y = torch.stack(nodes, 1)
    return y.flip(1) if reverse else y


def _add_scaled(x: Tensor, decay: Decay, state: Tensor, out: Tensor | None = None) -> Tensor:
    """x + γ state."""
    if isinstance(decay, float):
        return torch.add(x, state, alpha=decay, out=out)
    return torch.addcmul(x, state, decay.to(x.dtype), out=out)


def _sum_in_blocks(x: Tensor, decay: Decay, reverse: bool) -> Tensor:
    batch, length, width = x.shape
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    # About as many blocks as nodes in one, for few operations.
    block = min(_BLOCK, math.isqrt(length))
    count = length // block if length > _SHORT else 0
    whole = count * block
    state = torch.zeros_like(x[:, :1])
    if count:
        first = length - whole if reverse else 0
        blocks = x[:, first : first + whole].view(batch, count, block, width).unbind(2)
        results = y[:, first : first + whole].view(batch, count, block, width).unbind(2)
        if reverse:
            blocks, results = blocks[::-1], results[::-1]
        leaving = blocks[0]
        for row in blocks[1:]:
            leaving = _add_scaled(row, decay, leaving)
        leaving = _sum_in_blocks(leaving, decay**block, reverse)
        entering = torch.zeros_like(leaving)
        if reverse:
            entering[:, :-1], state = leaving[:, 1:], leaving[:, :1]
        else:
            entering[:, 1:], state = leaving[:, :-1], leaving[:, -1:]
        for row, result in zip(blocks, results, strict=True):
            entering = _add_scaled(row, decay, entering, out=result)
    for j in reversed(range(length - whole)) if reverse else range(whole, length):
        state = _add_scaled(x[:, j : j + 1], decay, state, out=y[:, j : j + 1])
    return y


def _levels(length: int) -> int:
    """How many levels of blocks a traced chain needs; those of an exported one must do for any length."""
    # torch.compiler.is_exporting is as old as torch 2.7: before, take everything for an export.
    if getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)():
        return _MOST_LEVELS
    levels, reach = 1, _BLOCK
    while reach < length:
        levels, reach = levels + 1, reach * _BLOCK
    return levels


def _sum_by_doubling(x: Tensor, decay: Decay, levels: int) -> Tensor:
    """The same in few operations for a compiler to fuse, none of which depends on the length."""
    batch, length, width = x.shape
    count = (length + _BLOCK - 1) // _BLOCK
    blocks = F.pad(x, (0, 0, 0, count * _BLOCK - length)).view(batch, count, _BLOCK, width)
    powers = [decay ** (k + 1) for k in range(_BLOCK)]
    step = 1
    while step < _BLOCK:
        power = powers[step - 1]
        power = power if isinstance(power, float) else power.to(x.dtype).unsqueeze(1)
        blocks = blocks + power * F.pad(blocks[:, :, :-step], (0, 0, step, 0))
        step *= 2
    if levels > 1:
        leaving = _sum_by_doubling(blocks[:, :, -1], decay**_BLOCK, levels - 1)
        entering = F.pad(leaving[:, :-1], (0, 0, 1, 0)).unsqueeze(2)
        if isinstance(decay, float):
            weights = x.new_tensor(powers).unsqueeze(-1)
        else:
            weights = torch.cat([p for p in powers if isinstance(p, Tensor)], 1).to(x.dtype).unsqueeze(1)
        blocks = blocks + weights * entering
    return blocks.flatten(1, 2)[:, :length]
