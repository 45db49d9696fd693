"""The bi-directional chain: functions of the path graph's N = S + Sᵀ.

N's eigenvectors are the sines of DST-I and its eigenvalues 2 cos(πk/(L + 1)). So f(N) does to a chain what the
same filter does on an endless chain to the chain reflected with the opposite sign about a zero next to
either end. All forms here are symmetric: they are their own transpose.

`x` is [batch, length, width] in float32 or float64 and zero where `mask`, bool [batch, length, 1] or None, is
False; the real nodes of a row are its chain.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..backend import is_eager_on_cpu, runs_on_triton
from ..masking import zeroed
from .filter import SHORTEST, two_sided_filter


def hop(x: Tensor, mask: Tensor | None, self_weight: float) -> Tensor:
    """(N + σI) x; nodes give nothing to the padding beside them."""
    if runs_on_triton(x):
        from ..kernels.filter import chain_bounds, filter_chain

        return filter_chain(x, [1.0, self_weight, 1.0], 1, False, *chain_bounds(mask))
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
    return y if mask is None else zeroed(y, mask)


def hop_sum(x: Tensor, mask: Tensor | None, self_weight: float, hops: int) -> Tensor:
    """Σ_{i=1..h} (N + σI)^i x / s, by Horner's rule.

    s is about ρ^h, where ρ bounds the eigenvalues: it keeps the sum finite where h is large, and cancels in the column
    scaling. It is made of powers of two, by which nothing is rounded.
    """
    count = real_nodes(x, mask)
    rho = (2 * torch.cos(math.pi / (count + 1).double()) + abs(self_weight)).clamp(min=1)
    bits = torch.floor(rho.log2() * torch.arange(hops + 1, device=x.device).view(-1, 1, 1, 1))
    term, total = x, torch.zeros_like(x)
    for scale in torch.exp2(bits[:-1] - bits[1:]).to(x.dtype).unbind():
        total = hop(total + term, mask, self_weight) * scale
        term = term * scale
    return total


def real_nodes(x: Tensor, mask: Tensor | None) -> Tensor:
    """Number of real nodes of each row, as [batch or 1, 1, 1]."""
    if mask is None:
        return torch.full((1, 1, 1), x.size(1), device=x.device)
    return mask.sum(1, keepdim=True)


def odd_reflection(x: Tensor, mask: Tensor | None, reach: int) -> Tensor:
    """The chain continued by `reach` nodes on both sides: x[−1] = x[count] = 0 and x[−2 − j] = −x[j]."""
    length, near = x.size(1), reach - 1
    if mask is None and 0 <= near <= length and not torch.compiler.is_compiling():
        zero = torch.zeros_like(x[:, :1])
        before, after = -x[:, :near].flip(1), -x[:, length - near :].flip(1)
        return torch.cat([before, zero, x, zero, after], 1)
    position = torch.arange(-reach, length + reach, device=x.device).view(1, -1, 1)
    start: int | Tensor = 0 if mask is None else mask.int().argmax(1, keepdim=True)
    # A tensor for whole chains too: ONNX has no remainder by a number that is known only at run time.
    count = real_nodes(x, mask)
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
    return mask is None and (is_eager_on_cpu(x) or runs_on_triton(x)) and x.size(1) >= SHORTEST


def path_filter(x: Tensor, mask: Tensor | None, taps: Sequence[float]) -> Tensor:
    """f(N) x, where f(N) of an endless chain weighs nodes k steps away by taps[k]."""
    length, reach = x.size(1), len(taps) - 1
    if runs_on_triton(x):
        from ..kernels.filter import chain_bounds, filter_chain

        return filter_chain(x, [*reversed(taps[1:]), *taps], reach, True, *chain_bounds(mask))
    if filter_pays(x, mask):
        y = two_sided_filter(x, taps, taps)
        # The reflections: −x[i] stands i + 2 steps before the first node, and likewise after the last.
        near = x.new_tensor(
            [[taps[i + j + 2] if i + j + 2 <= reach else 0.0 for i in range(reach)] for j in range(reach)]
        )
        y[:, :reach] -= near @ x[:, :reach]
        y[:, -reach:] -= near.flip(0, 1) @ x[:, -reach:]
        return y
    reflected = odd_reflection(x, mask, reach)
    y = reflected[:, reach : reach + length] * taps[0]
    for k, tap in enumerate(taps[1:], start=1):
        y.add_(reflected[:, reach - k : reach - k + length], alpha=tap)
        y.add_(reflected[:, reach + k : reach + k + length], alpha=tap)
    return y
