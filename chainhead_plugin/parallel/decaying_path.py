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
from ..chain.forms.scan import Decay
from .running_sums import Mixed, in_float64, nodes_seen
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
    length = x.size(1)
    y = decaying_inverse(x, mask, decay, bi_directional=True, transposed=False) if length else x.clone()
    if mask is not None:
        y = torch.where(mask, y, 0)
    ends = torch.stack((y[:, 0], y[:, -1])) if length else x.new_zeros(2, x.size(0), x.size(2))
    leaving = shards.group.gathered(ends)

    rho, rate = path_decay(in_float64(decay, x))
    seen = min(length, nodes_seen(rho, x.dtype))
    node = torch.arange(1, seen + 1, device=x.device).view(1, -1, 1)
    weight = _weight(node, _count(shards, shards.group.rank, x.device), rate)

    before, after = _beside(leaving.wait().double(), rate, shards)
    y[:, :seen] += (weight * before).to(x.dtype)
    y[:, length - seen :] += (weight.flip(1) * after).to(x.dtype)
    return Mixed(y, before.to(x.dtype), after.to(x.dtype))


def _count(shards: Shards, process: int, device: torch.device) -> Tensor:
    """How many real nodes a process holds of each row, [batch or 1, 1, 1]."""
    begin, end = shards.ends[process], shards.ends[process + 1]
    if shards.real is None:
        return torch.full((1, 1, 1), end - begin, device=device)
    held = torch.clamp(shards.real.end, max=end) - torch.clamp(shards.real.begin, min=begin)
    return held.clamp(min=0)[..., None]


def _weight(node: Tensor, count: Tensor, rate: Tensor) -> Tensor:
    """w_j of the j-th of `count` nodes, j from 1 on; 0 behind the last. `rate` is −ln ρ."""
    left = (count + 1 - node).clamp(min=0)
    return torch.exp(-rate * node) * torch.expm1(-2 * rate * left) / torch.expm1(-2 * rate * (count + 1))


class _Shard(NamedTuple):
    """What the first and the last mixed node of a shard take of the mixed nodes beside the shard, [batch or 1, 1, …].

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


def _beside(leaving: Tensor, rate: Tensor, shards: Shards) -> tuple[Tensor, Tensor]:
    """The mixed nodes before and after the shard of this process, from the ends of all [processes, 2, batch, width]."""
    none = torch.zeros_like(leaving[0, 0][:, None])
    processes = [process for process, length in enumerate(shards.lengths) if length]
    coupled = {process: _couple(shards, process, rate) for process in processes}

    # From the first shard to the last: the mixed node before a shard is `level + slope · (its first mixed node)`.
    level, slope = none, none
    lines: dict[int, tuple[Tensor, Tensor]] = {}
    for process in processes:
        lines[process] = level, slope
        takes = coupled[process]
        first, last = leaving[process].unsqueeze(2).unbind(0)  # [batch, 1, width]
        scale = 1 / (1 - takes.first * slope)
        fixed, following = scale * (first + takes.first * level), scale * takes.across
        level, slope = (
            last + takes.across * (level + slope * fixed),
            takes.last + takes.across * slope * following,
        )

    # And back, with the mixed node after each shard.
    before, after, following = none, none, none
    for process in reversed(processes):
        level, slope = lines[process]
        takes = coupled[process]
        first = leaving[process, 0][:, None] + takes.first * level + takes.across * following
        first = first / (1 - takes.first * slope)
        if process == shards.group.rank:
            before, after = level + slope * first, following
        following = first
    return before, after


def _couple(shards: Shards, process: int, rate: Tensor) -> _Shard:
    count = _count(shards, process, rate.device)
    one = torch.ones_like(count)
    near, far = _weight(one, count, rate), _weight(count, count, rate)
    if shards.real is None:
        return _Shard(near, near, far)
    begin, end = shards.ends[process], shards.ends[process + 1]
    has_first = shards.real.mask(begin, begin + 1)[..., None].to(rate)
    has_last = shards.real.mask(end - 1, end)[..., None].to(rate)
    return _Shard(has_first * near, has_last * near, has_first * has_last * far)
