"""What a head asks where processes share its nodes: which nodes there are, and how they reach each other."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..chain.forms.hops import Hops
from ..chain.kinds import Chain, accumulated
from ..chain.masking import CheckedMask
from ..head.chains import Chains, WholeChains
from .carried import mix_carried
from .finite_reach import mix_within_reach, move_within_reach, reach_of
from .group import SequenceGroup
from .shards import Shards, find_shards

# Not compiled: a graph would hold for the lengths of one call, and has no place for exchanges that overlap it.
_outside_graphs: Any = torch.compiler.disable


@dataclass(frozen=True)
class SharedChains:
    """The chains of one call, whose nodes are shared among processes.

    Attributes
    ----------
    shards : Shards
    mask : bool Tensor [batch, length], optional
        Which nodes of this process are real; None where all nodes of all processes are.
    """

    shards: Shards
    mask: Tensor | None

    @_outside_graphs
    def mix(self, x: Tensor, chain: Chain, decay: Tensor | None) -> Tensor:
        """`mix` of [batch, length, width]."""
        reach = reach_of(chain, x.dtype, decay is not None)
        if reach is not None:
            return mix_within_reach(x, chain, reach, self.shards, decay)
        dtype = accumulated(x.dtype)
        gamma = None if decay is None else decay.to(dtype).view(1, 1, -1)
        return mix_carried(x.to(dtype), chain, self.shards, gamma).to(x.dtype)

    @_outside_graphs
    def move(self, x: Tensor, hops: Hops, spread: bool, add: bool) -> Tensor:
        """`move` of [batch, length, features]."""
        return move_within_reach(x, hops, self.shards, spread, add)


@dataclass(frozen=True)
class SequenceSharding:
    """The sharding of heads whose nodes the processes of a group share, in the order of their ranks."""

    group: SequenceGroup

    @_outside_graphs
    def open(
        self, head: nn.Module, x: Tensor, attention_mask: Tensor | CheckedMask | None, features: int
    ) -> tuple[Tensor, Chains]:
        """Find out which nodes the other processes hold, and check them; see `find_shards`."""

        def check(x: Tensor) -> None:
            if not x.is_floating_point():
                raise TypeError(f"x must be of floating point, got {x.dtype}: convert it with x.float()")
            if x.ndim != 3 or x.size(2) != features:
                raise ValueError(
                    f"got shape {tuple(x.shape)}, expected [batch, length, {features}]: the nodes of this process, of "
                    "any number. The flat layout holds whole chains, which are not shared"
                )

        device = next(head.parameters()).device
        x, shards = find_shards(self.group, x, attention_mask, check, device)
        mask = shards.mask(shards.begin, shards.end)
        return x, WholeChains(mask) if self.group.size == 1 else SharedChains(shards, mask)
