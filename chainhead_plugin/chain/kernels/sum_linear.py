"""A linear map and the running sum behind it, decaying or not, as a single Triton kernel after a pass over its input.

The plain form is `nn.functional.linear`, then `running_sum` or `decaying_sum`. The pass finds the sums of nodes that
enter tiles. There are as many fewer of them as a tile has nodes, and they are mapped like nodes, in float32. The
backward pass sums the gradient on the tensor cores too, and is made of PyTorch's products otherwise.
"""

from typing import Any

import torch
from torch import Tensor

from ..autograd import without_autocast
from .banded_sum import banded_sum
from .gradients.linear_gradients import linear_gradients
from .launch import runs_eagerly
from .mixed_products import mixed_products
from .scan import tile_sums
from .tiles.bands import sum_bands


@without_autocast
def _sum(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    decay: float,
    reverse: bool,
    relu: bool,
    starts: Tensor | None,
    counts: Tensor | None,
) -> Tensor:
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg()
    bands, shares = sum_bands(decay, reverse, x.dtype, x.device)
    entering, first_node = tile_sums(x, decay, reverse)
    carries = None if entering is None else (entering @ weight.float().T).contiguous()
    return mixed_products(
        x, weight, bias, bands, 0, 0,
        first_node=first_node, relu=relu, shares=None if carries is None else shares, carries=carries,
        starts=starts, counts=counts,
    )  # fmt: skip


@torch.library.custom_op("chainhead::sum_linear", mutates_args=())
def sum_linear_operator(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    decay: float,
    reverse: bool,
    relu: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """`sum_linear`, for compilers and gradients."""
    return _sum(x, weight, bias, decay, reverse, relu, starts, counts)


@sum_linear_operator.register_fake
def _(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(0))


def _save_sum(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, ctx.decay, ctx.reverse, relu, starts, counts = inputs
    ctx.save_for_backward(x, weight, output if relu else None, starts, counts)


def _sum_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, y, starts, counts = ctx.saved_tensors

    def transposed(grad: Tensor) -> Tensor:
        return banded_sum(grad, ctx.decay, not ctx.reverse, starts, counts)

    needed = ctx.needs_input_grad[:3]
    return *linear_gradients(needed, grad, x, weight, y, transposed, starts, counts), *([None] * 5)


sum_linear_operator.register_autograd(_sum_backward, setup_context=_save_sum)


def sum_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    decay: float,
    reverse: bool,
    relu: bool,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """act(Σ_{i≤j} γ^(j−i) x[i] Wᵀ + b), or with `reverse` the sum over i ≥ j.

    Parameters
    ----------
    x, weight, bias, relu, starts, counts
        As for `filter_linear`.
    decay : float
        γ in (0, 1].
    reverse : bool

    Returns
    -------
    Tensor [batch, length, n], in the dtype of `x`
        Zero beside the chains.
    """
    form = _sum if runs_eagerly(x, weight, bias) else sum_linear_operator
    return form(x, weight, bias, decay, reverse, relu, starts, counts)
