"""Filters of bfloat16 nodes on the CPU, as products with one banded bfloat16 matrix.

The plain form widens the nodes to float32, mixes them, and rounds the result. Here a matrix product of bfloat16, which
adds up in float32 and rounds once, takes a block of nodes and the filter's reach on both sides at a time; its taps are
those of `half_taps.py`. Blocks go on from chain to chain; nodes near a chain's ends, where it is no plain filter, are
mixed in float32.
"""

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..backend import is_eager_on_cpu, runs_on_triton
from ..cached_tensors import built_once
from .half_taps import half_filter

if TYPE_CHECKING:
    from ..kinds import Chain

_BLOCK = 32
# Where there are fewer numbers or nodes, float32 is as fast.
_FEWEST = 2**17
_SHORTEST = 64
_LONGEST_REACH = 16


def banded_pays(x: Tensor, chain: "Chain", mask: Tensor | None) -> bool:
    """Whether `mix_banded` can mix nodes [batch, length, width], and is faster than float32."""
    if x.dtype != torch.bfloat16 or mask is not None or not is_eager_on_cpu(x) or runs_on_triton(x):
        return False
    if x.numel() < _FEWEST or x.size(1) < _SHORTEST or not _multiplies_bfloat16():
        return False
    if chain.kind == "single_hop":
        return False  # an addition or two
    found = half_filter(chain, x.dtype)
    if found is None or found.rest:
        return False
    reach = len(found.taps) - 1
    return reach <= _LONGEST_REACH and x.size(1) >= 8 * reach + _BLOCK


def mix_banded(
    x: Tensor, chain: "Chain", transposed: bool, mix_exactly: Callable[[Tensor], Tensor]
) -> Tensor | None:
    """Aᵀx, or Ax if `transposed`; None where results are not finite.

    Parameters
    ----------
    x : bfloat16 Tensor [batch, length, width]
        For which `banded_pays`.
    chain : Chain
    transposed : bool
    mix_exactly : callable
        Does the same to whole chains, in float32.

    Returns
    -------
    Tensor [batch, length, width], or None
    """
    x = x.resolve_neg().contiguous()
    y = _filtered(x, chain, transposed, mix_exactly)
    # A product takes zero times infinity for NaN and spreads it: a finite sum proves that all results are finite.
    return y if math.isfinite(y.sum().item()) else None


@functools.cache
def _multiplies_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16, so that a product is not made in float32 after all."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    if supported is None or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(supported())


@built_once(maxsize=64)
def _band(taps: tuple[float, ...], back: int, ahead: int) -> Tensor:
    """How a block's nodes take from `back` nodes before it, the block, and `ahead` nodes after; [takes, gives]."""
    gives = torch.arange(-back, _BLOCK + ahead)
    distance = torch.arange(_BLOCK)[:, None] - gives
    inside = (distance <= back) & (distance >= -ahead)
    weights = torch.tensor(taps)[distance.abs().clamp(max=len(taps) - 1)]
    return torch.where(inside, weights, 0).bfloat16()


def _filtered(x: Tensor, chain: "Chain", transposed: bool, mix_exactly: Callable[[Tensor], Tensor]) -> Tensor:
    found = half_filter(chain, x.dtype)
    assert found is not None
    reach = len(found.taps) - 1
    back = reach if chain.bi_directional or not transposed else 0
    ahead = reach if chain.bi_directional or transposed else 0
    band = _band(found.taps, back, ahead)
    factor = found.factor / found.column_sum if chain.column_normalised else found.factor

    y = torch.empty_like(x)
    nodes, results = x.flatten(0, 1), y.view(-1, x.size(2))  # [nodes, width]
    # Columns are scaled differently within the reach of an end, and nodes within twice that can notice.
    rim = 2 * reach
    last = len(nodes) - rim
    whole = (last - rim) // _BLOCK * _BLOCK
    for start, stop in ((rim, rim + whole), (last - _BLOCK, last)):
        blocks = results[start:stop].view(-1, _BLOCK, x.size(2))
        taken = nodes[start - back :].as_strided(
            (len(blocks), back + _BLOCK + ahead, x.size(2)), (_BLOCK * x.size(2), x.size(2), 1)
        )
        torch.baddbmm(blocks, band.expand(len(blocks), -1, -1), taken, beta=0, alpha=factor, out=blocks)

    # The ends of a chain are those of one that is just long enough.
    ends = mix_exactly(torch.cat([x[:, : 2 * rim], x[:, -2 * rim :]]))
    first, final = ends.chunk(2)
    y[:, :rim], y[:, -rim:] = first[:, :rim], final[:, -rim:]
    return y
