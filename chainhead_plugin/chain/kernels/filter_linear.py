"""A linear map and the filter behind it as a single Triton kernel: every input and output moves once.

The plain form is `nn.functional.linear`, then `mix`. The backward pass mixes
the gradient on the tensor cores too, and is made of PyTorch's products otherwise.
"""

from collections.abc import Sequence

from torch import Tensor

from .banded_filter import banded_filter
from .gradients.linear_gradients import linear_gradients
from .launching.operators import map_operator
from .mixed_products import mixed_products
from .tiles.bands import filter_bands


def _gradients(
    needed: Sequence[bool],
    grad: Tensor,
    y: Tensor | None,
    x: Tensor,
    weight: Tensor,
    taps: Sequence[float],
    rest: Sequence[float],
    factor: float,
    back: int,
    ahead: int,
    reflected: bool,
    _: bool,
    scales: Tensor | None,
    *bounds: Tensor | None,
) -> tuple[Tensor | None, ...]:
    def transposed(grad: Tensor) -> Tensor:
        # Nodes that were taken from after are before, for the gradient.
        return banded_filter(grad, taps, rest, factor, ahead, back, reflected, scales, False, *bounds)

    return linear_gradients(needed, grad, x, weight, y, transposed, *bounds)


@map_operator("filter_linear", _gradients)
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
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg()
    bands = filter_bands(tuple(taps), tuple(rest), back, ahead, x.dtype, x.device)
    return mixed_products(
        x, weight, bias, bands, back, ahead,
        factor=factor, reflected=reflected, relu=relu, scales=scales, starts=starts, counts=counts,
    )  # fmt: skip
