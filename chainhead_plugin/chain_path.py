"""The bi-directional chain: functions of the path graph's N = S + Sᵀ.

N's eigenvectors are the sines of DST-I and its eigenvalues 2 cos(πk/(L + 1)). So f(N) does to a chain what the
same filter does on an endless one to the chain reflected with the opposite sign about a zero one step beyond
either end. All forms here are symmetric: they are their own transpose.

`x` is [batch, length, width] in float32 or float64 and zero where `mask`, bool [batch, length, 1] or None, is
False; the real nodes of a row are its chain.
"""

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .chain_filter import SHORTEST, is_eager_on_cpu, two_sided_filter

# Up to this length the power sum is a product with its few large eigenvectors, beyond it a Fourier transform.
_LONGEST_BY_EIGENVECTORS = 16_384


def hop(x: Tensor, mask: Tensor | None, self_weight: float) -> Tensor:
    """(N + σI) x; what would leave the real nodes is dropped."""
    if torch.compiler.is_compiling():
        y = two_sided_filter(x, (self_weight, 1.0), (self_weight, 1.0))
    elif is_eager_on_cpu(x) and x.size(1) > 1:
        y = torch.empty_like(x, memory_format=torch.contiguous_format)
        torch.add(x[:, :-2], x[:, 2:], out=y[:, 1:-1])
        y[:, 0], y[:, -1] = x[:, 1], x[:, -2]
        if self_weight:
            y.add_(x, alpha=self_weight)
    else:
        y = x * self_weight if self_weight else torch.zeros_like(x)
        y[:, 1:].add_(x[:, :-1])
        y[:, :-1].add_(x[:, 1:])
    return y if mask is None else torch.where(mask, y, 0)


def hop_sum(x: Tensor, mask: Tensor | None, self_weight: float, hops: int) -> Tensor:
    """Σ_{i=1..h} (N + σI)^i x / ρ^h, by Horner's rule.

    ρ bounds the eigenvalues: it keeps the sum finite where h is large, and cancels in the column scaling.
    """
    count = _real_nodes(x, mask)
    rho = (2 * torch.cos(math.pi / (count + 1).to(x.dtype)) + abs(self_weight)).clamp(min=1)
    term, total = x, torch.zeros_like(x)
    for _ in range(hops):
        total = hop(total + term, mask, self_weight) / rho
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


def filter_pays(x: Tensor, mask: Tensor | None) -> bool:
    """Whether all chains are whole and long, so that a filter needs mending at their ends alone."""
    return mask is None and is_eager_on_cpu(x) and x.size(1) >= SHORTEST


def path_filter(x: Tensor, mask: Tensor | None, taps: Sequence[float]) -> Tensor:
    """f(N) x, where f(N) of an endless chain weighs nodes k steps away by taps[k]."""
    length, reach = x.size(1), len(taps) - 1
    if filter_pays(x, mask):
        y = two_sided_filter(x, taps, taps)
        # The reflections: −x[i] stands i + 2 steps before the first node, and likewise after the last.
        near = x.new_tensor(
            [[taps[i + j + 2] if i + j + 2 <= reach else 0.0 for i in range(reach)] for j in range(reach)]
        )
        y[:, :reach] -= near @ x[:, :reach]
        y[:, -reach:] -= near.flip(0, 1) @ x[:, -reach:]
        return y
    reflected = _odd_reflection(x, mask, reach)
    y = reflected[:, reach : reach + length] * taps[0]
    for k, tap in enumerate(taps[1:], start=1):
        y.add_(reflected[:, reach - k : reach - k + length], alpha=tap)
        y.add_(reflected[:, reach + k : reach + k + length], alpha=tap)
    return y


def endless_power_sum(x: Tensor, mask: Tensor | None) -> Tensor:
    """Σ_{i=1..count−1} N^i x, up to a positive factor that depends on the row's count alone."""
    if _is_exporting():
        return _power_sum_by_sines(x, mask)
    if not torch.compiler.is_compiling() and x.numel() == 0:
        return torch.empty_like(x)  # MKL's Fourier transforms refuse an empty batch
    if mask is None and 1 < x.size(1) <= _LONGEST_BY_EIGENVECTORS and is_eager_on_cpu(x):
        return _power_sum_by_eigenvectors(x)
    return _power_sum_by_fourier(x, mask)


