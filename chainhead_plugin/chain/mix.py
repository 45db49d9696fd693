"""Aᵀx for every kind of chain, exact and without the matrix A.

`S` is the shift along the chain (node i gives to node i + 1), `N = S` for a uni-directional chain and
`N = S + Sᵀ` for a bi-directional one, `σ` the weight a node gives itself:

| kind        | A, uni-directional                  | A, bi-directional                        |
|-------------|-------------------------------------|------------------------------------------|
| single_hop  | N + σI                              | N + σI                                   |
| multihop    | (N + σI)^h                          | (N + σI)^h                               |
| … accumul.  | Σ_{i=1..h} (N + σI)^i               | the same, columns scaled to sum to one   |
| inverse     | (I − N)⁻¹ = Σ_{i≥0} N^i             | Σ_{i=1..L−1} N^i, columns scaled         |
| exponential | exp(N)                              | exp(N)                                   |
| … decaying  | (I − γN)⁻¹, exp(γN)                 | the same; `chain_decay.py`               |
| channel_hops| S^h, an h for each channel          | or (Sᵀ)^|h| where h < 0; `chain_hops.py` |

A uni-directional A is a polynomial in the nilpotent S, so Aᵀ is a causal filter or a running sum. A
bi-directional one is a function of the path graph's N, whose eigenvectors are the sines of DST-I, so it is
the same filter as on an endless chain, applied to the signal reflected with the opposite sign about a zero
one step beyond either end. `chain_reference.py` has the dense matrices these forms are tested against.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast, get_args

import torch
from torch import Tensor

from .autocast import without_autocast
from .autograd import dispatching, fold_mapped_axis
from .backend import runs_on_triton
from .cached_tensors import built_once
from .decay import decaying_inverse, mix_decaying
from .filter import is_eager_on_cpu, running_sum, two_sided_filter
from .masking import zeroed
from .path import filter_pays, hop, hop_sum, path_filter
from .power_sum import endless_power_sum
from .short import mix_short

Kind = Literal["single_hop", "multihop", "inverse", "exponential", "channel_hops"]

# Enough terms of 1/k! and of I_k(2) for float64; `filter_taps` drops what a narrower dtype cannot see.
_EXPONENTIAL_TERMS = 24
# Reflection loses digits as (2 + σ)^h outgrows the path's own largest eigenvalue; within so few hops of a chain
# of `SHORTEST` nodes it loses none. More hops are made one after the other.
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
        `γ` of an inverse or exponential chain; where it is learned, what it starts at.
    channel_hops : tuple of int
        Of the kind "channel_hops", which has a matrix for each channel: see `chain_hops.py`.
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
        """Whether every column of A is scaled to sum to one, so that a node takes in a weighted average."""
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


def mix(x: Tensor, chain: Chain, mask: Tensor | None = None, decay: Tensor | None = None) -> Tensor:
    """Let every node take in its neighbours: y = Aᵀx, of any kind but "channel_hops".

    Parameters
    ----------
    x : Tensor [batch, length, width], floating point
        Half precision is accumulated in float32.
    chain : Chain
    mask : bool Tensor [batch, length], optional
        True for real nodes, which stand together in each row. The chain of a row consists of its real nodes
        alone; the values of the others are not read.
    decay : Tensor [width], optional
        γ of every feature, in place of the chain's own.

    Returns
    -------
    Tensor [batch, length, width]
        In the dtype of `x`, zero where `mask` is False.

    Raises
    ------
    ValueError
        If the filter of a multihop chain has weights too large for the dtype.
    """
    dtype = accumulated(x.dtype)
    if mask is not None:
        mask = mask.unsqueeze(-1)
    if decay is not None:
        assert chain.kind in ("inverse", "exponential")
        gamma = (decay if decay.dtype == dtype else decay.to(dtype)).view(1, 1, -1)
        wide = x if x.dtype == dtype else x.to(dtype)
        y = mix_decaying(wide, gamma, chain.kind, chain.bi_directional, mask)
        return y if x.dtype == dtype else y.to(x.dtype)
    if x.dtype == dtype or _rounds_once(x, chain, mask):
        return _apply(x, mask, chain, False)
    return _apply(x.to(dtype), mask, chain, False).to(x.dtype)


def accumulated(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which sums of a dtype are kept."""
    return dtype if dtype == torch.float64 else torch.float32


def _rounds_once(x: Tensor, chain: Chain, mask: Tensor | None) -> bool:
    """Whether one operation does it all, so that half precision need not be widened for results in between."""
    if is_eager_on_cpu(x):
        # Sums of two are made in float32, but of a factor that was rounded.
        if chain.kind != "single_hop" or chain.bi_directional:
            return False
        return torch.tensor(chain.self_weight, dtype=x.dtype).item() == chain.self_weight
    if not runs_on_triton(x):
        return False
    if not chain.bi_directional:
        return True
    return chain.kind in ("single_hop", "exponential") or (
        chain.kind == "multihop" and not chain.accumulative and bool(chain.taps) and filter_pays(x, mask)
    )


