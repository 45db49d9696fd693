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
from typing import Any, Literal, NoReturn, cast

import torch
from torch import Tensor

from .autocast import without_autocast
from .chain_backend import runs_on_triton
from .chain_decay import decaying_inverse, exponential_terms, mix_decaying
from .chain_filter import running_sum, two_sided_filter
from .chain_path import filter_pays, hop, hop_sum, path_filter
from .chain_power_sum import endless_power_sum
from .chain_short import mix_short
from .function_transforms import dispatching, fold_mapped_axis

Kind = Literal["single_hop", "multihop", "inverse", "exponential", "channel_hops"]

# Enough terms of 1/k! and of I_k(2) for float64; `_filter_taps` drops what a narrower dtype cannot see.
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

    # By distance; without an annotation, as torch.compile of torch 2.7 would hand a field to the constructor.
    taps = cast("tuple[float, ...]", ())

    def __post_init__(self) -> None:
        object.__setattr__(self, "taps", _taps(self))

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
    dtype = _accumulated(x.dtype)
    if mask is not None:
        mask = mask.unsqueeze(-1)
    if decay is not None:
        assert chain.kind in ("inverse", "exponential")
        gamma = decay.to(dtype).view(1, 1, -1)
        return mix_decaying(x.to(dtype), gamma, chain.kind, chain.bi_directional, mask).to(x.dtype)
    if x.dtype == dtype or (runs_on_triton(x) and _is_one_pass(x, chain, mask)):
        return _apply(x, mask, chain, False)
    return _apply(x.to(dtype), mask, chain, False).to(x.dtype)


def _accumulated(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which sums of a dtype are kept."""
    return dtype if dtype == torch.float64 else torch.float32


def _is_one_pass(x: Tensor, chain: Chain, mask: Tensor | None) -> bool:
    """Whether one kernel does it all, so that half precision need not be widened for results in between."""
    if not chain.bi_directional:
        return not (chain.kind == "inverse" and chain.decay is not None)
    return chain.kind in ("single_hop", "exponential") or (
        chain.kind == "multihop" and not chain.accumulative and bool(chain.taps) and filter_pays(x, mask)
    )


def mix_step(
    x: Tensor, chain: Chain, state: Tensor | None, decay: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`mix` for one node at a time, of a uni-directional chain.

    Parameters
    ----------
    x : Tensor [batch, width]
        The next node.
    chain : Chain
    state : Tensor [batch, size, width], optional
        What the previous call returned; None before the first node.
    decay : Tensor [width], optional
        γ of every feature, in place of the chain's own.

    Returns
    -------
    y : Tensor [batch, width]
    state : Tensor [batch, size, width]
        Of one size at every step: the running sum, or the last nodes that the filter still reaches.

    Raises
    ------
    ValueError
        If `state` has another shape, or the filter has weights too large for the dtype.
    """
    dtype = _accumulated(x.dtype)
    node = x.to(dtype).unsqueeze(1)
    if chain.kind == "inverse":
        _check_state(state, (x.size(0), 1, x.size(1)))
        gamma = chain.decay if decay is None else decay.to(dtype)
        if state is None:
            total = node.clone()
        else:
            total = node + (state if gamma is None else gamma * state)
        return total.squeeze(1).to(x.dtype, copy=True), total
    if decay is None:
        taps, weights = _step_taps(chain, dtype, x.device)
    else:
        count = exponential_terms(dtype, bi_directional=False)
        factors = [1 / math.factorial(k) for k in range(count)]
        powers = decay.to(dtype) ** torch.arange(count, device=x.device)[:, None]
        taps, weights = None, (powers * powers.new_tensor(factors)[:, None]).flip(0)
    size = len(weights) - 1
    _check_state(state, (x.size(0), size, x.size(1)))
    if state is None:
        state = node.new_zeros(x.size(0), size, x.size(1))
    if taps is not None and len(taps) == 2 and taps[0] and taps[1] == 1:
        # One hop needs no window: what was before, and what will have been.
        return torch.add(state[:, 0], node[:, 0], alpha=taps[0]).to(x.dtype), node.clone()
    window = torch.cat([state, node], dim=1)
    seen = window if taps is None or all(taps) else torch.where(weights != 0, window, 0)
    return (seen * weights).sum(1).to(x.dtype), window[:, 1:]


def _check_state(state: Tensor | None, expected: tuple[int, int, int]) -> None:
    if state is not None and state.shape != expected:
        raise ValueError(f"state has shape {tuple(state.shape)}, expected {expected}: start with state=None")


@functools.lru_cache(maxsize=128)
def _step_taps(chain: Chain, dtype: torch.dtype, device: torch.device) -> tuple[Sequence[float], Tensor]:
    """The taps, and the same from the farthest to the nearest, [taps, 1]."""
    taps = _filter_taps(chain, dtype)
    _check_range(chain, taps, dtype)
    return taps, torch.tensor(taps[::-1], dtype=dtype, device=device)[:, None]


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
            x = torch.where(mask, x, 0)
        scale = _column_scale(x, chain, mask) if chain.column_normalised else None
        if transposed and scale is not None:
            x = x * scale
        y = _operator(x, mask, chain, transposed)
        if not transposed and scale is not None:
            y = y * scale
        return y if mask is None else torch.where(mask, y, 0)

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
    dtype = _accumulated(x.dtype)
    if chain.kind == "inverse" and chain.decay is not None:
        return decaying_inverse(x, mask, chain.decay, chain.bi_directional, transposed)
    if not chain.bi_directional:
        if chain.kind == "inverse":
            return running_sum(x, reverse=transposed)
        taps = _filter_taps(chain, dtype)
        # A compiled graph serves any length.
        _check_range(chain, taps, dtype, None if torch.compiler.is_compiling() else x.size(1))
        own = taps[:1]
        return two_sided_filter(x, own, taps) if transposed else two_sided_filter(x, taps, own)
    if chain.kind == "inverse":
        return endless_power_sum(x, mask)
    if chain.kind == "exponential" or (chain.taps and filter_pays(x, mask)):
        return path_filter(x, mask, _filter_taps(chain, dtype))
    if chain.accumulative:
        return hop_sum(x, mask, chain.self_weight, chain.hops)
    if not torch.compiler.is_compiling():
        _check_growth(chain, dtype, x.size(1))
    for _ in range(chain.hops if chain.kind == "multihop" else 1):
        x = hop(x, mask, chain.self_weight)
    return x


def _column_scale(x: Tensor, chain: Chain, mask: Tensor | None) -> Tensor:
    """1 / column sums of A, as [batch or 1, length, 1]; 0 where a column is empty."""
    ones = x.new_ones(1, x.size(1), 1) if mask is None else mask.to(x.dtype)
    sums = _operator(ones, mask, chain, transposed=False)
    return torch.where(sums == 0, 0, 1 / sums)


def _filter_taps(chain: Chain, dtype: torch.dtype) -> Sequence[float]:
    """The taps that matter in `dtype`."""
    if chain.kind == "exponential":
        return [tap for tap in chain.taps if tap > torch.finfo(dtype).eps / 8]
    return chain.taps


def _check_range(chain: Chain, taps: Sequence[float], dtype: torch.dtype, length: int | None = None) -> None:
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
