"""Short chains on the CPU: the dense matrix itself, whose product costs less than the calls of any other form."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..autograd import without_autocast
from ..backend import is_eager_on_cpu, runs_on_triton
from ..cached_tensors import built_once

if TYPE_CHECKING:
    from ..kinds import Chain

_LONGEST = 32


@without_autocast
def mix_short(x: Tensor, chain: "Chain", transposed: bool) -> Tensor | None:
    """Aᵀx, or Ax if `transposed`, as a single product; None where another form is to be taken.

    It needs finite results: a dense product takes zero times infinity for NaN and spreads it along the chain.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
        Never in half precision: the matrix itself would be rounded.
    chain : Chain
        With the same matrix for all channels and features.
    transposed : bool

    Returns
    -------
    Tensor [batch, length, width], or None
    """
    # Asked first: a traced length must not be asked for.
    if not is_eager_on_cpu(x) or runs_on_triton(x):
        return None
    length = x.size(1)
    if not 0 < length <= _LONGEST or x.dtype not in (torch.float32, torch.float64):
        return None
    matrix = _matrix(chain, length, x.dtype, transposed)
    if matrix is None:
        return None
    batch = x.size(0)
    y = torch.bmm(matrix if batch == 1 else matrix.expand(batch, length, length), x)
    return y if math.isfinite(y.sum().item()) else None


@built_once(maxsize=256)
def _matrix(chain: "Chain", length: int, dtype: torch.dtype, transposed: bool) -> Tensor | None:
    from ..reference import interdependence_matrix

    matrix = interdependence_matrix(chain, length).to(dtype)
    if not matrix.isfinite().all():
        return None
    return (matrix if transposed else matrix.T.contiguous()).unsqueeze(0)