class _Mix(torch.autograd.Function):
    """Aᵀx, whose gradient is A applied to the output's gradient: the same pass in the other direction.

    Written as a function of its own so that nothing but the mask is kept for the backward pass and slices
    can be added in place. With `transposed`, Ax.
    """

    @staticmethod
    def forward(x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool) -> Tensor:
        if mask is None:
            short = mix_short(x, chain, transposed)
            if short is not None:
                return short
        else:
            x = zeroed(x, mask)
        scale = _column_scale(x, chain, mask) if chain.column_normalised else None
        if transposed and scale is not None:
            x = x * scale
        y = _operator(x, mask, chain, transposed)
        if not transposed and scale is not None:
            y.mul_(scale)
        return y if mask is None else zeroed(y, mask)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, mask, ctx.chain, ctx.transposed = inputs
        ctx.save_for_backward(mask)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (mask,) = ctx.saved_tensors
        return _apply(grads[0], mask, ctx.chain, not ctx.transposed), None, None, None


class _TransformableMix(_Mix):
    """`_Mix` for `torch.func` as well. The compiler takes no functions with rules of their own for that."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _Mix.setup_context(ctx, inputs, output)
        ctx.save_for_forward(inputs[1])

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        (mask,) = ctx.saved_tensors
        return _apply(tangent, mask, ctx.chain, ctx.transposed)

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        x: Tensor,
        mask: Tensor | None,
        chain: Chain,
        transposed: bool,
    ) -> tuple[Tensor, int]:
        """Fold the mapped axis into the batch."""
        batch = x.size(1 if in_dims[0] == 0 else 0)
        folded = [
            fold_mapped_axis(tensor, dim, info.batch_size, batch)
            for tensor, dim in zip((x, mask), in_dims, strict=False)
        ]
        mixed = _apply(*folded, chain, transposed)
        return mixed.view(info.batch_size, batch, *mixed.shape[1:]), 0


_apply = dispatching(_Mix, _TransformableMix)


@without_autocast
def _operator(x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool) -> Tensor:
    """Aᵀx before column scaling, of an `x` that is zero where `mask` is False. Bi-directional A = Aᵀ."""
    dtype = accumulated(x.dtype)
    if chain.kind == "inverse" and chain.decay is not None:
        return decaying_inverse(x, mask, chain.decay, chain.bi_directional, transposed)
    if not chain.bi_directional:
        if chain.kind == "inverse":
            return running_sum(x, reverse=transposed)
        taps = filter_taps(chain, dtype)
        # A compiled graph serves any length.
        check_range(chain, taps, dtype, None if torch.compiler.is_compiling() else x.size(1))
        own = taps[:1]
        return two_sided_filter(x, own, taps) if transposed else two_sided_filter(x, taps, own)
    if chain.kind == "inverse":
        return endless_power_sum(x, mask)
    if chain.kind == "exponential" or (chain.taps and filter_pays(x, mask)):
        return path_filter(x, mask, filter_taps(chain, dtype))
    if chain.accumulative:
        return hop_sum(x, mask, chain.self_weight, chain.hops)
    if not torch.compiler.is_compiling():
        _check_growth(chain, dtype, x.size(1))
    for _ in range(chain.hops if chain.kind == "multihop" else 1):
        x = hop(x, mask, chain.self_weight)
    return x


def _column_scale(x: Tensor, chain: Chain, mask: Tensor | None) -> Tensor:
    """1 / column sums of A, as [batch or 1, length, 1]; 0 where a column is empty."""
    if mask is None:
        return _column_scale_of(chain, x.size(1), x.dtype, x.device)
    return _inverse_column_sums(mask.to(x.dtype), mask, chain)


@built_once(maxsize=8)
def _column_scale_of(chain: Chain, length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return _inverse_column_sums(torch.ones(1, length, 1, dtype=dtype, device=device), None, chain)


def _inverse_column_sums(ones: Tensor, mask: Tensor | None, chain: Chain) -> Tensor:
    sums = _operator(ones, mask, chain, transposed=False)
    return torch.where(sums == 0, 0, 1 / sums)


def filter_taps(chain: Chain, dtype: torch.dtype) -> Sequence[float]:
    """The taps that matter in `dtype`."""
    if chain.kind == "exponential":
        return [tap for tap in chain.taps if tap > torch.finfo(dtype).eps / 8]
    return chain.taps


def check_range(chain: Chain, taps: Sequence[float], dtype: torch.dtype, length: int | None = None) -> None:
    """Refuse, with a ValueError, taps that the dtype cannot hold and a chain of that length would use."""
    for k, tap in enumerate(taps):
        if length is not None and k >= length:
            return
        # Written so that NaN, from an infinity less another, is refused too.
        if not abs(tap) <= torch.finfo(dtype).max:
            _refuse(chain, dtype)


def _check_growth(chain: Chain, dtype: torch.dtype, length: int) -> None:
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
