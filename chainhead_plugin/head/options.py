"""The head's options, checked before anything is allocated."""

from dataclasses import dataclass

from ..checks.values import check_number, check_switch, check_whole_number
from .chain_options import ChainOptions
from .linear.options import LinearOptions

MAX_LENGTH = 2**31 - 1
_DROPPED = 0.25


@dataclass(frozen=True, kw_only=True)
class HeadOptions(LinearOptions, ChainOptions):
    """The options of a `ChainInterdependenceHead`, which describes the fields.

    They are the options of its linear map, of its chain, and of the output processing. That an object of this class
    exists says that its options are valid.

    Raises
    ------
    TypeError
        If an option has the wrong type; the message names it.
    ValueError
        If an option is out of range, has no effect because the switch it belongs to is off, or contradicts
        another; the message names them.
    """

    chain_length: int
    with_batch_norm: bool = False
    with_relu: bool = True
    with_softmax: bool = True
    with_dropout: bool = False
    p: float = _DROPPED

    def __post_init__(self) -> None:
        check_whole_number("chain_length", self.chain_length, 1, MAX_LENGTH)
        for name in ("with_batch_norm", "with_relu", "with_softmax", "with_dropout"):
            check_switch(name, getattr(self, name))
        check_number("p", self.p, least=0, below=1)
        if self.p != _DROPPED and not self.with_dropout:
            raise ValueError(f"p={self.p} has no effect without with_dropout=True")

        ChainOptions.__post_init__(self)
        if self.channel_hops is not None and self.channel_num not in (1, self.channels):
            raise ValueError(
                f"channel_num={self.channel_num} differs from the {self.channels} channels of channel_hops: leave it "
                "out, it follows"
            )
        LinearOptions.__post_init__(self)

    @property
    def channels(self) -> int:
        """Number of channels; with `channel_hops` it follows from them."""
        return self.channel_num if self.channel_hops is None else len(self.channel_hops)

    @property
    def sums_channels(self) -> bool:
        """Whether channels, which then have hops of their own, are added up rather than averaged."""
        return self.channel_hops is not None

    @property
    def weight_count(self) -> int:
        """Number of weights, without building anything; where a matrix has too many sides, how many those are."""
        own = self.expanded * self.with_learned_decay + 2 * self.n * self.with_batch_norm
        return super().weight_count + own
