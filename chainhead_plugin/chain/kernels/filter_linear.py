"""A linear map and the filter behind it as a single Triton kernel: every input and output moves once.

The plain form is `nn.functional.linear`, then `mix`. The backward pass mixes
the gradient on the tensor cores too, and is made of PyTorch's products otherwise.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .banded_filter import banded_filter
from .gradients.linear_gradients import linear_gradients
from .launch import runs_eagerly
from .mixed_products import mixed_products
from .tiles.bands import filter_bands


def _filter(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    taps: Sequence[float],
    rest: Sequence[float],
    factor: float,
    back: int,
    ahead: int,
    reflected: bool,
    relu: bool,
    scales: Tensor | None,
    starts: Tensor | None,
    counts: Tensor | None,
) -> Tensor:
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg()
    bands = filter_bands(tuple(taps), tuple(rest), back, ahead, x.dtype, x.device)
    return mixed_products(
        x, weight, bias, bands, back, ahead,
        factor=factor, reflected=reflected, relu=relu, scales=scales, starts=starts, counts=counts,
    )  # fmt: skip


@torch.library.custom_op("chainhead::filter_linear", mutates_args=())
def filter_linear_operator(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    taps: Sequence[float],
    rest: Sequence[float],
    factor: float,
    back: int,
    ahead: int,
    reflected: bool,
    relu: bool,
    scales: Tensor | None = None,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """`filter_linear`, for compilers and gradients."""
    return _filter(
        x, weight, bias, taps, rest, factor, back, ahead, reflected, relu, scales, starts, counts
    )  # fmt: skip


@filter_linear_operator.register_fake
def _(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(0))


def _save_filter(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, *ctx.which, relu, scales, starts, counts = inputs
    ctx.save_for_backward(x, weight, output if relu else None, scales, starts, counts)


def _filter_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, y, scales, starts, counts = ctx.saved_tensors
    taps, rest, factor, back, ahead, reflected = ctx.which

    def transposed(grad: Tensor) -> Tensor:
        # Nodes that were taken from after are before, for the gradient.
        return banded_filter(grad, taps, rest, factor, ahead, back, reflected, scales, False, starts, counts)

    needed = ctx.needs_input_grad[:3]
    return *linear_gradients(needed, grad, x, weight, y, transposed, starts, counts), *([None] * 10)


filter_linear_operator.register_autograd(_filter_backward, setup_context=_save_filter)


def filter_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    taps: Sequence[float],
    rest: Sequence[float],
    factor: float,
    back: int,
    ahead: int,
    reflected: bool,
    relu: bool,
    scales: Tensor | None = None,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """act(s · f · filter(x Wᵀ) + b) of every chain.

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, m]
        On a CUDA device, or anywhere in Triton's interpreter. Zero beside the chains.
    weight : Tensor [n, m], in the dtype of `x`
    bias : Tensor [n], optional
    taps, rest, factor
        See `HalfFilter`; fewer taps than half a tile has nodes.
    back, ahead : int
        How many nodes before and after a node it takes from: as far as the taps reach, or 0.
    reflected : bool
        Whether chains go on beyond their ends with the opposite sign, as `path.py` says, or as zeros.
    relu : bool
        Whether act is ReLU, or nothing.
    scales : float32 Tensor [batch or 1, length], optional
        s, which has no gradient here.
    starts, counts : int32 Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, n], in the dtype of `x`
        Zero beside the chains.
    """
    form = _filter if runs_eagerly(x, weight, bias) else filter_linear_operator
    return form(x, weight, bias, taps, rest, factor, back, ahead, reflected, relu, scales, starts, counts)
