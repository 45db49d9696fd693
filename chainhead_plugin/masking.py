"""Attention masks: which nodes of a padded batch are real."""

import torch
from torch import Tensor


def check_mask(mask: Tensor, batch: int, length: int) -> Tensor:
    """Return an attention mask as booleans, having checked that it says where each chain lies.

    On an accelerator, or while being compiled, the values are checked by an assertion on the device, so that
    the check neither waits for the device nor breaks the graph.

    Parameters
    ----------
    mask : Tensor [batch, length] of bool, int or float
        1 for real nodes, 0 for padding, before or after them. A row of zeros is an empty chain.
    batch, length : int
        The shape that the mask must have.

    Returns
    -------
    bool Tensor [batch, length]

    Raises
    ------
    ValueError
        If the shape differs, a value is neither 0 nor 1, or a row has padding between real nodes
        (on an accelerator or compiled: RuntimeError).
    """
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
    elif not valid:
        raise ValueError(message)
    return real
