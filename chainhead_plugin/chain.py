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

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

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
        return _multihop_taps(chain.hops, chain.accumulative, sigma, bi_directional=True)
    if chain.kind == "inverse" or chain.bi_directional:
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
    function = _Mix if torch.compiler.is_compiling() else _TransformableMix
    mixed: Tensor = function.apply(x.to(dtype), scale, mask, chain, False)
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

    Raises
    ------
    ValueError
        If `state` has another shape, or the filter has weights too large for the dtype.
    """
    dtype = x.dtype if x.dtype == torch.float64 else torch.float32
    node = x.to(dtype).unsqueeze(1)
    taps = _filter_taps(chain, dtype)
    _check_range(chain, taps, dtype)
    expected = (x.size(0), 1 if chain.kind == "inverse" else len(taps) - 1, x.size(1))
    if state is None:
        state = node.new_zeros(expected)
    elif state.shape != expected:
        raise ValueError(f"state has shape {tuple(state.shape)}, expected {expected}: start with state=None")
    if chain.kind == "inverse":
        total = state + node
        return total.squeeze(1).to(x.dtype, copy=True), total
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
        function = _Mix if torch.compiler.is_compiling() else _TransformableMix
        return function.apply(grads[0], scale, mask, ctx.chain, not ctx.transposed), None, None, None, None


class _TransformableMix(_Mix):
    """`_Mix` for `torch.func` as well. The compiler takes no functions with rules of their own for that."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _Mix.setup_context(ctx, inputs, output)
        _, scale, mask, _, _ = inputs
        ctx.save_for_forward(scale, mask)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        scale, mask = ctx.saved_tensors
        mixed: Tensor = _TransformableMix.apply(tangent, scale, mask, ctx.chain, ctx.transposed)
        return mixed

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        x: Tensor,
        scale: Tensor | None,
        mask: Tensor | None,
        chain: Chain,
        transposed: bool,
    ) -> tuple[Tensor, int]:
        """Fold the mapped axis into the batch."""
        batch = x.size(1 if in_dims[0] == 0 else 0)

        def fold(tensor: Tensor, dim: int | None) -> Tensor:
            tensor = tensor.unsqueeze(0) if dim is None else tensor.movedim(dim, 0)
            return tensor.expand(info.batch_size, batch, -1, -1).flatten(0, 1)

        folded = [
            None if t is None else fold(t, dim) for t, dim in zip((x, scale, mask), in_dims, strict=False)
        ]
        mixed: Tensor = _TransformableMix.apply(*folded, chain, transposed)
        return mixed.view(info.batch_size, batch, *mixed.shape[1:]), 0


def _operator(x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool) -> Tensor:
    """Aᵀx before column scaling, of an `x` that is zero where `mask` is False. Bi-directional A = Aᵀ."""
    if not chain.bi_directional:
        if chain.kind == "inverse":
            return running_sum(x, reverse=transposed)
        taps = _filter_taps(chain, x.dtype)
        # A compiled graph serves any length.
        _check_range(chain, taps, x.dtype, None if torch.compiler.is_compiling() else x.size(1))
        own = taps[:1]
        return two_sided_filter(x, own, taps) if transposed else two_sided_filter(x, taps, own)
    if chain.kind == "inverse":
        return endless_power_sum(x, mask)
    if chain.kind == "exponential" or (chain.taps and filter_pays(x, mask)):
        return path_filter(x, mask, _filter_taps(chain, x.dtype))
    if chain.accumulative:
        return hop_sum(x, mask, chain.self_weight, chain.hops)
    if not torch.compiler.is_compiling():
        _check_growth(chain, x.dtype, x.size(1))
    for _ in range(chain.hops if chain.kind == "multihop" else 1):
        x = hop(x, mask, chain.self_weight)
    return x


def _column_scale(x: Tensor, chain: Chain, mask: Tensor | None, dtype: torch.dtype) -> Tensor:
    """1 / column sums of A, as [batch or 1, length, 1]; 0 where a column is empty."""
    ones = torch.ones(1, x.size(1), 1, dtype=dtype, device=x.device) if mask is None else mask.to(dtype)
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
