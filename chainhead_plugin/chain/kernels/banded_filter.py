"""A filter along a chain in half precision as products with its band: `filter_chain` for many taps.

The plain forms are in `filter.py` and `path.py`. The kernel of `filter_chain` reads a node for each of the taps; here
the tensor cores take a tile of nodes, with the reach of the filter on both sides, for all of them.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .banded_nodes import banded_nodes
from .filter import filter_chain
from .launching.operators import node_operator
from .tiles.bands import filter_bands

# So many taps at least, reading a node for each of them takes longer than a copy.
FEWEST_TAPS = 5


def _transposed(
    taps: Sequence[float],
    rest: Sequence[float],
    factor: float,
    back: int,
    ahead: int,
    reflected: bool,
    scales: Tensor | None,
    scaled_after: bool,
    *bounds: Tensor | None,
) -> tuple[Any, ...]:
    return taps, rest, factor, ahead, back, reflected, scales, not scaled_after, *bounds


@node_operator("banded_filter", _transposed)
def banded_filter(
    x: Tensor,
    taps: Sequence[float],
    rest: Sequence[float],
    factor: float,
    back: int,
    ahead: int,
    reflected: bool,
    scales: Tensor | None = None,
    scaled_after: bool = False,
    starts: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """f · filter(s ∘ x) of every chain, or f · s ∘ filter(x).

    Parameters
    ----------
    x : bfloat16 or float16 Tensor [batch, length, width]
        On a CUDA device, or anywhere in Triton's interpreter. Nodes beside the chains are not read.
    taps, rest, factor, back, ahead, reflected, starts, counts
        As for `filter_linear`.
    scales : float32 Tensor [batch or 1, length], optional
        s, which has no gradient here.
    scaled_after : bool
        Whether nodes are multiplied by s after they are mixed, or before.

    Returns
    -------
    Tensor [batch, length, width], in the dtype of `x`
        Zero beside the chains.
    """
    if back + ahead + 1 < FEWEST_TAPS and scales is None:
        whole = [tap + more for tap, more in zip(taps, rest, strict=True)] if rest else taps
        both = [*reversed(whole[1 : ahead + 1]), *whole[: back + 1]]
        return filter_chain(x, [tap * factor for tap in both], ahead, reflected, starts, counts)
    bands = filter_bands(tuple(taps), tuple(rest), back, ahead, x.dtype, x.device)
    return banded_nodes(
        x, bands, back, ahead,
        factor=factor, reflected=reflected, scales=scales, scaled_after=scaled_after, starts=starts, counts=counts,
    )  # fmt: skip
