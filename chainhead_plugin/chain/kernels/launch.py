"""How a Triton kernel is launched: on its tensors' device, and where possible without torch's operator around it."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def runs_eagerly(*tensors: Tensor | None) -> bool:
    """Whether nothing but the result is wanted: no graph, no gradient, no transform of functions.

    An operator serves these too, at several times the cost of the launch.

    Parameters
    ----------
    *tensors : Tensor, optional
        Those that may have a gradient; None counts for nothing.
    """
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return False
    with_gradient = torch.is_grad_enabled()
    return all(
        type(tensor) in (Tensor, nn.Parameter) and not (with_gradient and tensor.requires_grad)
        for tensor in tensors
        if tensor is not None
    )


def on_device_of(x: Tensor) -> AbstractContextManager[object]:
    """Make `x`'s the current device, where Triton launches."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()
