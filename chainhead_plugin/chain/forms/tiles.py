"""Filters and running sums in half precision on a device, as products of tiles of nodes with a band.

For the backend "fused"; behind a linear map, the map is part of the kernel (`filter_linear`, `sum_linear`).
"""

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ..backend import backend, runs_on_triton
from ..cached_tensors import built_once
from .half_taps import decay_filter, half_filter
from .halves import HALVES
from .path import filter_pays, path_filter

if TYPE_CHECKING:
    from ..kinds import Chain

# Beyond, half of a tile would be nodes that its neighbours take too.
_LONGEST_REACH = 32


class TileFilter(NamedTuple):
    """A filter that a tile reaches far enough for.

    Attributes
    ----------
    taps, rest : tuple of float
    factor : float
        As of `HalfFilter`.
    back, ahead : int
        How many nodes before and after a node it takes from.
    reflected : bool
        Whether chains go on beyond their ends with the opposite sign, or as zeros.
    scales : float32 Tensor [1, length], optional
        What mixed nodes are multiplied by.
    """

    taps: tuple[float, ...]
    rest: tuple[float, ...]
    factor: float
    back: int
    ahead: int
    reflected: bool
    scales: Tensor | None


def is_sum(chain: "Chain") -> bool:
    """Whether a chain is a running sum, which decays by a common γ or not."""
    return chain.kind == "inverse" and not chain.bi_directional


def tile_filter(chain: "Chain", x: Tensor, mask: Tensor | None, dtype: torch.dtype) -> TileFilter | None:
    """The filter that a chain is; None if it is none, or reaches too far.

    Parameters
    ----------
    chain : Chain
    x : Tensor [batch, length, …]
    mask : bool Tensor [batch, length, …], optional
    dtype : {torch.bfloat16, torch.float16}
        That of the taps.
    """
    # Of few nodes, sums over several hops' reflections would cancel.
    if chain.kind == "multihop" and chain.bi_directional and not filter_pays(x, mask):
        return None
    if chain.kind != "inverse":
        found = half_filter(chain, dtype)
    elif chain.bi_directional and chain.decay is not None:
        found = decay_filter(chain.decay, dtype)
    else:
        return None
    if found is None or len(found.taps) - 1 > _LONGEST_REACH:
        return None
    reach = len(found.taps) - 1
    scales = _column_scales(chain, x.size(1), x.device) if chain.column_normalised else None
    ahead = reach if chain.bi_directional else 0
    return TileFilter(found.taps, found.rest, found.factor, reach, ahead, chain.bi_directional, scales)


@built_once(maxsize=8)
def _column_scales(chain: "Chain", length: int, device: torch.device) -> Tensor:
    """1 / column sums of a filter, float32 [1, length]; 0 where a column is empty."""
    sums = path_filter(torch.ones(1, length, 1, device=device), None, chain.taps).squeeze(-1)
    return torch.where(sums == 0, 0, 1 / sums)


def takes_tiles(x: Tensor, chain: "Chain", mask: Tensor | None) -> bool:
    """Whether `mix_tiles` mixes nodes [batch, length, width]."""
    if backend() != "fused" or x.dtype not in HALVES or not runs_on_triton(x):
        return False
    return is_sum(chain) or _banded(chain, x, mask) is not None


def _banded(chain: "Chain", x: Tensor, mask: Tensor | None) -> TileFilter | None:
    from ..kernels.banded_filter import FEWEST_TAPS

    found = tile_filter(chain, x, mask, x.dtype)
    return None if found is None or found.back + found.ahead + 1 < FEWEST_TAPS else found


def mix_tiles(x: Tensor, chain: "Chain", mask: Tensor | None, transposed: bool) -> Tensor | None:
    """Aᵀx, or Ax if `transposed`; None where another form is to be taken.

    Parameters
    ----------
    x : Tensor [batch, length, width]
    chain : Chain
    mask : bool Tensor [batch, length, 1], optional
    transposed : bool

    Returns
    -------
    Tensor [batch, length, width], or None
        Zero where `mask` is False.
    """
    if not takes_tiles(x, chain, mask):
        return None
    from ..kernels.banded_filter import banded_filter
    from ..kernels.banded_sum import banded_sum
    from ..kernels.filter import chain_bounds

    bounds = chain_bounds(mask)
    if is_sum(chain):
        return banded_sum(x, 1.0 if chain.decay is None else chain.decay, transposed, *bounds)
    found = _banded(chain, x, mask)
    assert found is not None
    back, ahead = (found.ahead, found.back) if transposed else (found.back, found.ahead)
    return banded_filter(
        x,
        found.taps,
        found.rest,
        found.factor,
        back,
        ahead,
        found.reflected,
        found.scales,
        not transposed,
        *bounds,
    )
