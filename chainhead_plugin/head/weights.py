"""A module's weights, also while a wrapper has put plain tensors in the place of its parameters.

`nn.DataParallel` gives tensors to every replica, FSDP has views into one flat parameter: while they compute,
`parameters()` of a module is empty, or tells of another dtype than that of the computation.
"""

import torch
from torch import Tensor, nn


def weights_dtype(module: nn.Module) -> torch.dtype:
    """Return the dtype that a module's first weights of floating point compute in; without any torch's default."""
    for part in module.modules():
        # A part that FSDP shards shows its weights as they are kept; its policy says what they become.
        policy = None if torch.compiler.is_compiling() else vars(part).get("mixed_precision")
        dtype: torch.dtype | None = getattr(policy, "param_dtype", None)
        if dtype is not None:
            return dtype
        for weight in _own_weights(part):
            if weight.is_floating_point():
                return weight.dtype
    return torch.get_default_dtype()


def is_frozen(module: nn.Module) -> bool:
    """Whether a module has weights, none of which asks for a gradient."""
    weights = [weight for part in module.modules() for weight in _own_weights(part)]
    return bool(weights) and not any(weight.requires_grad for weight in weights)


def _own_weights(part: nn.Module) -> list[Tensor]:
    parameters: list[Tensor] = [value for value in part._parameters.values() if value is not None]
    if parameters or torch.compiler.is_compiling():
        return parameters
    return [value for value in vars(part).values() if isinstance(value, Tensor)]
