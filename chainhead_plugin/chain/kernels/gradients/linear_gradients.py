"""The gradients of a linear map whose products are mixed along chains, from plain parts."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..filter import filter_chain


def real_nodes(x: Tensor, starts: Tensor | None, counts: Tensor | None) -> Tensor:
    """Nodes [batch, length, width] with zeros beside the chains that begin at `starts` with `counts` nodes."""
    return x if starts is None else filter_chain(x, [1.0], 0, False, starts, counts)


def through_relu(grad: Tensor, y: Tensor) -> Tensor:
    """The gradient of what went into ReLU, from that of its output `y`, in one pass."""
    gated: Tensor = torch.ops.aten.threshold_backward(grad, y, 0)
    return gated


def linear_gradients(
    needed: Sequence[bool],
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    y: Tensor | None,
    transposed: Callable[[Tensor], Tensor],
    starts: Tensor | None,
    counts: Tensor | None,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of x, the weight and the bias in y = act(mix(x Wᵀ) + b).

    Parameters
    ----------
    needed : sequence of three bool
        Which of them are wanted.
    grad : Tensor [batch, length, n]
        That of y.
    x : Tensor [batch, length, m]
        Zero beside the chains.
    weight : Tensor [n, m]
    y : Tensor [batch, length, n], optional
        If act is ReLU.
    transposed : callable
        Takes the gradient of mixed nodes to that of the products.
    starts, counts : int32 Tensor [batch], optional

    Returns
    -------
    tuple of Tensor or None
    """
    grad_x = grad_weight = grad_bias = None
    if y is not None:
        grad = through_relu(grad, y)
    if needed[0] or needed[1]:
        grad_products = transposed(grad)
        if needed[0]:
            grad_x = grad_products @ weight
        if needed[1]:
            grad_weight = grad_products.flatten(0, 1).T @ x.flatten(0, 1)
    if needed[2]:
        # Behind ReLU outputs beside the chains, which are zero, let nothing through.
        grad_bias = (real_nodes(grad, starts, counts) if y is None else grad).sum((0, 1))
    return grad_x, grad_weight, grad_bias
