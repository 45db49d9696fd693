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

Kind = Literal["single_hop", "multihop", "inverse", "exponential"]

# Enough terms of 1/k! and of I_k(2) for float64; `_filter_taps` drops what a narrower dtype cannot see.
_EXPONENTIAL_TERMS = 24


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
    if chain.kind == "inverse" or chain.bi_directional:
        return ()
    sigma = chain.self_weight
    if chain.kind == "single_hop":
        return (sigma, 1.0)
    if not chain.accumulative:
        return tuple(_binomial_tap(chain.hops, k, sigma) for k in range(chain.hops + 1))
    return tuple(
        sum(_binomial_tap(i, k, sigma) for i in range(max(k, 1), chain.hops + 1))
        for k in range(chain.hops + 1)
    )


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
        return total.squeeze(1).to(x.dtype), total
    taps = _filter_taps(chain, dtype)
    if state is None:
        state = node.new_zeros(node.size(0), len(taps) - 1, node.size(2))
    window = torch.cat([state, node], dim=1)
    y = torch.zeros_like(x, dtype=dtype)
    for tap, past in zip(reversed(taps), window.unbind(1), strict=True):
        _check_range(tap, chain, dtype)
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
            return x.flip(1).cumsum(1).flip(1) if transposed else x.cumsum(1)
        return _causal_filter(x, chain, transposed)
    if chain.kind == "inverse":
        return _spectral_power_sum(x, mask)
    if chain.kind == "exponential":
        return _reflected_filter(x, mask, _filter_taps(chain, x.dtype))
    if chain.accumulative:
        return _stencil_power_sum(x, mask, chain)
    for _ in range(chain.hops if chain.kind == "multihop" else 1):
        x = _stencil(x, mask, chain.self_weight)
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


def _check_range(tap: float, chain: Chain, dtype: torch.dtype) -> None:
    if abs(tap) > torch.finfo(dtype).max:
        raise ValueError(
            f"h={chain.hops} with self_scaling={chain.self_weight} weights a node by {tap:.1e}, beyond the range "
            f"of {str(dtype).removeprefix('torch.')}: use fewer hops or a smaller self_scaling"
        )


def _causal_filter(x: Tensor, chain: Chain, transposed: bool) -> Tensor:
    """y[j] = Σ_k t[k] x[j − k], or with `transposed` y[j] = Σ_k t[k] x[j + k]."""
    first, *others = _filter_taps(chain, x.dtype)
    _check_range(first, chain, x.dtype)
    y = x * first if first else torch.zeros_like(x)
    for k, tap in enumerate(others, start=1):
        if k >= x.size(1):
            break
        _check_range(tap, chain, x.dtype)
        if tap and transposed:
            y[:, :-k].add_(x[:, k:], alpha=tap)
        elif tap:
            y[:, k:].add_(x[:, :-k], alpha=tap)
    return y


def _stencil(x: Tensor, mask: Tensor | None, self_weight: float) -> Tensor:
    """(N + σI) x for the bi-directional N; what would leave the real nodes is dropped."""
    y = x * self_weight if self_weight else torch.zeros_like(x)
    y[:, 1:].add_(x[:, :-1])
    y[:, :-1].add_(x[:, 1:])
    return y if mask is None else torch.where(mask, y, 0)


def _stencil_power_sum(x: Tensor, mask: Tensor | None, chain: Chain) -> Tensor:
    """Σ_{i=1..h} (N + σI)^i x / ρ^h, by Horner's rule.

    ρ bounds the eigenvalues: it keeps the sum finite where h is large, and cancels in the column scaling.
    """
    count = _real_nodes(x, mask)
    rho = (2 * torch.cos(math.pi / (count + 1).to(x.dtype)) + abs(chain.self_weight)).clamp(min=1)
    term, total = x, torch.zeros_like(x)
    for _ in range(chain.hops):
        total = _stencil(total + term, mask, chain.self_weight) / rho
        term = term / rho
    return total


