"""Hopper's copy engine (TMA): where there is one, which tensors it takes, and how large tiles are."""

import functools
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

try:
    from triton.tools.tensor_descriptor import TensorDescriptor
except ImportError:  # before Triton 3.4, or without it
    TensorDescriptor = None
else:

    class _Descriptor(TensorDescriptor):
        """Of a tensor that `takes` has checked already."""

        def __post_init__(self) -> None:
            pass


_HOPPER = 9
# Rows of tensors that the copy engine takes begin at multiples of 16 bytes.
_ALIGNMENT = 16
# In the interpreter, so that programs go on to a second tile there too.
_INTERPRETED_PROGRAMS = 2


class Tiles(NamedTuple):
    """How large tiles are, and by how many warps and in how many stages programs work through them."""

    block_m: int
    block_n: int
    block_k: int
    warps: int
    stages: int


_WIDE = Tiles(128, 256, 64, 8, 4)
_NARROW = Tiles(128, 128, 64, 8, 4)
# Where there is no copy engine, and less shared memory.
_SMALL = Tiles(64, 128, 32, 4, 3)


@functools.lru_cache(maxsize=64)
def has_copy_engine(device: torch.device) -> bool:
    """Whether tiles can come by Hopper's copy engine, which the interpreter imitates."""
    if TensorDescriptor is None:
        return False
    return device.type != "cuda" or torch.cuda.get_device_capability(device)[0] == _HOPPER


def takes(*matrices: Tensor) -> bool:
    """Whether the copy engine is there and takes contiguous tensors, from where their rows begin."""
    for matrix in matrices:
        row = matrix.size(-1) * matrix.element_size()
        if (
            not has_copy_engine(matrix.device)
            or row == 0
            or row % _ALIGNMENT
            or matrix.data_ptr() % _ALIGNMENT
        ):
            return False
    return True


def described(matrix: Tensor, tile: list[int]) -> Any:
    """Describe a contiguous tensor, which the copy engine `takes`, and of which `tile` is taken at a time."""
    # A contiguous tensor may say anything of the stride of an axis of size 1.
    strides = [math.prod(matrix.shape[axis + 1 :]) for axis in range(matrix.ndim)]
    return _Descriptor(matrix, list(matrix.shape), strides, tile)


@functools.lru_cache(maxsize=64)
def programs_at_once(device: torch.device) -> int:
    """How many programs run side by side, if each goes on from tile to tile."""
    if device.type != "cuda":
        return _INTERPRETED_PROGRAMS
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def tiles_for(n: int, described: bool) -> Tiles:
    """Return the tiles for n outputs, whether they come by the copy engine or not."""
    if not described:
        return _SMALL
    return _WIDE if n > _NARROW.block_n else _NARROW
