"""The bi-directional inverse: Σ_{i=1..L−1} N^i of the path graph's N = S + Sᵀ, column-normalised by its caller.

As a function of N it is g(λ) at N's eigenvalues λ = 2 cos θ, with the sines of DST-I as eigenvectors. g falls
like exp(−Lθ²/2) from either end of the spectrum, so that some √L of the L eigenvectors are all that a dtype can
see:

- a product with the visible eigenvectors, O(L^1.5), for short chains;
- the same with eigenvectors written block by block as polynomials, since those that are visible are smooth:
  O(L), for long chains;
- a product with eigenvectors made in the graph, which holds for any length, for export;
- Fourier transforms, O(L log L), where a compiler wants a single form for all lengths, and for rows of different
  lengths on an accelerator.

Near a chain's ends the result is smaller than in the middle by the chain length, and is scaled up again: there
every form has to be right to the last digit of a small number.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..backend import is_exporting
from ..cached_tensors import built_once
from .path import odd_reflection, real_nodes

# Half the phase, in radians, that the shortest visible eigenvector goes through within a block.
_PHASE = 8.0


def endless_power_sum(x: Tensor, mask: Tensor | None) -> Tensor:
    """Σ_{i=1..count−1} N^i x, up to a positive factor that depends on the row's count alone.

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
        Zero where `mask` is False.
    mask : bool Tensor [batch, length, 1], optional
        True for the nodes of a row's chain.

    Returns
    -------
    Tensor [batch, length, width]
    """
    if is_exporting():
        return by_sines(x, mask)
    if torch.compiler.is_compiling():
        return by_fourier(x, mask)
    if x.numel() == 0 or x.size(1) == 1:
        return torch.zeros_like(x)
    if mask is not None:
        return _chain_by_chain(x, mask) if x.device.type == "cpu" else by_fourier(x, mask)
    blocks = _block_size(x.size(1), x.dtype)
    return _by_eigenvectors(x) if blocks is None else _by_smooth_eigenvectors(x, *blocks)


def _chain_by_chain(x: Tensor, mask: Tensor) -> Tensor:
    y = torch.zeros_like(x, memory_format=torch.contiguous_format)
    rows: dict[tuple[int, int], list[int]] = {}
    starts, counts = mask.int().argmax(1).flatten().tolist(), mask.sum(1).flatten().tolist()
    for row, bounds in enumerate(zip(starts, counts, strict=True)):
        rows.setdefault(bounds, []).append(row)
    for (start, count), alike in rows.items():
        nodes = slice(start, start + count)
        y[alike, nodes] = endless_power_sum(x[alike, nodes], None)
    return y


def visible_eigenvectors(length: int, dtype: torch.dtype) -> int:
    """How many of the eigenvectors with θ ≤ π/2 have a g(2 cos θ) that `dtype` can tell from zero."""
    visible = math.sqrt(-2 * math.log(torch.finfo(dtype).eps) * length) / math.pi
    return min(length // 2, math.ceil(visible) + 8)


class _Eigenvectors(NamedTuple):
    """v_k at some nodes, [nodes, K], and g(λ_k) and g(−λ_k), [K, 1].

    The eigenvector of −λ_k is v_k with the sign changed at every other node.
    """

    even: Tensor
    odd: Tensor
    response: Tensor
    mirrored: Tensor


def spectrum(length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """θ_k, g(2 cos θ_k) and g(−2 cos θ_k) of the visible eigenvectors, in float64."""
    k = torch.arange(1, visible_eigenvectors(length, dtype) + 1, dtype=torch.float64)
    theta = math.pi * k / (length + 1)
    order = torch.tensor(float(length - 1), dtype=torch.float64)
    return theta, _response(theta, order)[:, None], _response(math.pi - theta, order)[:, None]


def _times(matrix: Tensor, nodes: Tensor) -> Tensor:
    return torch.bmm(matrix.expand(nodes.size(0), -1, -1), nodes)


@built_once(maxsize=64)
def _eigenvectors(length: int, dtype: torch.dtype, device: torch.device) -> _Eigenvectors:
    theta, response, mirrored = spectrum(length, dtype)
    vectors = torch.sin(theta * torch.arange(1, length + 1, dtype=torch.float64)[:, None])
    return _Eigenvectors(*(t.to(device, dtype) for t in (vectors[0::2], vectors[1::2], response, mirrored)))


def _by_eigenvectors(x: Tensor) -> Tensor:
    at_even, at_odd, response, mirrored = _eigenvectors(x.size(1), x.dtype, x.device)
    # [batch, K, width]: how much of each eigenvector there is at the even and at the odd nodes
    even, odd = _times(at_even.T, x[:, 0::2]), _times(at_odd.T, x[:, 1::2])
    along, across = response * (even + odd), mirrored * (even - odd)
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    y[:, 0::2], y[:, 1::2] = _times(at_even, along + across), _times(at_odd, along - across)
    return y


def _block_size(length: int, dtype: torch.dtype) -> tuple[int, int] | None:
    """Nodes of one parity in a block and polynomials for them; None for chains too short to gain from it."""
    # Of exp(izt) on [−1, 1], polynomials of degree < p leave less than (z/2)^p / p!. A thousandth of the dtype's
    # precision, since next to the ends eigenvectors are that much smaller than elsewhere.
    polynomials, rest = 0, 1.0
    while rest > torch.finfo(dtype).eps / 1000:
        polynomials += 1
        rest *= _PHASE / 2 / polynomials
    nodes = int(_PHASE * (length + 1) / (math.pi * max(1, visible_eigenvectors(length, dtype)))) + 1
    return (nodes, polynomials) if nodes >= 2 * polynomials and length >= 12 * nodes else None


class _SmoothEigenvectors(NamedTuple):
    """Eigenvectors as they are on either end of the chain, and as polynomials between.

    Attributes
    ----------
    rim : Tensor [nodes on either end, K]
        v_k there: at as many as a block has first nodes, and at the last ones, up to twice as many, that fill no
        block.
    sign : Tensor [nodes on either end, 1]
        1 at even nodes and −1 at odd ones.
    polynomials : Tensor [nodes of one parity in a block, P]
        Orthonormal.
    middle : _Eigenvectors
        Coefficients [blocks·P, K] of v_k at the even and at the odd nodes of every block between.
    """

    rim: Tensor
    sign: Tensor
    polynomials: Tensor
    middle: _Eigenvectors


@built_once(maxsize=4)
def _smooth_eigenvectors(
    length: int, nodes: int, polynomials: int, dtype: torch.dtype, device: torch.device
) -> _SmoothEigenvectors:
    theta, response, mirrored = spectrum(length, dtype)
    rim = 2 * nodes
    blocks = length // rim - 2
    place = torch.cat([torch.arange(rim), torch.arange((1 + blocks) * rim, length)]).double()[:, None]
    offset = torch.arange(1 - nodes, nodes, 2, dtype=torch.float64)
    angles = torch.arccos((offset / nodes).clamp(-1, 1))[:, None]
    chebyshev = torch.cos(angles * torch.arange(polynomials, dtype=torch.float64))
    basis = torch.linalg.qr(chebyshev)[0]  # [nodes of one parity, P]

    # sin θ(c + u) = sin θc cos θu + cos θc sin θu, at the offsets u of a block from its centre c.
    wave = theta * offset[:, None]
    cosines, sines = basis.T @ wave.cos(), basis.T @ wave.sin()  # [P, K]

    def coefficients(centre: int) -> Tensor:
        phase = theta * (centre + rim * torch.arange(1, blocks + 1, dtype=torch.float64))[:, None]
        return (phase.sin()[:, None] * cosines + phase.cos()[:, None] * sines).flatten(0, 1)

    def cast(tensor: Tensor) -> Tensor:
        return tensor.to(device, dtype)

    middle = _Eigenvectors(
        cast(coefficients(nodes)), cast(coefficients(nodes + 1)), cast(response), cast(mirrored)
    )
    return _SmoothEigenvectors(
        cast(torch.sin(theta * (place + 1))), cast(1 - 2 * (place % 2)), cast(basis), middle
    )


def _by_smooth_eigenvectors(x: Tensor, nodes: int, polynomials: int) -> Tensor:
    batch, length, width = x.shape
    vectors = _smooth_eigenvectors(length, nodes, polynomials, x.dtype, x.device)
    at_even, at_odd, response, mirrored = vectors.middle
    rim, blocks = 2 * nodes, at_even.size(0) // polynomials
    middle = slice(rim, (1 + blocks) * rim)

    # Nodes between in blocks, [batch·blocks, nodes of one parity, width]; then [batch, K, width].
    even, odd = (
        _times(at.T, _times(vectors.polynomials.T, part).view(batch, blocks * polynomials, width))
        for at, part in zip(
            (at_even, at_odd),
            x[:, middle].reshape(batch * blocks, nodes, 2, width).unbind(2),
            strict=True,
        )
    )
    ends = torch.cat([x[:, :rim], x[:, middle.stop :]], 1)  # [batch, nodes on either end, width]
    along = response * (even + odd + _times(vectors.rim.T, ends))
    across = mirrored * (even - odd + _times(vectors.rim.T, vectors.sign * ends))

    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    for place, at, waves in zip(
        y[:, middle].view(batch, blocks, nodes, 2, width).unbind(3),
        (at_even, at_odd),
        (along + across, along - across),
        strict=True,
    ):
        waves_in_blocks = _times(at, waves).view(batch * blocks, polynomials, width)
        place.copy_(_times(vectors.polynomials, waves_in_blocks).view(batch, blocks, nodes, width))

    ends = _times(vectors.rim, along) + vectors.sign * _times(vectors.rim, across)
    y[:, :rim], y[:, middle.stop :] = ends[:, :rim], ends[:, rim:]
    return y


def by_sines(x: Tensor, mask: Tensor | None) -> Tensor:
    """The power sum by its large eigenvectors, made anew for every row's own count.

    The form that is exported: neither `torch.export` nor ONNX has Fourier transforms of any length. Exact at
    every length, as a product with [length, K] sines, where K is a whole-number bound of what the dtype can
    see (see `visible_eigenvectors`): its tangent at 4,096 nodes, 65 + length / 71 in float32.
    """
    length = x.size(1)
    tangent = 4096**0.5
    seen = math.sqrt(-2 * math.log(torch.finfo(x.dtype).eps)) / math.pi
    most = math.ceil(seen * tangent / 2) + 8 + length // math.floor(2 * tangent / seen)

    count = real_nodes(x, mask)
    place = torch.arange(1, length + 1, device=x.device).view(1, -1, 1)
    if mask is not None:
        place = place - mask.int().argmax(1, keepdim=True)
    k = torch.arange(1, most + 1, device=x.device).view(1, 1, -1)
    step = math.pi / (count + 1).double()
    # A whole number of steps within one period: the sines of far nodes stay exact. [batch or 1, length, K]
    vectors = torch.sin(step * (place * k % (2 * count + 2))).to(x.dtype)
    alternating = (2 * (place % 2) - 1).to(x.dtype)
    theta, order = (step * k).mT, (count - 1).clamp(min=0).double()

    def times(response: Tensor, nodes: Tensor) -> Tensor:
        return vectors @ (torch.where(2 * k.mT <= count, response, 0).to(x.dtype) * (vectors.mT @ nodes))

    along = times(_response(theta, order), x)
    # The eigenvector of −λ_k is that of λ_k with the sign changed at every other node.
    across = times(_response(math.pi - theta, order), alternating * x)
    return along + alternating * across


def by_fourier(x: Tensor, mask: Tensor | None) -> Tensor:
    """The power sum as a product of Fourier transforms.

    The power sum reaches count − 1 nodes far, so three chain lengths hold the reflected chain without
    wrapping round, and its response at frequency θ is g(2 cos θ) on that grid for every row's own count. In
    float64 throughout: near the ends the result is smaller than in the middle by the chain length.
    """
    length = x.size(1)
    grid = 3 * length
    reflected = odd_reflection(x.double(), mask, length - 1)
    order = (real_nodes(x, mask) - 1).clamp(min=0).double()
    theta = torch.arange(grid // 2 + 1, device=x.device, dtype=torch.float64) * (2 * math.pi / grid)
    response = _response(theta[None, :, None], order)
    mixed = torch.fft.irfft(torch.fft.rfft(reflected, n=grid, dim=1) * response, n=grid, dim=1)
    return mixed[:, length - 1 : 2 * length - 1].to(x.dtype)


def _response(theta: Tensor, order: Tensor) -> Tensor:
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