def _real_nodes(x: Tensor, mask: Tensor | None) -> Tensor:
    """Number of real nodes of each row, as [batch or 1, 1, 1]."""
    if mask is None:
        return torch.full((1, 1, 1), x.size(1), device=x.device)
    return mask.sum(1, keepdim=True)


def _odd_reflection(x: Tensor, mask: Tensor | None, reach: int) -> Tensor:
    """The chain continued by `reach` nodes on both sides: x[−1] = x[count] = 0 and x[−2 − j] = −x[j]."""
    length = x.size(1)
    position = torch.arange(-reach, length + reach, device=x.device).view(1, -1, 1)
    start: int | Tensor = 0
    count: int | Tensor = length
    if mask is not None:
        start, count = mask.int().argmax(1, keepdim=True), mask.sum(1, keepdim=True)
    phase = (position - start) % (2 * count + 2)
    mirrored = phase > count
    node = torch.where(mirrored, 2 * count - phase, phase)
    source = (node + start).clamp(0, length - 1)
    if mask is None:
        reflected = x.index_select(1, source.flatten())
    else:
        reflected = x.gather(1, source.expand(-1, -1, x.size(2)))
    reflected = torch.where(mirrored, -reflected, reflected)
    return torch.where((node < 0) | (node == count), 0, reflected)


def _reflected_filter(x: Tensor, mask: Tensor | None, taps: Sequence[float]) -> Tensor:
    """y[j] = Σ_k t[|k|] x[j + k] on the reflected chain."""
    length, reach = x.size(1), len(taps) - 1
    reflected = _odd_reflection(x, mask, reach)
    y = reflected[:, reach : reach + length] * taps[0]
    for k, tap in enumerate(taps[1:], start=1):
        y.add_(reflected[:, reach - k : reach - k + length], alpha=tap)
        y.add_(reflected[:, reach + k : reach + k + length], alpha=tap)
    return y


def _spectral_power_sum(x: Tensor, mask: Tensor | None) -> Tensor:
    """Σ_{i=1..count−1} N^i x / 2^(count−1), as a product of Fourier transforms.

    The power sum reaches count − 1 nodes far, so three chain lengths hold the reflected chain without
    wrapping round, and its response at frequency θ is g(2 cos θ) on that grid for every row's own count. In
    float64 throughout: near the ends the result is smaller than in the middle by the chain length.
    """
    length = x.size(1)
    grid = 3 * length
    reflected = _odd_reflection(x.double(), mask, length - 1)
    order = (_real_nodes(x, mask) - 1).clamp(min=0).double()
    theta = torch.arange(grid // 2 + 1, device=x.device, dtype=torch.float64) * (2 * math.pi / grid)
    response = _power_sum_response(theta[None, :, None], order)
    mixed = torch.fft.irfft(torch.fft.rfft(reflected, n=grid, dim=1) * response, n=grid, dim=1)
    return mixed[:, length - 1 : 2 * length - 1].to(x.dtype)


def _power_sum_response(theta: Tensor, order: Tensor) -> Tensor:
    """g(λ) = Σ_{i=1..order} λ^i / 2^order at λ = 2 cos θ, in float64, without overflow or cancellation."""
    half = torch.cos(theta)
    eigenvalue = 2 * half
    # |λ|^order / 2^order = exp(order · ln |cos θ|), with ln |cos θ| = ln(1 − sin² θ) / 2 accurate near θ = 0.
    top = torch.exp(order * torch.log1p(-torch.sin(theta).square().clamp(max=1 - 2**-53)) / 2)
    bottom = torch.exp2(-order)
    excess = eigenvalue - 1
    growth = order * torch.log1p(excess.clamp(min=-0.5))
    # (λ^order − 1) / (λ − 1) from expm1, scaled by whichever of λ^order and 1 is the larger.
    above = top * -torch.expm1(-growth) / excess
    below = bottom * torch.expm1(growth) / excess
    near = torch.where(excess > 0, above, below)
    near = torch.where(excess == 0, order * bottom, near)
    parity = torch.where((order % 2 == 1) & (eigenvalue < 0), -1.0, 1.0)
    far = (parity * top - bottom) / excess
    return eigenvalue * torch.where(excess > -0.5, near, far)
