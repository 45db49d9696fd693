"""What the autograd functions share: which variant of each is called, and how they take part in `torch.func`."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.autograd import Function, forward_ad


def dispatching(traced: type[Function], transformable: type[Function]) -> Callable[..., Tensor]:
    """Return a caller of an autograd function that takes the variant which fits.

    Parameters
    ----------
    traced : type
        With `setup_context` and no rules for `torch.func`, which is what the compiler takes.
    transformable : type
        The same with such rules, for `torch.func` and forward-mode differentiation.
    """

    class Eager(Function):
        """The same without a `setup_context` of its own, for which torch inspects signatures at every call."""

        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Tensor:
            output: Tensor = traced.forward(*inputs)
            traced.setup_context(ctx, inputs, output)
            return output

        backward = staticmethod(traced.backward)

    def apply(*inputs: Any) -> Tensor:
        output: Tensor
        if torch.compiler.is_compiling():
            output = traced.apply(*inputs)
        elif torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
            output = transformable.apply(*inputs)
        elif torch.is_grad_enabled():
            output = Eager.apply(*inputs)
        else:
            output = traced.forward(*inputs)
        return output

    return apply


def fold_mapped_axis(tensor: Tensor | None, dim: int | None, count: int, batch: int) -> Tensor | None:
    """Make the axis that `vmap` maps part of the batch.

    Parameters
    ----------
    tensor : Tensor [batch or 1, …, …] with an axis of `count` more at `dim`, or None
    dim : int, optional
        None where this tensor is not mapped.
    count, batch : int

    Returns
    -------
    Tensor [count·batch, …, …], or None
    """
    if tensor is None:
        return None
    tensor = tensor.unsqueeze(0) if dim is None else tensor.movedim(dim, 0)
    return tensor.expand(count, batch, -1, -1).flatten(0, 1)


_Rest = ParamSpec("_Rest")


_Result = TypeVar("_Result")


_Function = Callable[Concatenate[Tensor, _Rest], _Result]


def without_autocast(function: _Function[_Rest, _Result]) -> _Function[_Rest, _Result]:
    """Let a function of a Tensor, and of more, compute in that Tensor's dtype.

    Autocast would round what goes into the matrix products and convolutions that mixing is made of, although
    they stand for sums of few terms that are wanted in float32.
    """

    @functools.wraps(function)
    def wrapped(x: Tensor, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Result:
        device = "cpu" if x.is_cpu else x.device.type  # which is slow to ask for
        if not ((device == "cpu" or _has_autocast(device)) and torch.is_autocast_enabled(device)):
            return function(x, *args, **kwargs)
        with torch.autocast(device, enabled=False):
            return function(x, *args, **kwargs)

    return wrapped


@torch.compiler.assume_constant_result  # which torch.compile of torch 2.7 cannot look into
def _has_autocast(device: str) -> bool:
    return torch.amp.is_autocast_available(device)
