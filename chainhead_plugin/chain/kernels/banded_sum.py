"""Running sums along a chain in half precision, decaying by a common γ or not, as products with triangles.

The plain forms are `running_sum` and `decaying_sum`. As in `scan.py` a pass finds the sums that enter tiles; all nodes
then follow from a product on the tensor cores, in place of a scan node by node.
"""

from typing import Any

from torch import Tensor

from .banded_nodes import banded_nodes
from .gradients.linear_gradients import real_nodes
from .launching.operators import node_operator
from .scan import tile_sums
from .tiles.bands import sum_bands


def _transposed(decay: float, reverse: bool, *bounds: Tensor | None) -> tuple[Any, ...]:
    return decay, not reverse, *bounds


@node_operator("banded_sum", _transposed)
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
    # Sums over tiles go on over nodes beside the chains.
    x = real_nodes(x.resolve_neg().contiguous(), starts, counts)
    bands, shares = sum_bands(decay, reverse, x.dtype, x.device)
    carries, first_node = tile_sums(x, decay, reverse)
    return banded_nodes(
        x, bands, 0, 0,
        first_node=first_node, shares=None if carries is None else shares, carries=carries,
        starts=starts, counts=counts,
    )  # fmt: skip
