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

A uni-directional A is a polynomial in the nilpotent S, so Aᵀ is a causal filter or a running sum. A
bi-directional one is a function of the path graph's N, whose eigenvectors are the sines of DST-I, so it is
the same filter as on an endless chain, applied to the signal reflected with the opposite sign about a zero
one step beyond either end. `chain_reference.py` has the dense matrices these forms are tested against.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from .chain_filter import running_sum, two_sided_filter
from .chain_path import endless_power_sum, filter_pays, hop, hop_sum, path_filter

Kind = Literal["single_hop", "multihop", "inverse", "exponential"]

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
    kind : {"single_hop", "multihop", "inverse", "exponential"}
    bi_directional : bool
        Whether nodes also take in the nodes after them.
    hops : int
        `h` of a multihop chain.
    accumulative : bool
        Whether a multihop chain sums its powers 1..h instead of taking the h-th.
    self_weight : float
        `σ`, used by the single-hop and multihop kinds.
    """

    kind: Kind = "single_hop"
    bi_directional: bool = False
    hops: int = 1
    accumulative: bool = False
    self_weight: float = 1.0
    taps: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "taps", _taps(self))

    @property
    def column_normalised(self) -> bool:
        """Whether every column of A is scaled to sum to one, so that a node takes in a weighted average."""
        return self.bi_directional and (self.kind == "inverse" or self.accumulative)


def _binomial_tap(hops: int, distance: int, self_weight: float) -> float:
    try:
        return math.comb(hops, distance) * self_weight ** (hops - distance)
    except OverflowError:
        return math.inf


def _taps(chain: Chain) -> tuple[float, ...]:
    """Filter weights by distance: t[k] multiplies the node k steps away. Empty where the form is no filter."""
    if chain.kind == "exponential":
        if not chain.bi_directional:
            return tuple(1 / math.factorial(k) for k in range(_EXPONENTIAL_TERMS))
        # exp(S + Sᵀ) on an endless chain has the modified Bessel functions I_k(2) = Σ_j 1/(j! (j + k)!).
        return tuple(
            math.fsum(1 / (math.factorial(j) * math.factorial(j + k)) for j in range(_EXPONENTIAL_TERMS))
            for k in range(_EXPONENTIAL_TERMS)
        )
    sigma = chain.self_weight
    if chain.bi_directional and chain.kind == "multihop" and 1 < chain.hops <= _MOST_FILTERED_HOPS:
        return _path_taps(chain)
    if chain.kind == "inverse" or chain.bi_directional:
        return ()
    if chain.kind == "single_hop":
        return (sigma, 1.0)
    if not chain.accumulative:
        return tuple(_binomial_tap(chain.hops, k, sigma) for k in range(chain.hops + 1))
    return tuple(
        sum(_binomial_tap(i, k, sigma) for i in range(max(k, 1), chain.hops + 1))
        for k in range(chain.hops + 1)
    )


def _path_taps(chain: Chain) -> tuple[float, ...]:
    """Taps of (N + σI)^h, or of the sum of its powers, on an endless bi-directional chain."""
    reach = chain.hops
    power, total = [0.0] * (2 * reach + 1), [0.0] * (2 * reach + 1)
    power[reach] = 1.0
    for _ in range(chain.hops):
        power = [
            left + chain.self_weight * own + right
            for left, own, right in zip([0.0, *power], power, [*power[1:], 0.0], strict=False)
        ]
        total = [before + new for before, new in zip(total, power, strict=True)]
    return tuple((total if chain.accumulative else power)[reach:])


def mix(x: Tensor, chain: Chain, mask: Tensor | None = None) -> Tensor:
    """Let every node take in its neighbours: y = Aᵀx.

    Parameters
    ----------
    x : Tensor [batch, length, width], floating point
        Half precision is accumulated in float32.
    chain : Chain
    mask : bool Tensor [batch, length], optional
        True for real nodes, which stand together in each row. The chain of a row consists of its real nodes
        alone; the values of the others are not read.

    Returns
    -------
    Tensor [batch, length, width]
        In the dtype of `x`, zero where `mask` is False.

    Raises
    ------
    ValueError
        If the filter of a multihop chain has weights too large for the dtype.
    """
    dtype = x.dtype if x.dtype == torch.float64 else torch.float32
    if mask is not None:
        mask = mask.unsqueeze(-1)
    scale = _column_scale(x, chain, mask, dtype) if chain.column_normalised else None
    mixed: Tensor = _Mix.apply(x.to(dtype), scale, mask, chain, False)
    return mixed.to(x.dtype)


def mix_step(x: Tensor, chain: Chain, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """`mix` for one node at a time, of a uni-directional chain.

    Parameters
    ----------
    x : Tensor [batch, width]
        The next node.
    chain : Chain
    state : Tensor [batch, size, width], optional
        What the previous call returned; None before the first node.

    Returns
    -------
    y : Tensor [batch, width]
    state : Tensor [batch, size, width]
        Of one size at every step: the running sum, or the last nodes that the filter still reaches.
    """
    dtype = x.dtype if x.dtype == torch.float64 else torch.float32
    node = x.to(dtype).unsqueeze(1)
    if chain.kind == "inverse":
        total = node if state is None else state + node
        return total.squeeze(1).to(x.dtype, copy=True), total
    taps = _filter_taps(chain, dtype)
    _check_range(chain, taps, dtype)
    if state is None:
        state = node.new_zeros(node.size(0), len(taps) - 1, node.size(2))
    window = torch.cat([state, node], dim=1)
    y = torch.zeros_like(x, dtype=dtype)
    for tap, past in zip(reversed(taps), window.unbind(1), strict=True):
        if tap:
            y = torch.add(y, past, alpha=tap)
    return y.to(x.dtype), window[:, 1:]


class _Mix(torch.autograd.Function):
    """Aᵀx, whose gradient is A applied to the output's gradient: the same pass in the other direction.

    Written as a function of its own so that nothing but the mask is kept for the backward pass and slices
    can be added in place. With `transposed`, Ax.
    """

    @staticmethod
    def forward(
        x: Tensor, scale: Tensor | None, mask: Tensor | None, chain: Chain, transposed: bool
    ) -> Tensor:
        if mask is not None:
            x = torch.where(mask, x, 0)
        if transposed and scale is not None:
            x = x * scale
        y = _operator(x, mask, chain, transposed)
        if not transposed and scale is not None:
            y = y * scale
        return y if mask is None else torch.where(mask, y, 0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, scale, mask, chain, transposed = inputs
        ctx.save_for_backward(scale, mask)
        ctx.chain, ctx.transposed = chain, transposed

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        scale, mask = ctx.saved_tensors
        return _Mix.apply(grads[0], scale, mask, ctx.chain, not ctx.transposed), None, None, None, None


def _operator(x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool) -> Tensor:
    """Aᵀx before column scaling, of an `x` that is zero where `mask` is False. Bi-directional A = Aᵀ."""
    if not chain.bi_directional:
        if chain.kind == "inverse":
            return running_sum(x, reverse=transposed)
        taps = _filter_taps(chain, x.dtype)
        _check_range(chain, taps, x.dtype, x.size(1))
        own = taps[:1]
        return two_sided_filter(x, own, taps) if transposed else two_sided_filter(x, taps, own)
    if chain.kind == "inverse":
        return endless_power_sum(x, mask)
    if chain.kind == "exponential" or (chain.taps and filter_pays(x, mask)):
        return path_filter(x, mask, _filter_taps(chain, x.dtype))
    if chain.accumulative:
        return hop_sum(x, mask, chain.self_weight, chain.hops)
    for _ in range(chain.hops if chain.kind == "multihop" else 1):
        x = hop(x, mask, chain.self_weight)
    return x


def _column_scale(x: Tensor, chain: Chain, mask: Tensor | None, dtype: torch.dtype) -> Tensor:
    """1 / column sums of A, as [batch or 1, length, 1]; 0 where a column is empty."""
    ones = x.new_ones(1, x.size(1), 1, dtype=dtype) if mask is None else mask.to(dtype)
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
        if abs(tap) > torch.finfo(dtype).max:
            raise ValueError(
                f"h={chain.hops} with self_scaling={chain.self_weight} weights a node by {tap:.1e}, beyond the "
                f"range of {str(dtype).removeprefix('torch.')}: use fewer hops or a smaller self_scaling"
            )
