"""Linear maps of features, called as modules where hooks want to know, and as functions elsewhere."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_module

from ...chain.backend import is_eager_on_cpu

LinearMap = Callable[[Tensor], Tensor]


Maps = tuple[LinearMap, ...]


# Weights, and products of numbers, up to which calls cost more than the work in them.
_FEW_WEIGHTS, _FEWEST_PRODUCTS, _FEW_PRODUCTS = 2**15, 2**12, 2**18


# The attributes that `nn.Module.__call__` looks at; only newer versions of torch have a function for that.
_BACKWARD_PRE, _BACKWARD, _FORWARD_PRE, _FORWARD = (
    getattr(torch_module, f"_global_{when}_hooks")
    for when in ("backward_pre", "backward", "forward_pre", "forward")
)


def has_hooks(module: nn.Module) -> bool:
    """Whether hooks, or a `forward` of its own, make a call of the module more than that of its class."""
    own = module.__dict__  # a module's attributes are slow to ask for, above all those that are not there
    return bool(
        own["_forward_hooks"]
        or own["_forward_pre_hooks"]
        or own["_backward_hooks"]
        or own["_backward_pre_hooks"]
        # accelerate puts these on modules that it places or offloads.
        or "forward" in own
        or "_hf_hook" in own
        or _FORWARD
        or _FORWARD_PRE
        or _BACKWARD
        or _BACKWARD_PRE
    )


def is_plain(linear: LinearMap) -> bool:
    """Whether weights may be read directly: adapted, quantised, hooked or offloaded modules must be called."""
    if type(linear) is not nn.Linear or has_hooks(linear):
        return False
    weight = linear._parameters.get("weight")
    if weight is None:  # a replica or a shard, which has a tensor in its place
        return False
    weight_type = type(weight)
    # A tensor subclass, such as a quantised weight, names the tensors that it holds by `__tensor_flatten__`.
    return weight_type is nn.Parameter or not hasattr(weight_type, "__tensor_flatten__")


def apply_maps(maps: Maps, x: Tensor, apart: bool = False) -> Tensor:
    """Call maps in turn; of a plain `nn.Linear` its function alone: for a single node the module's call takes as long.

    `apart` says that `x` or the result is to be kept as it is. A module may return, change or keep its input,
    so that it gets and gives copies.
    """
    traced = torch.compiler.is_compiling()
    linear: Any
    for linear in maps:
        if not traced and is_plain(linear):
            x = linear_of_few(x, linear._parameters["weight"], linear._parameters["bias"])
        elif apart and isinstance(linear, nn.Module):
            x = linear(x.clone()).clone()
        else:
            x = linear(x)
    return x


def linear_of_few(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`F.linear`; in bfloat16 on the CPU of few numbers in float32, rounded once, whose calls cost half as much."""
    if x.dtype != torch.bfloat16 or weight.dtype != x.dtype or not is_eager_on_cpu(x):
        return F.linear(x, weight, bias)
    size = weight.numel()
    # Of still fewer, torch makes bfloat16 products itself, without oneDNN.
    if size > _FEW_WEIGHTS or not _FEWEST_PRODUCTS < x.numel() * weight.size(0) <= _FEW_PRODUCTS:
        return F.linear(x, weight, bias)
    return F.linear(x.float(), weight.float(), None if bias is None else bias.float()).to(x.dtype)
