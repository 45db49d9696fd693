"""The kinds of chain, and their numbers: taps of a filter, limits, growth."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, cast, get_args

import torch

Kind = Literal["single_hop", "multihop", "inverse", "exponential", "channel_hops"]


# Enough terms of 1/k! and of I_k(2) for float64; `filter_taps` drops terms that a narrower dtype cannot see.
_EXPONENTIAL_TERMS = 24


# Reflection loses digits as (2 + σ)^h outgrows the path's own largest eigenvalue; within so few hops of a chain
# of `SHORTEST` nodes it loses none. More hops are made in turn.
_MOST_FILTERED_HOPS = 15


@dataclass(frozen=True)
class Chain:
    """Which interdependence matrix a chain has.

    Parameters
    ----------
    kind : {"single_hop", "multihop", "inverse", "exponential", "channel_hops"}
    bi_directional : bool
        Whether nodes also take in the nodes after them.
    hops : int
        `h` of a multihop chain.
    accumulative : bool
        Whether a multihop chain sums its powers 1..h instead of taking the h-th.
    self_weight : float
        `σ`, used by the single-hop and multihop kinds.
    decay : float, optional
        `γ` of an inverse or exponential chain; where it is learned, its start.
    channel_hops : tuple of int
        Of the kind "channel_hops", which has a matrix for each channel: see `hops.py`.
    """

    kind: Kind = "single_hop"
    bi_directional: bool = False
    hops: int = 1
    accumulative: bool = False
    self_weight: float = 1.0
    decay: float | None = None
    channel_hops: tuple[int, ...] = ()

    # Without annotations, as torch.compile of torch 2.7 would hand fields to the constructor. Weights by distance:
    taps = cast("tuple[float, ...]", ())
    _hash = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "taps", _taps(self))
        # Of numbers alone, whose hashes are the same in a process that gets the chain pickled.
        kind, decay = get_args(Kind).index(self.kind), self.decay or 0.0
        fields = (
            kind,
            self.bi_directional,
            self.hops,
            self.accumulative,
            self.self_weight,
            decay,
            self.channel_hops,
        )
        object.__setattr__(self, "_hash", hash(fields))

    def __hash__(self) -> int:
        # Chains are looked up at every call, and a dataclass would hash its fields anew each time.
        return self._hash

    @property
    def column_normalised(self) -> bool:
        """Whether every column of A is scaled to sum to 1, so that a node takes in a weighted average."""
        undamped = self.kind == "inverse" and self.decay is None
        return self.bi_directional and (undamped or self.accumulative)


def _taps(chain: Chain) -> tuple[float, ...]:
    """Filter weights by distance: t[k] multiplies the node k steps away. Empty where the form is no filter."""
    if chain.kind == "exponential":
        gamma = 1.0 if chain.decay is None else chain.decay
        if not chain.bi_directional:
            return tuple(gamma**k / math.factorial(k) for k in range(_EXPONENTIAL_TERMS))
        # exp(γ(S + Sᵀ)) on an endless chain has the modified Bessel functions I_k(2γ) = Σ_j γ^(2j+k)/(j! (j + k)!).
        return tuple(
            math.fsum(
                gamma ** (2 * j + k) / (math.factorial(j) * math.factorial(j + k))
                for j in range(_EXPONENTIAL_TERMS)
            )
            for k in range(_EXPONENTIAL_TERMS)
        )

    sigma = chain.self_weight
    if chain.bi_directional and chain.kind == "multihop" and 1 < chain.hops <= _MOST_FILTERED_HOPS:
        return _multihop_taps(chain.hops, chain.accumulative, sigma, bi_directional=True)
    if chain.kind in ("inverse", "channel_hops") or chain.bi_directional:
        return ()
    if chain.kind == "single_hop":
        return (sigma, 1.0)
    return _multihop_taps(chain.hops, chain.accumulative, sigma, bi_directional=False)


@functools.lru_cache(maxsize=128)
def _multihop_taps(
    hops: int, accumulative: bool, self_weight: float, bi_directional: bool
) -> tuple[float, ...]:
    """Taps of (N + σI)^h, or of the sum of its powers, on an endless chain, by distance 0..h."""
    start = hops if bi_directional else 0
    power, total = [0.0] * (start + hops + 1), [0.0] * (start + hops + 1)
    power[start] = 1.0
    for _ in range(hops):
        after = [*power[1:], 0.0] if bi_directional else [0.0] * len(power)
        power = [
            before + self_weight * own + next_
            for before, own, next_ in zip([0.0, *power], power, after, strict=False)
        ]
        if accumulative:
            total = [tap + more for tap, more in zip(total, power, strict=True)]
    return tuple((total if accumulative else power)[start:])


def accumulated(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which sums of a dtype are kept."""
    return dtype if dtype == torch.float64 else torch.float32


def filter_taps(chain: Chain, dtype: torch.dtype) -> Sequence[float]:
    """The taps that matter in `dtype`; in half precision, to sums in float32 that are then rounded."""
    if chain.kind == "exponential":
        least = torch.finfo(dtype).eps / (8 if dtype == accumulated(dtype) else 64)
        return [tap for tap in chain.taps if tap > least]
    return chain.taps


def check_range(chain: Chain, taps: Sequence[float], dtype: torch.dtype, length: int | None = None) -> None:
    """Refuse, with a ValueError, taps that the dtype cannot hold and a chain of that length would use."""
    for k, tap in enumerate(taps):
        if length is not None and k >= length:
            return
        # Written so that NaN, from an infinity less another, is refused too.
        if not abs(tap) <= torch.finfo(dtype).max:
            _refuse(chain, dtype)


def check_growth(chain: Chain, dtype: torch.dtype, length: int) -> None:
    """Refuse powers of N + σI whose largest eigenvalue leaves the dtype."""
    largest = 2 * math.cos(math.pi / (length + 1)) + abs(chain.self_weight)
    hops = chain.hops if chain.kind == "multihop" else 1
    if largest > 1 and hops * math.log(largest) > math.log(torch.finfo(dtype).max):
        _refuse(chain, dtype)


def _refuse(chain: Chain, dtype: torch.dtype) -> NoReturn:
    raise ValueError(
        f"{chain.kind} with h={chain.hops} and self_scaling={chain.self_weight:g} weighs nodes beyond the range of "
        f"{str(dtype).removeprefix('torch.')}: use fewer hops or a smaller self_scaling"
    )
