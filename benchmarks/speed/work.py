"""The work of a contestant: its output, the output with all gradients, or its next node."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from chainhead_plugin import ChainInterdependenceHead

Work = Literal["forward", "forward+backward", "step"]


def _forward_backward(module: nn.Module, inputs: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(module(inputs[0]), inputs, gradient)


def calls_of(module: nn.Module, x: Tensor, features: int, work: Work) -> Callable[[], object]:
    """Return a call that does the work; autograd is to be on around it for gradients, off otherwise.

    Parameters
    ----------
    module : nn.Module
        Put into evaluation mode for `forward` and `step`, into training mode for `forward+backward`.
    x : Tensor [batch, length, m]
        `step` takes the first node.
    features : int
        Of a node of the output.
    work : {"forward", "forward+backward", "step"}
        With `forward+backward`, gradients of the input and of all weights for a random gradient of the output.
    """
    module.train(work == "forward+backward")
    if work == "forward":
        return partial(module, x)
    if work == "step":
        if not isinstance(module, ChainInterdependenceHead):
            return partial(module, x[:, 0])
        with torch.no_grad():
            _, state = module.step(x[:, 0])
        return partial(module.step, x[:, 0], state)
    x = x.detach().requires_grad_()
    gradient = torch.randn(*x.shape[:2], features, dtype=x.dtype, device=x.device)
    return partial(_forward_backward, module, (x, *module.parameters()), gradient)
