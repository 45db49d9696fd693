"""A kernel as an operator of torch, from its launch, the shape of its result and its gradient.

A call that wants nothing but the result launches the kernel; gradients, compilers, exporters, fake tensors and
transforms of functions take the operator, which torch knows by name. There are two kinds of operators, those that are
linear in nodes alone and those that map nodes first.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec

import torch
from torch import Tensor

from .launch import runs_eagerly

_Given = ParamSpec("_Given")
_Gradients = Callable[..., tuple[Tensor | None, ...]]


class KernelOperator(Generic[_Given]):
    """Launches a kernel, by itself or as an operator of torch.

    Parameters
    ----------
    name : str
        By which exported graphs call the operator.
    launch : callable
        Of the nodes [batch, length, …] first; its signature is the operator's.
    shape : callable
        Of the same, gives the shape of the result, which is contiguous and in the dtype of the nodes.
    keep : callable
        Of all inputs as a tuple, with defaults, and the result, gives what the gradient is made from.
    gradients : callable
        Of which of the first inputs need a gradient, the gradient of the result and what was kept, gives theirs.
    differentiable : int
        How many of the inputs, the first, have gradients.

    Attributes
    ----------
    operator : torch.library.CustomOpDef
    """

    def __init__(
        self,
        name: str,
        launch: Callable[_Given, Tensor],
        shape: Callable[..., Sequence[int]],
        keep: Callable[[tuple[Any, ...], Tensor], Sequence[Any]],
        gradients: _Gradients,
        differentiable: int,
    ) -> None:
        self.__doc__, self.__name__ = launch.__doc__, launch.__name__
        self.operator = torch.library.custom_op(f"chainhead::{name}", launch, mutates_args=())
        self._launch = launch
        self._differentiable = differentiable
        count = len(inspect.signature(launch).parameters)

        def save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
            kept = keep(inputs, output)
            ctx.save_for_backward(*(each if isinstance(each, Tensor) else None for each in kept))
            ctx.others = [None if isinstance(each, Tensor) else each for each in kept]

        def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
            kept = (
                other if tensor is None else tensor
                for tensor, other in zip(ctx.saved_tensors, ctx.others, strict=True)
            )
            found = gradients(ctx.needs_input_grad[:differentiable], grad, *kept)
            return *found, *([None] * (count - differentiable))

        self.operator.register_fake(lambda x, *given: x.new_empty(shape(x, *given)))
        self.operator.register_autograd(backward, setup_context=save)

    def __call__(self, *args: _Given.args, **kwargs: _Given.kwargs) -> Tensor:
        """Launch the kernel where nothing but the result is wanted."""
        first: tuple[Any, ...] = args[: self._differentiable]
        # A tensor that is given by its name might want a gradient, too.
        if len(first) == self._differentiable and runs_eagerly(*first):
            return self._launch(*args, **kwargs)
        result: Tensor = self.operator(*args, **kwargs)
        return result


def node_operator(
    name: str, transposed: Callable[..., tuple[Any, ...]]
) -> Callable[[Callable[_Given, Tensor]], KernelOperator[_Given]]:
    """Make an operator of a launch that is linear in its nodes [batch, length, width], and keeps their shape.

    Parameters
    ----------
    name : str
        By which exported graphs call it.
    transposed : callable
        Of all inputs but the nodes, gives those of the transposed function, which takes the gradient of the result to
        that of the nodes.
    """

    def decorate(launch: Callable[_Given, Tensor]) -> KernelOperator[_Given]:
        def gradients(_: Sequence[bool], grad: Tensor, *which: Any) -> tuple[Tensor]:
            return (operator(grad, *transposed(*which)),)

        operator: Any = KernelOperator(
            name,
            launch,
            shape=lambda x, *_: x.shape,
            keep=lambda inputs, _: inputs[1:],
            gradients=gradients,
            differentiable=1,
        )
        return operator

    return decorate


def map_operator(
    name: str, gradients: _Gradients
) -> Callable[[Callable[_Given, Tensor]], KernelOperator[_Given]]:
    """Make an operator of a launch that maps nodes x [batch, length, m] by a weight […, n, m] and adds a bias.

    The launch takes x, the weight, a bias or None, and more, among which `relu`: whether ReLU comes last.

    Parameters
    ----------
    name : str
        By which exported graphs call it.
    gradients : callable
        Of which of the three need a gradient, the gradient of the result, the result y [batch, length, n] behind ReLU
        or None, x, the weight and all inputs after the bias, gives the gradients of the three.
    """

    def decorate(launch: Callable[_Given, Tensor]) -> KernelOperator[_Given]:
        relu = list(inspect.signature(launch).parameters).index("relu")

        def keep(inputs: tuple[Any, ...], output: Tensor) -> Sequence[Any]:
            x, weight, _, *rest = inputs
            return output if inputs[relu] else None, x, weight, *rest

        return KernelOperator(
            name,
            launch,
            shape=lambda x, weight, *_: (*x.shape[:2], weight.size(-2)),
            keep=keep,
            gradients=gradients,
            differentiable=3,
        )

    return decorate
