"""The base of the autograd functions: which variant of each is called, and how they take part in `torch.func`."""

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
        With `setup_context` and without rules for `torch.func`: the compiler takes no other form.
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


def linear_function(
    compute: Callable[..., Tensor], transposed: Callable[..., tuple[Any, ...]]
) -> Callable[..., Tensor]:
    """Return an autograd function that is linear in its first input, for the compiler and `torch.func` as well.

    Nothing but the mask is kept for the backward pass, and `compute` may write in place to its own tensors.

    Parameters
    ----------
    compute : callable
        Of `x` [batch, length, width], a mask [batch, length, 1] or None, and whatever says which function it is.
    transposed : callable
        Of the latter, gives the same of the transposed function: that function takes the output's gradient to that
        of `x`.
    """

    # Of three inputs whatever `which` holds: the compiler counts them, and understands no variable number.
    class Linear(Function):
        @staticmethod
        def forward(x: Tensor, mask: Tensor | None, which: tuple[Any, ...]) -> Tensor:
            return compute(x, mask, *which)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
            _, mask, ctx.which = inputs
            ctx.save_for_backward(mask)

        @staticmethod
        def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
            (mask,) = ctx.saved_tensors
            return apply(grads[0], mask, transposed(*ctx.which)), None, None

    class TransformableLinear(Linear):
        """With rules of its own for `torch.func`, with which the compiler takes no function."""

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
            Linear.setup_context(ctx, inputs, output)
            ctx.save_for_forward(inputs[1])

        @staticmethod
        def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
            (mask,) = ctx.saved_tensors
            return apply(tangent, mask, ctx.which)

        @staticmethod
        def vmap(
            info: Any, in_dims: tuple[Any, ...], x: Tensor, mask: Tensor | None, which: tuple[Any, ...]
        ) -> tuple[Tensor, int]:
            """Fold the mapped axis into the batch."""
            batch = x.size(1 if in_dims[0] == 0 else 0)
            folded = [
                fold_mapped_axis(tensor, dim, info.batch_size, batch)
                for tensor, dim in zip((x, mask), in_dims, strict=False)
            ]
            y = apply(*folded, which)
            return y.view(info.batch_size, batch, *y.shape[1:]), 0

    apply = dispatching(Linear, TransformableLinear)

    def linear(x: Tensor, mask: Tensor | None, *which: Any) -> Tensor:
        return apply(x, mask, which)

    return linear


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

    Autocast would round the inputs of the matrix products and convolutions that mixing is made of, although
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
