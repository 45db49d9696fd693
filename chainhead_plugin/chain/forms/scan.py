"""The running sum that decays, y[j] = x[j] + γ y[j − 1]: exact in O(length) for any γ in [0, 1].

In blocks, by `sum_in_blocks.py`; by doubling where chains are short or a compiler traces; or by a Triton kernel.
`decay` is a common γ, as a float, or a γ for every feature, as a float64 Tensor [1 or batch, 1, width].
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..autograd import without_autocast
from ..backend import backend, is_eager_on_cpu, runs_on_triton
from ..cached_tensors import built_once
from .halves import HALVES
from .sum_in_blocks import Decay, sum_in_blocks

# Numbers, and nodes of a chain, up to which calls cost more than the work in them.
_FEW = 2**12
_LONGEST = 32
# In graphs, where any number of blocks is doubled over; so many steps do for every chain of 2^31 nodes.
_TRACED_BLOCK = 16
_MOST_STEPS = 28


def scans_halves(x: Tensor) -> bool:
    """Whether half precision is scanned as it is, on a device with the backend "fused": a scan rounds once."""
    return x.dtype in HALVES and backend() == "fused" and runs_on_triton(x)


def decaying_sum(x: Tensor, decay: Decay, reverse: bool) -> Tensor:
    """y[j] = Σ_{i≤j} γ^(j−i) x[i], or with `reverse` Σ_{i≥j} γ^(i−j) x[i].

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
        In eager mode and without kernels of half precision, too: it is summed up in float32 and rounded once.
    decay : float or float64 Tensor [1 or batch, 1, width]
    reverse : bool

    Returns
    -------
    Tensor [batch, length, width]
    """
    if runs_on_triton(x):
        from ..kernels.scan import scan_chain

        return scan_chain(x, decay, reverse)
    if not torch.compiler.is_compiling():
        return sum_in_blocks(x, decay, reverse)
    if isinstance(decay, float):
        decay = torch.full((1, 1, 1), decay, dtype=torch.float64, device=x.device)
    return _sum_by_doubling(x.flip(1), decay).flip(1) if reverse else _sum_by_doubling(x, decay)


@without_autocast
def short_decaying_sum(x: Tensor, decay: Tensor, reverse: bool) -> Tensor | None:
    """`decaying_sum` of a few nodes, by doubling: y = (1 + γ⁴S⁴)(1 + γ²S²)(1 + γS) x, of 8 nodes.

    Moving nodes is a product too, which is the cheapest of calls but takes zero times infinity for NaN.

    Parameters
    ----------
    x : float32 or float64 Tensor [batch, length, width]
    decay : Tensor [1 or batch, 1, width]
    reverse : bool

    Returns
    -------
    Tensor [batch, length, width], or None where another form is to be taken
    """
    # Asked first: a traced length must not be asked for.
    if not is_eager_on_cpu(x) or runs_on_triton(x) or not 0 < x.numel() <= _FEW or x.size(1) > _LONGEST:
        return None
    batch, length, _ = x.shape
    if length == 1:
        return x.clone()
    gamma, y = decay if decay.dtype == x.dtype else decay.to(x.dtype), x
    for number, shift in enumerate(_shifts(length, reverse, x.dtype)):
        if number:
            gamma = gamma * gamma
        moved = torch.bmm(shift if batch == 1 else shift.expand(batch, length, length), y)
        y = torch.addcmul(y, gamma, moved)
    return y if math.isfinite(y.sum().item()) else None


@built_once(maxsize=64)
def _shifts(length: int, reverse: bool, dtype: torch.dtype) -> list[Tensor]:
    """Matrices that move the nodes of a chain 1, 2, 4, … further, each [1, length, length]."""
    hops = [2**k for k in range((length - 1).bit_length())]
    return [
        torch.diag_embed(torch.ones(1, length - hop, dtype=dtype), hop if reverse else -hop) for hop in hops
    ]


def _sum_by_doubling(x: Tensor, decay: Tensor) -> Tensor:
    """The same in operations that a compiler can fuse, and that do not depend on how long the chain is.

    Nodes are gathered by number: slices, and views of divided lengths, would specialise the graph by length.
    """
    node = torch.arange(x.size(1), device=x.device)
    # A block more than needed: a graph would be specialised to a single block.
    block = torch.arange((x.size(1) + _TRACED_BLOCK - 1) // _TRACED_BLOCK + 1, device=x.device)
    source = block[:, None] * _TRACED_BLOCK + torch.arange(_TRACED_BLOCK, device=x.device)
    last = x.size(1) - 1
    blocks = torch.where((source <= last)[..., None], x[:, source.clamp(max=last)], 0)
    exponents = torch.arange(1, _TRACED_BLOCK + 1, dtype=torch.float64, device=x.device)
    across = _TRACED_BLOCK * 2 ** torch.arange(_steps(block.numel()), dtype=torch.float64, device=x.device)
    # [1 or batch, exponents, 1 or width]
    within_block, across_blocks = ((decay ** e[:, None]).to(x.dtype) for e in (exponents, across))
    step = 1
    while step < _TRACED_BLOCK:
        power = within_block[:, None, step - 1 : step]
        blocks = blocks + power * F.pad(blocks[:, :, :-step], (0, 0, step, 0))
        step *= 2

    def later(ends: Tensor, by: int) -> Tensor:
        moved = ends.index_select(1, (block - by).clamp(min=0))
        return torch.where((block >= by)[:, None], moved, 0)

    leaving = blocks[:, :, -1]
    for k in range(len(across)):
        leaving = leaving + across_blocks[:, k : k + 1] * later(leaving, 2**k)
    y = blocks + within_block.unsqueeze(1) * later(leaving, 1).unsqueeze(2)
    return y[:, node // _TRACED_BLOCK, node % _TRACED_BLOCK]


def _steps(count: int) -> int:
    """How many doublings reach over `count` blocks; over any number in an exported graph."""
    # torch.compiler.is_exporting is as old as torch 2.7: before, take everything for an export.
    if getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)():
        return _MOST_STEPS
    # In fours, so that a graph does for chains of many lengths.
    steps = 4
    while steps < _MOST_STEPS and 2**steps < count:
        steps += 4
    return steps
