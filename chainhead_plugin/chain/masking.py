"""Attention masks: which nodes of a padded batch are real, and zeros for the padding."""

from typing import NamedTuple

import torch
from torch import Tensor

from .autograd import linear_function
from .backend import is_eager_on_cpu, values_of

_BITS = {
    torch.float64: torch.int64,
    torch.float32: torch.int32,
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
}


class CheckedMask(NamedTuple):
    """An attention mask that `check_mask` has found to say where each chain lies, to be taken as it is.

    A tuple, which everything that copies or traces a module's inputs looks into.

    Attributes
    ----------
    real : bool Tensor [batch, length]
        True for real nodes, which stand together in each row.
    """

    real: Tensor


def check_mask(mask: Tensor | CheckedMask, batch: int, length: int) -> CheckedMask:
    """Check that an attention mask says where each chain lies; a checked mask comes back as it is.

    On an accelerator, or while being compiled, the values are checked by an assertion on the device, so that
    the check neither waits for the device nor breaks the graph.

    Parameters
    ----------
    mask : Tensor [batch, length] of bool, int or float, or CheckedMask
        1 for real nodes, 0 for padding, before or after them. A row of zeros is an empty chain.
    batch, length : int
        The shape that the mask must have.

    Returns
    -------
    CheckedMask

    Raises
    ------
    ValueError
        If the shape differs, a value is neither 0 nor 1, or a row has padding between real nodes
        (on an accelerator or compiled: RuntimeError).
    """
    if isinstance(mask, CheckedMask):
        return mask
    if mask.shape != (batch, length):
        raise ValueError(
            f"attention_mask has shape {tuple(mask.shape)}, expected one value per node: ({batch}, {length})"
        )

    real = mask != 0
    binary = (real == mask) if mask.dtype != torch.bool else torch.ones_like(real)
    starts = real & ~torch.nn.functional.pad(real, (1, 0))[:, :-1]
    valid = binary.all() & (starts.sum(1) <= 1).all()

    message = (
        "attention_mask must hold 1 for the real nodes of a row and 0 for the padding before or after them: "
        "it has other values, or padding between real nodes. A chain has no holes; leave missing nodes out"
    )
    if torch.compiler.is_compiling() or mask.device.type != "cpu":
        torch._assert_async(valid, message)
    elif not values_of(valid).all():
        raise ValueError(message)
    return CheckedMask(real)


def needed_mask(mask: Tensor | CheckedMask | None, batch: int, length: int) -> CheckedMask | None:
    """`check_mask`; None where there is no mask, and for a new mask by which every node is real, as `without_full`."""
    if mask is None or isinstance(mask, CheckedMask):
        return mask
    checked = check_mask(mask, batch, length)
    return None if without_full(checked.real) is None else checked


def without_full(real: Tensor) -> Tensor | None:
    """Return a bool mask, or None if every node is real, where that can be told without waiting for a device."""
    return None if is_eager_on_cpu(real) and bool(values_of(real).all()) else real


def zeroed(x: Tensor, mask: Tensor) -> Tensor:
    """`torch.where(mask, x, 0)` for use within functions that have a gradient of their own.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
    mask : bool Tensor [batch, length, 1]

    Returns
    -------
    Tensor [batch, length, width]
    """
    bits = _BITS.get(x.dtype)
    if bits is None or not is_eager_on_cpu(x):
        return torch.where(mask, x, 0)
    # Many times as fast as `torch.where`, and unlike a product right for NaN: all bits are kept, or none.
    # A tensor may be stored as its negative, which its bits do not show.
    return (x.resolve_neg().view(bits) & -mask.to(bits)).view(x.dtype)


_zero_padding = linear_function(zeroed, lambda: ())


def zero_padding(x: Tensor, mask: Tensor) -> Tensor:
    """Put zeros, whatever stands there, where nodes are padding.

    Parameters
    ----------
    x : floating point Tensor [batch, length, width]
    mask : bool Tensor [batch, length]
        True for real nodes.

    Returns
    -------
    Tensor [batch, length, width]
    """
    return _zero_padding(x, mask.unsqueeze(-1))
