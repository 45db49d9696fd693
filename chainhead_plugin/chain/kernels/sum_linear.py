"""A linear map and the running sum behind it, decaying or not, as a single Triton kernel after a pass over its input.

The plain form is `nn.functional.linear`, then `running_sum` or `decaying_sum`. The pass finds the sums of nodes that
enter tiles. There are as many fewer of them as a tile has nodes, and they are mapped like nodes, in float32. The
backward pass sums the gradient on the tensor cores too, and is made of PyTorch's products otherwise.
"""

from collections.abc import Sequence

from torch import Tensor

from ..autograd import without_autocast
from .banded_sum import banded_sum
from .gradients.linear_gradients import linear_gradients
from .launching.operators import map_operator
from .mixed_products import mixed_products
from .scan import tile_sums
from .tiles.bands import sum_bands


def _gradients(
    needed: Sequence[bool],
    grad: Tensor,
    y: Tensor | None,
    x: Tensor,
    weight: Tensor,
    decay: float,
    reverse: bool,
    _: bool,
    *bounds: Tensor | None,
) -> tuple[Tensor | None, ...]:
    def transposed(grad: Tensor) -> Tensor:
        return banded_sum(grad, decay, not reverse, *bounds)

    return linear_gradients(needed, grad, x, weight, y, transposed, *bounds)


@map_operator("sum_linear", _gradients)
@without_autocast
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
    x, weight = x.resolve_neg().contiguous(), weight.resolve_neg()
    bands, shares = sum_bands(decay, reverse, x.dtype, x.device)
    entering, first_node = tile_sums(x, decay, reverse)
    carries = None if entering is None else (entering @ weight.float().T).contiguous()
    return mixed_products(
        x, weight, bias, bands, 0, 0,
        first_node=first_node, relu=relu, shares=None if carries is None else shares, carries=carries,
        starts=starts, counts=counts,
    )  # fmt: skip
