"""How a Triton kernel is launched: on its tensors' device, and where possible without torch's operator around it."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def runs_eagerly(x: Tensor) -> bool:
    """Whether nothing but the result is wanted: no graph, no gradient, no transform of functions.

    An operator serves these too, at several times the cost of the launch.
    """
    return (
        type(x) in (Tensor, nn.Parameter)
        and not (x.requires_grad and torch.is_grad_enabled())
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
    )


def on_device_of(x: Tensor) -> AbstractContextManager[object]:
    """Make `x`'s the current device, where Triton launches."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()
