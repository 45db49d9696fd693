"""The taps of a filter in half precision, all but exact, for matrix products of bfloat16 or float16.

Such products add up in float32, but their factors are halves. Scaled by a common factor, which the sums are scaled back
by, the taps of most filters come out within a small share of what half precision can tell; where they do not, what
rounding them leaves is a second part. What is still left, and taps too small to matter, change a result by less than a
fifth of what rounding it does.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from ..cached_tensors import found_once
from .decay import path_decay

if TYPE_CHECKING:
    from ..kinds import Chain

_SCALES = 8192
# How far decaying weights may reach: to larger distances running sums take them for less.
LONGEST_DECAY = 32


class HalfFilter(NamedTuple):
    """A filter whose taps are exact in a half precision.

    Attributes
    ----------
    taps : tuple of float
        By distance.
    rest : tuple of float
        What is to be added to them, as many or none.
    factor : float
        What sums are to be multiplied by.
    column_sum : float
        The sum of all taps, by which column-normalised chains are divided in their middle.
    """

    taps: tuple[float, ...]
    rest: tuple[float, ...]
    factor: float
    column_sum: float


@torch.compiler.assume_constant_result  # no compiler is to look into it
def half_filter(chain: "Chain", dtype: torch.dtype) -> HalfFilter | None:
    """The filter that a chain is in its middle; None where it is none, or has taps beyond float32.

    Parameters
    ----------
    chain : Chain
    dtype : {torch.bfloat16, torch.float16}
    """
    return _found(chain, dtype)


@found_once(maxsize=256)
def _found(chain: "Chain", dtype: torch.dtype) -> HalfFilter | None:
    given = [chain.self_weight, 1.0] if chain.kind == "single_hop" else chain.taps
    return _halved(given, chain.bi_directional, dtype)


@torch.compiler.assume_constant_result  # no compiler is to look into it
def decay_filter(decay: float, dtype: torch.dtype) -> HalfFilter | None:
    """The filter that the bi-directional inverse (I − γN)⁻¹ is on an endless chain: (1 + ρ²) / (1 − ρ²) ρ^|distance|.

    Parameters
    ----------
    decay : float
        γ = ρ / (1 + ρ²).
    dtype : {torch.bfloat16, torch.float16}

    Returns
    -------
    HalfFilter, or None
        None if it reaches further than `LONGEST_DECAY` nodes.
    """
    return _decay_found(decay, dtype)


@found_once(maxsize=64)
def _decay_found(decay: float, dtype: torch.dtype) -> HalfFilter | None:
    rho = path_decay(torch.tensor(decay, dtype=torch.float64))[0].item()
    if (
        rho**LONGEST_DECAY > torch.finfo(dtype).eps
    ):  # and γ so close to 1/2 that its weights would have no bound
        return None
    size = (1 + rho**2) / (1 - rho**2)
    found = _halved([size * rho**k for k in range(2 * LONGEST_DECAY)], True, dtype)
    return None if found is None or len(found.taps) > LONGEST_DECAY + 1 else found


def _halved(given: Sequence[float], bi_directional: bool, dtype: torch.dtype) -> HalfFilter | None:
    taps = torch.tensor(given, dtype=torch.float64)
    sides = torch.ones_like(taps)
    if bi_directional:
        sides[1:] = 2

    weights, precision = taps.abs() * sides, torch.finfo(dtype).eps
    if not 0 < weights.sum() < torch.finfo(torch.float32).max:
        return None
    # Rounding a result changes it by precision / 4 on average, and by precision / 2 at the most.
    beyond = weights.flip(0).cumsum(0).flip(0)
    seen = max(2, int((beyond > precision / 64 * weights.sum()).sum()))  # a filter reaches a node at least
    column_sum = (taps * sides).sum().item()
    size = 2.0 ** math.floor(math.log2(taps.abs().max().item()))
    taps, sides = taps[:seen] / size, sides[:seen]

    scales = 2 ** (torch.arange(_SCALES, dtype=torch.float64) / _SCALES)
    scaled = scales[:, None] * taps  # [scales, taps]
    rounded = scaled.to(dtype).double()
    error = ((scaled - rounded).abs() @ sides) / (scaled.abs() @ sides)
    best = int(error.argmin())
    if error[best] <= precision / 32:
        return HalfFilter(tuple(rounded[best].tolist()), (), size / scales[best].item(), column_sum)
    first = taps.to(dtype).double()
    rest = (taps - first).to(dtype).double()
    return HalfFilter(tuple(first.tolist()), tuple(rest.tolist()), size, column_sum)
