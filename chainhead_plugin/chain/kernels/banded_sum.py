"""Running sums along a chain in half precision, decaying by a common γ or not, as products with triangles.

The plain forms are `running_sum` and `decaying_sum`. As in `scan.py` a pass finds the sums that enter tiles; all nodes
then follow from a product on the tensor cores, in place of a scan node by node.
"""

from typing import Any

import torch
from torch import Tensor

from .banded_nodes import banded_nodes
from .gradients.linear_gradients import real_nodes
from .launch import runs_eagerly
from .scan import tile_sums
from .tiles.bands import sum_bands


def _launch(x: Tensor, decay: float, reverse: bool, starts: Tensor | None, counts: Tensor | None) -> Tensor:
    # Sums over tiles go on over nodes beside the chains.
    x = real_nodes(x.resolve_neg().contiguous(), starts, counts)
    bands, shares = sum_bands(decay, reverse, x.dtype, x.device)
    carries, first_node = tile_sums(x, decay, reverse)
    return banded_nodes(
        x, bands, 0, 0,
        first_node=first_node, shares=None if carries is None else shares, carries=carries,
        starts=starts, counts=counts,
    )  # fmt: skip


@torch.library.custom_op("chainhead::banded_sum", mutates_args=())
def banded_sum_operator(
    x: Tensor, decay: float, reverse: bool, starts: Tensor | None = None, counts: Tensor | None = None
) -> Tensor:
    """`banded_sum`, for compilers and gradients."""
    return _launch(x, decay, reverse, starts, counts)


@banded_sum_operator.register_fake
def _(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, ctx.decay, ctx.reverse, *bounds = inputs
    ctx.save_for_backward(*bounds)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return banded_sum_operator(grad, ctx.decay, not ctx.reverse, *ctx.saved_tensors), *([None] * 4)


banded_sum_operator.register_autograd(_backward, setup_context=_save)


def banded_sum(
    x: Tensor, decay: float, reverse: bool, starts: Tensor | None = None, counts: Tensor | None = None
) -> Tensor:
    """Σ_{i≤j} γ^(j−i) x[i] of every chain, or with `reverse` the sum over i ≥ j.

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter. Nodes beside the chains are not read.
    decay : float
        γ in (0, 1].
    reverse : bool
    starts, counts : int32 Tensor [batch], optional
        Where each row's chain lies; by default all of it.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
        Zero beside the chains.
    """
    form = _launch if runs_eagerly(x) else banded_sum_operator
    return form(x, decay, reverse, starts, counts)
