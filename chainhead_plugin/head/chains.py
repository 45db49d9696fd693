"""The chains that a head is called with: whole in the tensors of this process, or shared with other processes."""

from typing import NamedTuple, Protocol

from torch import Tensor, nn

from ..chain.forms.hops import Hops, move
from ..chain.kinds import Chain
from ..chain.masking import CheckedMask
from ..chain.mix import mix


class Chains(Protocol):
    """The chains of one call, and how their nodes reach each other."""

    @property
    def mask(self) -> Tensor | None:
        """Which of the nodes of this process are real, [batch, length]; None where all are."""

    def mix(self, x: Tensor, chain: Chain, decay: Tensor | None) -> Tensor:
        """`mix` of [batch, length, width]."""

    def move(self, x: Tensor, hops: Hops, spread: bool, add: bool) -> Tensor:
        """`move` of [batch, length, features]."""


class WholeChains(NamedTuple):
    """Chains all of whose nodes stand in the tensors of this process."""

    mask: Tensor | None

    def mix(self, x: Tensor, chain: Chain, decay: Tensor | None) -> Tensor:
        """`mix` of [batch, length, width]."""
        return mix(x, chain, self.mask, decay)

    def move(self, x: Tensor, hops: Hops, spread: bool, add: bool) -> Tensor:
        """`move` of [batch, length, features]."""
        return move(x, hops, self.mask, spread=spread, add=add)


class Sharding(Protocol):
    """How the nodes of chains are shared among processes, each of which calls the same head with its own."""

    def open(
        self, head: nn.Module, x: Tensor, attention_mask: Tensor | CheckedMask | None, features: int
    ) -> tuple[Tensor, Chains]:
        """Check the nodes of all processes, and return those of this process and how to mix them.

        Parameters
        ----------
        head : nn.Module
            The head that is called, on whose device the processes find out of each other.
        x : Tensor [batch, length, features]
            The nodes of this process, of any number.
        attention_mask : Tensor [batch, length] or CheckedMask, optional
        features : int

        Returns
        -------
        Tensor [batch, length, features], Chains
        """
