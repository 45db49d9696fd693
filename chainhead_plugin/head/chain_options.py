"""The options of a head that say which chain it mixes along."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..chain.kinds import Chain, Kind
from ..checks.values import check_number, check_switch, check_whole_number

MAX_HOPS = 1000
MAX_HOP_CHANNELS = 256

_SWITCHES = (
    "bi_directional",
    "with_multihop",
    "accumulative",
    "with_inverse_approx",
    "with_exponential_approx",
    "self_dependence",
    "with_learned_decay",
)
_DECAYING_KINDS: dict[str, Kind] = {
    "with_inverse_approx": "inverse",
    "with_exponential_approx": "exponential",
}
_KINDS: dict[str, Kind] = {"with_multihop": "multihop", **_DECAYING_KINDS}


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    """Which chain a `ChainInterdependenceHead` mixes along; see there for the fields.

    Raises
    ------
    TypeError, ValueError
        If an option has the wrong type, is out of range, has no effect, or contradicts another; the message names
        them.
    """

    bi_directional: bool = False
    with_multihop: bool = False
    h: int = 1
    accumulative: bool = False
    with_inverse_approx: bool = False
    with_exponential_approx: bool = False
    self_dependence: bool = True
    self_scaling: float = 1.0
    channel_hops: Sequence[int] | None = None
    decay: float | None = None
    with_learned_decay: bool = False

    def __post_init__(self) -> None:
        check_whole_number("h", self.h, 1, MAX_HOPS)
        check_number("self_scaling", self.self_scaling)
        for name in _SWITCHES:
            check_switch(name, getattr(self, name))

        self._check_kind()
        self._check_decay()
        if self.channel_hops is not None:
            self._check_hops(self.channel_hops)
            object.__setattr__(self, "channel_hops", tuple(self.channel_hops))

    @property
    def chain(self) -> Chain:
        """The chain that these options describe."""
        kind: Kind = "single_hop" if self.channel_hops is None else "channel_hops"
        for switch, switched in _KINDS.items():
            kind = switched if getattr(self, switch) else kind
        return Chain(
            kind=kind,
            bi_directional=self.bi_directional,
            hops=self.h,
            accumulative=self.accumulative,
            self_weight=float(self.self_scaling) if self.self_dependence else 0.0,
            decay=None if self.decay is None else float(self.decay),
            channel_hops=tuple(self.channel_hops or ()),
        )

    @property
    def decay_limit(self) -> float:
        """The bound that γ stays below: where the bi-directional inverse's sum of all powers diverges, or 1."""
        return 0.5 if self.with_inverse_approx and self.bi_directional else 1.0

    def _check_kind(self) -> None:
        kinds = [switch for switch in _KINDS if getattr(self, switch)]
        if self.channel_hops is not None:
            kinds.append("channel_hops")
        if len(kinds) > 1:
            raise ValueError(
                f"{' and '.join(kinds)} contradict each other: a chain has one kind, choose one of them"
            )
        if not self.with_multihop:
            self._check_default("h", 1, "without with_multihop=True")
            self._check_default("accumulative", False, "without with_multihop=True")
        if kinds and kinds != ["with_multihop"]:
            reason = (
                f"with {kinds[0]}, whose chain matrix is made of neighbours alone: leave it at its default"
                + (", and let hop 0 stand for the node itself" if kinds == ["channel_hops"] else "")
            )
            self._check_default("self_dependence", True, reason)
            self._check_default("self_scaling", 1.0, reason)

        normalised = self.accumulative and self.bi_directional and self.self_dependence
        if normalised and self.self_scaling < 0:
            raise ValueError(
                f"self_scaling={self.self_scaling} with accumulative and bi_directional: the columns are divided "
                "by their sums, which vanish for some negative values. Choose one of at least 0"
            )

    def _check_default(self, name: str, default: object, reason: str) -> None:
        value = getattr(self, name)
        if value != default:
            raise ValueError(f"{name}={value} has no effect {reason}")

    def _check_decay(self) -> None:
        if self.decay is None:
            if self.with_learned_decay:
                raise ValueError(
                    "with_learned_decay=True needs decay, which it starts at: decay=0.4, for example"
                )
            return
        check_number("decay", self.decay)
        if not any(getattr(self, kind) for kind in _DECAYING_KINDS):
            raise ValueError(
                f"decay={self.decay} has no effect without {'=True or '.join(_DECAYING_KINDS)}=True"
            )
        limit = self.decay_limit
        reason = "" if limit == 1 else "the neighbours on both sides together must decay, so each by a half"
        check_number("decay", self.decay, above=0, below=limit, reason=reason)

    def _check_hops(self, hops: Sequence[int]) -> None:
        if not isinstance(hops, list | tuple):
            raise TypeError(
                f"channel_hops must be a list of whole numbers, such as [0, 1, 2, 4], got {hops!r}"
            )
        if not 1 <= len(hops) <= MAX_HOP_CHANNELS:
            raise ValueError(
                f"channel_hops must hold between 1 and {MAX_HOP_CHANNELS} hops, got {len(hops):,}"
            )

        for hop in hops:
            check_whole_number("a hop of channel_hops", hop, -MAX_HOPS, MAX_HOPS)
            if hops.count(hop) > 1:
                raise ValueError(f"channel_hops has {hop} twice: give every channel another distance")

        if min(hops) < 0 and not self.bi_directional:
            raise ValueError(
                f"channel_hops has {min(hops)}, which takes from nodes to come: set bi_directional=True, or leave "
                "negative hops out"
            )
        if min(hops) >= 0 and self.bi_directional:
            raise ValueError(
                "bi_directional=True has no effect with channel_hops that are all at least 0: add negative ones, "
                "which take from nodes to come, or leave it out"
            )
