"""Half precision in eager mode on the CPU: widened to float32, mixed and rounded once, a few chains at a time.

A few chains stay in the cache on the way; all of them, widened first, would be written to memory and read again.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from ..backend import is_eager_on_cpu, runs_on_triton
from .sum_in_blocks import rows_in_cache

_Tensor = TypeVar("_Tensor", Tensor, Tensor | None)

HALVES = (torch.bfloat16, torch.float16)


def is_half_on_cpu(x: Tensor) -> bool:
    """Whether `x` is in half precision and mixed on the CPU in eager mode, where forms widen it themselves."""
    return x.dtype in HALVES and is_eager_on_cpu(x) and not runs_on_triton(x)


def mix_widened(mix: Callable[..., Tensor], x: Tensor, *beside: Tensor | None) -> Tensor:
    """Mix whole chains in float32.

    Parameters
    ----------
    mix : callable
        Of a float32 Tensor like `x`, and of what belongs to its rows; gives a Tensor of the same shape.
    x : Tensor [batch, length, width], of half precision
    *beside : Tensor [1 or batch, …] or None

    Returns
    -------
    Tensor [batch, length, width]
        In the dtype of `x`.
    """
    if rows_in_cache(x) >= x.size(0):
        return mix(x.float(), *beside).to(x.dtype)
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    for rows in pieces(x):
        y[rows] = mix(x[rows].float(), *(of_rows(each, rows) for each in beside))
    return y


def pieces(x: Tensor) -> Iterator[slice]:
    """The rows of [batch, length, width], a few at a time."""
    count = rows_in_cache(x)
    return (slice(first, first + count) for first in range(0, x.size(0), count))


def of_rows(tensor: _Tensor, rows: slice) -> _Tensor:
    """What belongs to some rows, of a tensor [1 or batch, …]."""
    return tensor if tensor is None or tensor.size(0) == 1 else tensor[rows]
