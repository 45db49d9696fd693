"""Running sums along a chain that processes share, plain and decaying: each goes on from what those before leave.

A process sums its own nodes from zero. The sums that leave all shards are gathered in one exchange, of which each
process makes the sum that enters its own: e = Σ_q γ^(nodes between) · leaving_q. It is added to its nodes,
decaying, as far as the dtype can see it.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..chain.forms.decay import decaying_inverse
from ..chain.forms.filter import running_sum
from ..chain.forms.sum_in_blocks import Decay
from .shards import Shards


class Mixed(NamedTuple):
    """Mixed nodes of this process, and those of other processes beside them.

    Attributes
    ----------
    nodes : Tensor [batch, length, width]
    before, after : Tensor [batch, 1, width]
        The mixed nodes that stand next to the first node and to the last one; zero where there are none.
    """

    nodes: Tensor
    before: Tensor
    after: Tensor


def mix_running_sum(x: Tensor, shards: Shards, reverse: bool) -> Tensor:
    """y[j] = Σ_{i≤j} x[i] over whole rows, or with `reverse` Σ_{i≥j} x[i].

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
        Zero where nodes are not real.
    shards : Shards
    reverse : bool

    Returns
    -------
    Tensor [batch, length, width]
    """
    leaving = shards.group.gathered(x.sum(1, keepdim=True))
    y = running_sum(x, reverse)
    rank = shards.group.rank
    entering = leaving.wait()[rank + 1 :] if reverse else leaving.wait()[:rank]
    return y.add_(entering.sum(0))


def mix_decaying_sum(x: Tensor, decay: Decay, shards: Shards, reverse: bool) -> Mixed:
    """y[j] = Σ_{i≤j} γ^(j−i) x[i] over whole rows, or with `reverse` Σ_{i≥j} γ^(i−j) x[i].

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
        Zero where nodes are not real.
    decay : float, or Tensor [1, 1, width]
    shards : Shards
    reverse : bool

    Returns
    -------
    Mixed
    """

    def summed(nodes: Tensor) -> Tensor:
        return decaying_inverse(nodes, None, decay, bi_directional=False, transposed=reverse)

    length = x.size(1)
    gamma = in_float64(decay, x)
    seen = min(length, nodes_seen(gamma, x.dtype))
    if pays_beside(seen, length):
        # The last nodes alone make the sum that leaves.
        tail = x[:, :seen] if reverse else x[:, length - seen :]
        leaving = shards.group.gathered(_leaving(summed(tail), reverse))
        y = summed(x)
    else:
        y = summed(x)
        leaving = shards.group.gathered(_leaving(y, reverse))

    entering = _entering(leaving.wait(), gamma, shards, reverse)
    node = torch.arange(1, seen + 1, dtype=torch.float64, device=x.device).view(1, -1, 1)
    entered = (gamma**node * entering).to(x.dtype)
    if reverse:
        y[:, length - seen :] += entered.flip(1)
    else:
        y[:, :seen] += entered
    beside, none = entering.to(x.dtype), torch.zeros_like(entering, dtype=x.dtype)
    return Mixed(y, none, beside) if reverse else Mixed(y, beside, none)


def in_float64(decay: Decay, x: Tensor) -> Tensor:
    """γ as a float64 Tensor [1, 1, 1 or width]."""
    if isinstance(decay, float):
        return torch.full((1, 1, 1), decay, dtype=torch.float64, device=x.device)
    return decay.double()


def nodes_seen(factor: Tensor, dtype: torch.dtype) -> int:
    """After how many nodes a dtype sees nothing of 1, once it is multiplied by `factor`, [1, 1, width], at each."""
    largest = factor.max().item()
    if largest <= 0:
        return 1
    smallest = math.log(torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps)
    return math.ceil(min(smallest / math.log(largest), 2.0**62)) + 1 if largest < 1 else 2**62


def pays_beside(seen: int, length: int) -> bool:
    """Whether to mix the `seen` nodes at an end of a shard twice: at first alone, for an exchange beside the rest."""
    return 0 < 8 * seen <= length


def _leaving(y: Tensor, reverse: bool) -> Tensor:
    """The sum that leaves a shard, [batch, 1, width]; of one without nodes zero."""
    if y.size(1) == 0:
        return y.new_zeros(y.size(0), 1, y.size(2))
    return y[:, :1] if reverse else y[:, -1:]


def _entering(leaving: Tensor, gamma: Tensor, shards: Shards, reverse: bool) -> Tensor:
    """The sum that enters the shard of this process, from those that leave all shards; float64 [batch, 1, width]."""
    rank, size = shards.group.rank, shards.group.size
    entering = torch.zeros(leaving.shape[1:], dtype=torch.float64, device=leaving.device)
    for process in range(size - 1, rank, -1) if reverse else range(rank):
        entering = entering * gamma ** shards.lengths[process] + leaving[process]
    return entering
