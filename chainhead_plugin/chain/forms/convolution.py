"""Filters of many float32 nodes on the CPU as convolutions of each feature, which oneDNN has for nodes as they lie.

A pass over memory in place of the products of `filter.py`, at about half their time. In float32 alone: for bfloat16
oneDNN has no output in float32, and with few features and many taps never comes to an end.
"""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..cached_tensors import built_once

# Where there are fewer numbers, products are as fast, and a new shape costs a tenth of a millisecond; a single feature
# takes oneDNN a thousand times as long.
_FEWEST, _NARROWEST = 2**17, 8


def convolution_pays(x: Tensor, back: Sequence[float], ahead: Sequence[float]) -> bool:
    """Whether `convolve` can filter nodes [batch, length, width] in eager mode on the CPU, and is faster than products.

    With weights back[k] for the node k steps before, and ahead[k] for the node k steps after.
    """
    if x.dtype != torch.float32 or x.numel() < _FEWEST or x.size(2) < _NARROWEST or not _has_convolutions():
        return False
    # Chains are joined to one for a filter that looks in one direction, and their ends mended.
    return len(back) == len(ahead) or x.size(1) >= 2 * max(len(back), len(ahead))


def convolve(x: Tensor, back: tuple[float, ...], ahead: tuple[float, ...]) -> Tensor:
    """y[j] = Σ_k back[k] x[j − k] + Σ_{k>0} ahead[k] x[j + k] of chains that are zero beyond their ends.

    Parameters
    ----------
    x : float32 Tensor [batch, length, width]
        Finite: weights of zero take part.
    back, ahead : tuple of float
        As many of both, or a single one of either.

    Returns
    -------
    Tensor [batch, length, width]
    """
    batch, length, width = x.shape
    x = x.resolve_neg().contiguous()
    reach = max(len(back), len(ahead)) - 1
    kernel = _kernel(back, ahead, width)
    if len(back) == len(ahead):
        return _owned(_convolved(x, kernel, reach), 0, x)

    # Chains joined to one, whose results follow on each other without a gap.
    forwards = len(back) > 1
    y = _owned(_convolved(x.view(1, -1, width), kernel, reach), 0 if forwards else reach, x)
    if batch > 1:
        seam = slice(reach) if forwards else slice(length - reach, length)
        alone = _convolved(x[:, seam].contiguous(), kernel, reach)
        y[:, seam] = alone[:, :reach] if forwards else alone[:, reach:]
    return y


@functools.cache
def _has_convolutions() -> bool:
    """Whether oneDNN has convolutions of single features that are made for the processor."""
    vectors = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    return vectors and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


@built_once(maxsize=64)
def _kernel(back: tuple[float, ...], ahead: tuple[float, ...], width: int) -> Tensor:
    weights = torch.tensor([*reversed(back), *ahead[1:]], dtype=torch.float64).float()
    return weights.repeat(width, 1).view(width, 1, 1, -1)


def _convolved(x: Tensor, kernel: Tensor, padding: int) -> Tensor:
    """Convolve [batch, length, width] that goes on as zeros, `padding` of them on either side."""
    images = x.transpose(1, 2).unsqueeze(2)
    y = F.conv2d(images, kernel, padding=(0, padding), groups=x.size(2))
    return y.squeeze(2).transpose(1, 2)


def _owned(nodes: Tensor, first: int, x: Tensor) -> Tensor:
    """A tensor like `x` of nodes from the first on; no view, to which autograd would let nothing be added."""
    nodes = nodes.contiguous()
    offset = nodes.storage_offset() + first * nodes.size(2)
    return x.new_empty(0).set_(nodes.untyped_storage(), offset, x.shape, x.stride())
