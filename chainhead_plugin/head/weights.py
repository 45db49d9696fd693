"""A module's weights, also while a wrapper has put plain tensors in the place of its parameters.

`nn.DataParallel` gives tensors to every replica, FSDP has views into one flat parameter: while they compute,
`parameters()` of a module is empty.
"""

import torch
from torch import Tensor, nn


def weights_of(module: nn.Module) -> list[Tensor]:
    """Return the parameters of a module, or the tensors that it has instead of them."""
    parameters: list[Tensor] = list(module.parameters())
    if parameters:
        return parameters
    return [value for part in module.modules() for value in vars(part).values() if isinstance(value, Tensor)]


def weights_dtype(module: nn.Module) -> torch.dtype:
    """Return the dtype of a module's first weights of floating point, or torch's default where it has none."""
    floats = (weight.dtype for weight in weights_of(module) if weight.is_floating_point())
    return next(floats, torch.get_default_dtype())


def is_frozen(module: nn.Module) -> bool:
    """Whether no weight of a module asks for a gradient."""
    weights = weights_of(module)
    return bool(weights) and not any(weight.requires_grad for weight in weights)
