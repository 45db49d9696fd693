"""Filters and running sums along a chain: y[j] = Σ_k back[k] x[j − k] + Σ_{k>0} ahead[k] x[j + k].

Filters have two forms. The plain one adds shifted copies, and is right for anything. The blocked one cuts the
chain into blocks and multiplies each by one small banded matrix: a batched matrix product in place of a pass
over memory for every tap. It needs finite inputs, since zero times infinity is not zero.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..backend import is_eager_on_cpu, runs_on_triton
from ..cached_tensors import built_once
from .convolution import convolution_pays, convolve
from .sum_in_blocks import sum_in_blocks

_BLOCK = 32
_FEWEST_TAPS = 4
SHORTEST = 2 * _BLOCK
# Numbers from which sums in blocks are faster than torch's own, node after node.
_MANY_SUMS = 2**18


def two_sided_filter(x: Tensor, back: Sequence[float], ahead: Sequence[float]) -> Tensor:
    """Filter a chain that is zero beyond its ends.

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
    back, ahead : sequence of float
        back[k] weighs the node k steps before, ahead[k] the node k steps after; `ahead[0]` is not used.

    Returns
    -------
    Tensor [batch, length, width]
    """
    if runs_on_triton(x):
        from ..kernels.filter import filter_chain

        return filter_chain(x, [*reversed(ahead[1:]), *back], len(ahead) - 1, False)
    if torch.compiler.is_compiling():
        return _padded_sum(x, back, ahead)
    if _FEWEST_TAPS <= max(len(back), len(ahead)) <= _BLOCK and is_eager_on_cpu(x) and x.size(1) >= SHORTEST:
        convolves = convolution_pays(x, back, ahead)
        # A weight of zero takes what is not finite for NaN and spreads it; a convolution has no others.
        if (convolves and 0.0 not in (*back, *ahead)) or _is_finite(x):
            return (convolve if convolves else _blocked_filter)(x, tuple(back), tuple(ahead))
    return _shifted_sum(x, back, ahead)


def running_sum(x: Tensor, reverse: bool) -> Tensor:
    """y[j] = Σ_{i≤j} x[i], or with `reverse` Σ_{i≥j} x[i]; [batch, length, width].

    In eager mode on the CPU half precision is summed up in float32 and rounded once.
    """
    if runs_on_triton(x):
        from ..kernels.scan import scan_chain

        return scan_chain(x, None, reverse)
    if is_eager_on_cpu(x) and x.numel() >= _MANY_SUMS:
        return sum_in_blocks(x, 1.0, reverse)
    return x.flip(1).cumsum(1).flip(1) if reverse else x.cumsum(1)


def _is_finite(x: Tensor) -> bool:
    # A finite sum proves that every summand is finite, at the price of one pass.
    return x.numel() > 0 and bool(x.sum().isfinite())


def _shifted_sum(x: Tensor, back: Sequence[float], ahead: Sequence[float]) -> Tensor:
    if is_eager_on_cpu(x) and x.size(1) > 1 and back[0] and {len(back), len(ahead)} == {1, 2}:
        hop = (back if len(back) > 1 else ahead)[1]
        if hop == 1:
            return _one_hop(x, back[0], forwards=len(back) > 1)
    y = x * back[0] if back[0] else torch.zeros_like(x)
    for k, tap in enumerate(back):
        if k >= x.size(1):
            break
        if k and tap:
            y[:, k:].add_(x[:, :-k], alpha=tap)
    for k, tap in enumerate(ahead):
        if k >= x.size(1):
            break
        if k and tap:
            y[:, :-k].add_(x[:, k:], alpha=tap)
    return y


def _padded_sum(x: Tensor, back: Sequence[float], ahead: Sequence[float]) -> Tensor:
    """As `_shifted_sum`, but asks nothing about the length: one compiled or exported graph serves all."""
    reach, length = len(back) - 1, x.size(1)
    padded = F.pad(x, (0, 0, reach, len(ahead) - 1))
    y = x * back[0] if back[0] else torch.zeros_like(x)
    for taps, direction in ((back, -1), (ahead, 1)):
        for k, tap in enumerate(taps):
            if k and tap:
                y = torch.add(y, padded.narrow(1, reach + direction * k, length), alpha=tap)
    return y


def _one_hop(x: Tensor, self_weight: float, forwards: bool) -> Tensor:
    """A neighbour plus the weighted node itself, in one pass over memory."""
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    if forwards:
        torch.add(x[:, :-1], x[:, 1:], alpha=self_weight, out=y[:, 1:])
        torch.mul(x[:, :1], self_weight, out=y[:, :1])
    else:
        torch.add(x[:, 1:], x[:, :-1], alpha=self_weight, out=y[:, :-1])
        torch.mul(x[:, -1:], self_weight, out=y[:, -1:])
    return y


def _in_blocks(x: Tensor) -> Tensor:
    """[batch, length, width] as [batch, blocks, _BLOCK, width], filled up with zeros."""
    surplus = -x.size(1) % _BLOCK
    if surplus:
        x = F.pad(x, (0, 0, 0, surplus))
    return x.reshape(x.size(0), x.size(1) // _BLOCK, _BLOCK, x.size(2))


def _times(matrix: Tensor, blocks: Tensor) -> Tensor:
    """Multiply every block [batch, blocks, rows, width] by one square matrix, to [batch, blocks·rows, width]."""
    batch, count, rows, width = blocks.shape
    # No view of the result of an operation: the callers' callers add in place, which autograd allows on no view.
    nodes = blocks.new_empty(batch, count * rows, width)
    flat = blocks.flatten(0, 1)
    torch.bmm(matrix.expand(flat.size(0), -1, -1), flat, out=nodes.view(flat.shape))
    return nodes


@built_once(maxsize=64)
def _band(
    back: tuple[float, ...], ahead: tuple[float, ...], dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """How a block's nodes depend on the block itself, on the end of the block before and the start of the next."""

    def weights(distance: Tensor) -> Tensor:
        taps = torch.zeros(2 * _BLOCK + 1, dtype=torch.float64)
        taps[_BLOCK : _BLOCK + len(back)] = torch.tensor(back, dtype=torch.float64)
        for k, tap in enumerate(ahead):
            if k:
                taps[_BLOCK - k] = tap
        return taps[distance.clamp(-_BLOCK, _BLOCK) + _BLOCK].to(dtype)

    node = torch.arange(_BLOCK)  # weights are [takes, gives]
    reach, outlook = len(back) - 1, len(ahead) - 1
    own = weights(node[:, None] - node)
    before = weights(node[:reach, None] - node[:reach] + reach)
    after = weights(node[:outlook, None] - node[:outlook] - outlook)
    return (
        own,
        before.where(node[:reach] >= node[:reach, None], 0),
        after.where(node[:outlook] <= node[:outlook, None], 0),
    )


def _blocked_filter(x: Tensor, back: tuple[float, ...], ahead: tuple[float, ...]) -> Tensor:
    own, before, after = _band(back, ahead, x.dtype)
    reach, outlook = len(back) - 1, len(ahead) - 1
    blocks = _in_blocks(x)  # [batch, blocks, block, width]
    nodes = _times(own, blocks)  # [batch, blocks·block, width]
    y = nodes.view(blocks.shape)
    if reach:
        ends = blocks[:, :-1, -reach:]
        y[:, 1:, :reach] += _times(before, ends).view(ends.shape)
    if outlook:
        starts = blocks[:, 1:, :outlook]
        y[:, :-1, -outlook:] += _times(after, starts).view(starts.shape)
    return _first(nodes, x.size(1))


def _first(nodes: Tensor, length: int) -> Tensor:
    return nodes if nodes.size(1) == length else nodes[:, :length].clone()
