"""Short chains: the dense matrix itself, whose product costs less than the calls of any other form.

On the CPU, and with the backend "fused" for few nodes on a device.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..autograd import without_autocast
from ..backend import backend, is_eager_on_cpu, runs_on_triton
from ..cached_tensors import built_once
from .halves import HALVES

if TYPE_CHECKING:
    from ..kinds import Chain

_LONGEST = 32
# On a device, where launches from Python cost more than products of so many nodes.
_FEW_NODES = 1024


def takes_halves(x: Tensor, chain: "Chain", mask: Tensor | None) -> bool:
    """Whether `mix_short` takes nodes [batch, length, width] in half precision: few of them, on a device."""
    if mask is not None or x.dtype not in HALVES or not are_few_on_device(x):
        return False
    return _matrix(chain, x.size(1), x.dtype, False, x.device) is not None


def are_few_on_device(x: Tensor) -> bool:
    """Whether the backend is "fused" and whole chains [batch, length, width] are few enough and short."""
    if backend() != "fused" or torch.compiler.is_compiling():
        return False
    return 0 < x.size(0) * x.size(1) <= _FEW_NODES and x.size(1) <= _LONGEST


@without_autocast
def mix_short(x: Tensor, chain: "Chain", transposed: bool) -> Tensor | None:
    """Aᵀx, or Ax if `transposed`, as a single product; None where another form is to be taken.

    On the CPU it needs finite results: a dense product takes zero times infinity for NaN and spreads it along the
    chain. On a device, where looking at results would mean to wait for them, it does so.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        In half precision on a device alone, and then the matrix is in two parts if rounding would change it.
    chain : Chain
        With the same matrix for all channels and features.
    transposed : bool

    Returns
    -------
    Tensor [batch, length, width], or None
    """
    # Asked first: a traced length must not be asked for.
    if runs_on_triton(x):
        if not are_few_on_device(x):
            return None
    elif not is_eager_on_cpu(x) or x.dtype not in (torch.float32, torch.float64):
        return None
    length = x.size(1)
    if not 0 < length <= _LONGEST:
        return None
    parts = _matrix(chain, length, x.dtype, transposed, x.device)
    if parts is None:
        return None

    first, *rest = parts if x.size(0) == 1 else [part.expand(x.size(0), length, length) for part in parts]
    if rest:  # small, so that rounding it is of no account before the sum is rounded
        return torch.baddbmm(torch.bmm(rest[0], x), first, x)
    y = torch.bmm(first, x)
    return y if runs_on_triton(x) or math.isfinite(y.sum().item()) else None


@built_once(maxsize=256)
def _matrix(
    chain: "Chain", length: int, dtype: torch.dtype, transposed: bool, device: torch.device
) -> list[Tensor] | None:
    """What takes from what, [1, length, length], and what rounding that to half precision leaves, if anything."""
    from ..reference import interdependence_matrix

    exact = interdependence_matrix(chain, length)
    matrix = exact.to(dtype)
    if not matrix.isfinite().all():
        return None
    parts = [matrix]
    if dtype in HALVES and not matrix.double().equal(exact):
        parts.append((exact - matrix.double()).to(dtype))
    return [(part if transposed else part.T.contiguous()).unsqueeze(0).to(device) for part in parts]
