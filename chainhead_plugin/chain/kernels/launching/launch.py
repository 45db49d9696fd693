"""How a Triton kernel is launched: on its tensors' device, and where possible without torch's operator around it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from ...backend import backend
from .compiled import can_launch, launch_compiled


def runs_eagerly(*tensors: Tensor | None) -> bool:
    """Whether nothing but the result is wanted: no graph, no gradient, no transform of functions, no look at operators.

    An operator serves these too, at several times the cost of the launch.

    Parameters
    ----------
    *tensors : Tensor, optional
        Those that may have a gradient; None counts for nothing.
    """
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return False
    # A mode that records operators would take the result for memory that nobody writes to.
    if _get_current_dispatch_mode() is not None:
        return False
    with_gradient = torch.is_grad_enabled()
    for tensor in tensors:
        if tensor is None:
            continue
        if type(tensor) not in _PLAIN or (with_gradient and tensor.requires_grad):
            return False
    return True


_PLAIN = (Tensor, nn.Parameter)


def launch(kernel: Any, programs: int, y: Tensor, *arguments: Any, **constants: Any) -> None:
    """Launch a kernel on the device of one of its tensors.

    Only the backend "fused" passes over Triton's search for a kernel: that has not run on a device yet, as the kernels
    of this backend.

    Parameters
    ----------
    kernel : triton.JITFunction
    programs : int
        At least one.
    y : Tensor
        On the device that it is to run on.
    *arguments : Tensor, TensorDescriptor, int, float or None
        All that the kernel takes before its constants.
    **constants : Any
        What it is compiled for, and into how many warps and stages.
    """
    if y.is_cuda and y.get_device() != torch.cuda.current_device():
        with torch.cuda.device(y.device):
            launch(kernel, programs, y, *arguments, **constants)
    elif backend() == "fused" and can_launch(kernel):
        launch_compiled(kernel, programs, arguments, constants)
    else:
        kernel[(programs,)](*arguments, **constants)