@functools.lru_cache(maxsize=4)
def _large_eigenvectors(length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Eigenvectors v_k of N at even and at odd nodes, and the power sum's eigenvalues g(λ_k) and g(−λ_k).

    g falls like (λ_k/2)^length ≈ exp(−π²k²/2·length): some √length of the eigenvectors are all that the dtype
    can see. That of −λ_k is v_k with the sign changed at odd nodes.
    """
    visible = math.sqrt(-2 * math.log(torch.finfo(dtype).eps) * length) / math.pi
    k = torch.arange(1, min(length // 2, math.ceil(visible) + 8) + 1, dtype=torch.float64)
    theta = math.pi * k / (length + 1)
    order = torch.tensor(float(length - 1), dtype=torch.float64)
    vectors = torch.sin(theta * torch.arange(1, length + 1, dtype=torch.float64)[:, None])
    response, mirrored = (_power_sum_response(angle, order) for angle in (theta, math.pi - theta))
    return tuple(t.to(dtype) for t in (vectors[0::2], vectors[1::2], response[:, None], mirrored[:, None]))  # type: ignore[return-value]


def _power_sum_by_eigenvectors(x: Tensor) -> Tensor:
    at_even, at_odd, response, mirrored = _large_eigenvectors(x.size(1), x.dtype)

    def times(matrix: Tensor, nodes: Tensor) -> Tensor:
        return torch.bmm(matrix.expand(nodes.size(0), -1, -1), nodes)

    even, odd = times(at_even.T, x[:, 0::2]), times(at_odd.T, x[:, 1::2])
    along, across = response * (even + odd), mirrored * (even - odd)
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    y[:, 0::2], y[:, 1::2] = times(at_even, along + across), times(at_odd, along - across)
    return y


def _power_sum_by_sines(x: Tensor, mask: Tensor | None) -> Tensor:
    """The power sum by its large eigenvectors, made anew for every row's own count.

    The form that is exported: neither `torch.export` nor ONNX has Fourier transforms of any length. Exact at
    every length, as a product with [length, K] sines, where K is a whole-number bound of what the dtype can
    see (see `_large_eigenvectors`): its tangent at 4,096 nodes, 65 + length / 71 in float32.
    """
    length = x.size(1)
    tangent = 4096**0.5
    seen = math.sqrt(-2 * math.log(torch.finfo(x.dtype).eps)) / math.pi
    most = math.ceil(seen * tangent / 2) + 8 + length // math.floor(2 * tangent / seen)
    count = _real_nodes(x, mask)
    place = torch.arange(1, length + 1, device=x.device).view(1, -1, 1)
    if mask is not None:
        place = place - mask.int().argmax(1, keepdim=True)
    k = torch.arange(1, most + 1, device=x.device).view(1, 1, -1)
    step = math.pi / (count + 1).double()
    # A whole number of steps within one period: the sines of far nodes stay exact.
    vectors = torch.sin(step * (place * k % (2 * count + 2))).to(x.dtype)
    alternating = (2 * (place % 2) - 1).to(x.dtype)
    theta, order = (step * k).mT, (count - 1).clamp(min=0).double()

    def times(response: Tensor, nodes: Tensor) -> Tensor:
        return vectors @ (torch.where(2 * k.mT <= count, response, 0).to(x.dtype) * (vectors.mT @ nodes))

    along = times(_power_sum_response(theta, order), x)
    # The eigenvector of −λ_k is that of λ_k with the sign changed at every other node.
    across = times(_power_sum_response(math.pi - theta, order), alternating * x)
    return along + alternating * across


def _is_exporting() -> bool:
    # Before torch 2.7 exporting cannot be told from compiling.
    return getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)()


def _power_sum_by_fourier(x: Tensor, mask: Tensor | None) -> Tensor:
    """The power sum as a product of Fourier transforms.

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
    # Next to λ = 1, where the quotient loses its digits wherever `expm1` is made of `exp`, as in ONNX.
    beside = order * bottom * (1 + (order - 1) / 2 * excess)
    near = torch.where(excess.abs() < 1e-8, beside, near)
    parity = torch.where((order % 2 == 1) & (eigenvalue < 0), -1.0, 1.0)
    far = (parity * top - bottom) / excess
    return eigenvalue * torch.where(excess > -0.5, near, far)
