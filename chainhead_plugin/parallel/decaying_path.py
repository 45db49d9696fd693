"""The bi-directional inverse that decays, (I − γN)⁻¹, of a chain that processes share.

Each process solves its own nodes as a chain of their own, u. The true y differs by what the mixed nodes y₋ before the
shard and y₊ after it give: with γ = ρ / (1 + ρ²), at the j-th of n nodes

    y_j = u_j + w_j y₋ + w_{n+1−j} y₊,   w_j = ρ^j (1 − ρ^(2(n + 1 − j))) / (1 − ρ^(2(n + 1))).

The first and the last u of all shards are gathered in one exchange. They give as many equations for the first and the
last y of all shards, which each process solves from one end to the other and back.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..chain.forms.decay import decaying_inverse, path_decay
from ..chain.forms.sum_in_blocks import Decay
from ..chain.masking import zeroed
from .running_sums import Mixed, in_float64, nodes_seen, pays_beside
from .shards import Shards


def mix_decaying_path(x: Tensor, mask: Tensor | None, decay: Decay, shards: Shards) -> Mixed:
    """Aᵀx over whole rows with A = (I − γN)⁻¹, which is symmetric.

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
        Zero where nodes are not real.
    mask : bool Tensor [batch, length, 1], optional
        True for the real nodes of this process.
    decay : float, or Tensor [1, 1, width]
        At most 1/2.
    shards : Shards

    Returns
    -------
    Mixed
    """

    def solved(nodes: slice) -> Tensor:
        real = None if mask is None else mask[:, nodes]
        y = decaying_inverse(x[:, nodes], real, decay, bi_directional=True, transposed=False)
        return y if real is None else zeroed(y, real)

    length = x.size(1)
    rho, rate = path_decay(in_float64(decay, x))
    seen = min(length, nodes_seen(rho, x.dtype))
    if pays_beside(seen, length):
        # The nodes next to either end alone make the end's.
        ends = solved(slice(seen))[:, :1], solved(slice(length - seen, length))[:, -1:]
        leaving = shards.group.gathered(torch.stack(ends))
        y = solved(slice(length))
    else:
        y = solved(slice(length)) if length else x.clone()
        ends = (y[:, :1], y[:, -1:]) if length else (x.new_zeros(x.size(0), 1, x.size(2)),) * 2
        leaving = shards.group.gathered(torch.stack(ends))

    counts = _counts(shards, x.device)
    node = torch.arange(1, seen + 1, device=x.device).view(1, -1, 1)
    weight = _weight(node, counts[shards.group.rank], rate)
    couplings = _couplings(shards, counts, rate)

    before, after = _beside(leaving.wait().double(), couplings, shards)
    y[:, :seen] += (weight * before).to(x.dtype)
    y[:, length - seen :] += (weight.flip(1) * after).to(x.dtype)
    return Mixed(y, before.to(x.dtype), after.to(x.dtype))


def _counts(shards: Shards, device: torch.device) -> Tensor:
    """How many real nodes every process holds of each row, [processes, batch or 1, 1, 1]."""
    if shards.real is None:
        return torch.tensor(shards.lengths, device=device).view(-1, 1, 1, 1)
    ends = torch.tensor(shards.ends, device=device).view(-1, 1, 1)
    held = torch.minimum(shards.real.end, ends[1:]) - torch.maximum(shards.real.begin, ends[:-1])
    return held.clamp(min=0).unsqueeze(-1)


def _weight(node: Tensor, count: Tensor, rate: Tensor) -> Tensor:
    """w_j of the j-th of `count` nodes, j from 1 on; 0 behind the last. `rate` is −ln ρ."""
    left = (count + 1 - node).clamp(min=0)
    return torch.exp(-rate * node) * torch.expm1(-2 * rate * left) / torch.expm1(-2 * rate * (count + 1))


class _Couplings(NamedTuple):
    """What the first and the last mixed node of every shard take of the mixed nodes beside it.

    Tensors [processes, batch or 1, 1, 1 or width].

    Attributes
    ----------
    first, last : Tensor
        Each of the node next to it; 0 where it is not real.
    across : Tensor
        Each of the node beyond the other end; 0 where one of both is not real.
    """

    first: Tensor
    last: Tensor
    across: Tensor


def _couplings(shards: Shards, counts: Tensor, rate: Tensor) -> _Couplings:
    near, far = _weight(torch.ones_like(counts), counts, rate), _weight(counts, counts, rate)
    if shards.real is None:
        return _Couplings(near, near, far)
    ends = torch.tensor(shards.ends, device=rate.device).view(-1, 1, 1)
    real = (shards.real.begin <= ends) & (ends < shards.real.end)
    has_first = real[:-1].unsqueeze(-1)
    real = (shards.real.begin < ends) & (ends <= shards.real.end)
    has_last = real[1:].unsqueeze(-1)
    return _Couplings(has_first * near, has_last * near, has_first * has_last * far)


def _beside(leaving: Tensor, couplings: _Couplings, shards: Shards) -> tuple[Tensor, Tensor]:
    """The mixed nodes before and after the shard of this process.

    Parameters
    ----------
    leaving : float64 Tensor [processes, 2, batch, 1, width]
        The first and the last node of every shard, mixed with the nodes of the shard alone.
    couplings : _Couplings
    shards : Shards

    Returns
    -------
    before, after : float64 Tensor [batch, 1, width]
    """
    none = torch.zeros_like(leaving[0, 0])
    processes = [process for process, length in enumerate(shards.lengths) if length]
    takes_first, takes_last, across = (tensor.unbind() for tensor in couplings)

    # From the first shard to the last: the mixed node before a shard is `level + slope · (its first mixed node)`.
    level, slope = none, none
    lines: dict[int, tuple[Tensor, Tensor]] = {}
    for process in processes:
        lines[process] = level, slope
        first, last = leaving[process]
        scale = 1 / (1 - takes_first[process] * slope)
        fixed, following = scale * (first + takes_first[process] * level), scale * across[process]
        level, slope = (
            last + across[process] * (level + slope * fixed),
            takes_last[process] + across[process] * slope * following,
        )

    # And back, with the mixed node after each shard.
    before, after, following = none, none, none
    for process in reversed(processes):
        level, slope = lines[process]
        first = leaving[process, 0] + takes_first[process] * level + across[process] * following
        first = first / (1 - takes_first[process] * slope)
        if process == shards.group.rank:
            before, after = level + slope * first, following
        following = first
    return before, after
