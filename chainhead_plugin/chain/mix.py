"""Aᵀx for every kind of chain, exact and without the matrix A.

`S` is the shift along the chain (node i gives to node i + 1), `N = S` for a uni-directional chain and
`N = S + Sᵀ` for a bi-directional chain, `σ` the weight a node gives itself:

| kind        | A, uni-directional                  | A, bi-directional                        |
|-------------|-------------------------------------|------------------------------------------|
| single_hop  | N + σI                              | N + σI                                   |
| multihop    | (N + σI)^h                          | (N + σI)^h                               |
| … accumul.  | Σ_{i=1..h} (N + σI)^i               | the same, columns scaled to sum to 1     |
| inverse     | (I − N)⁻¹ = Σ_{i≥0} N^i             | Σ_{i=1..L−1} N^i, columns scaled         |
| exponential | exp(N)                              | exp(N)                                   |
| … decaying  | (I − γN)⁻¹, exp(γN)                 | the same; `decay.py`                     |
| channel_hops| S^h, an h for each channel          | or (Sᵀ)^|h| where h < 0; `hops.py`       |

A uni-directional A is a polynomial in the nilpotent S, so Aᵀ is a causal filter or a running sum. A
bi-directional one is a function of the path graph's N, whose eigenvectors are the sines of DST-I, so it is
the same filter as on an endless chain, applied to the signal reflected with the opposite sign about a zero
one step beyond either end. `reference.py` has the dense matrices these forms are tested against.
"""

import torch
from torch import Tensor

from .autograd import linear_function, without_autocast
from .backend import is_eager_on_cpu, runs_on_triton
from .cached_tensors import built_once, found_once
from .forms.decay import decay_taps, decaying_inverse, mix_decaying, rounds_once
from .forms.filter import running_sum, two_sided_filter
from .forms.halves import is_half_on_cpu, mix_widened
from .forms.path import filter_pays, hop, hop_sum, path_filter
from .forms.power_sum import endless_power_sum
from .forms.short import mix_short, takes_halves
from .forms.tiles import mix_tiles, takes_tiles
from .kinds import Chain, accumulated, check_growth, check_range, filter_taps
from .masking import zeroed

# Numbers up to which calls cost more than the work in them, so that short chains are products.
_FEW = 2**12


def mix(x: Tensor, chain: Chain, mask: Tensor | None = None, decay: Tensor | None = None) -> Tensor:
    """Let every node take in its neighbours: y = Aᵀx, of any kind but "channel_hops".

    Parameters
    ----------
    x : Tensor [batch, length, width], floating point
        Half precision is accumulated in float32.
    chain : Chain
    mask : bool Tensor [batch, length], optional
        True for real nodes, which stand together in each row. The chain of a row consists of its real nodes
        alone; the values of other nodes are not read.
    decay : Tensor [width], optional
        γ of every feature, in place of the chain's own.

    Returns
    -------
    Tensor [batch, length, width]
        In the dtype of `x`, zero where `mask` is False.

    Raises
    ------
    ValueError
        If the filter of a multihop chain has weights too large for the dtype.
    """
    dtype = accumulated(x.dtype)
    as_it_is = x.dtype == dtype or is_half_on_cpu(x)
    if mask is not None:
        mask = mask.unsqueeze(-1)
    if decay is not None:
        assert chain.kind in ("inverse", "exponential")
        gamma = (decay if decay.dtype == dtype else decay.to(dtype)).view(1, 1, -1)
        if as_it_is or rounds_once(x, chain.kind, chain.bi_directional):
            return mix_decaying(x, gamma, chain.kind, chain.bi_directional, mask)
        return mix_decaying(x.to(dtype), gamma, chain.kind, chain.bi_directional, mask).to(x.dtype)
    as_it_is = as_it_is or _rounds_once_on_triton(x, chain, mask) or takes_tiles(x, chain, mask)
    if as_it_is or takes_halves(x, chain, mask):
        return _mix(x, mask, chain, False)
    return _mix(x.to(dtype), mask, chain, False).to(x.dtype)


def _rounds_once_on_triton(x: Tensor, chain: Chain, mask: Tensor | None) -> bool:
    """Whether a single kernel does it all, so that half precision need not be widened for results in between."""
    if is_eager_on_cpu(x) or not runs_on_triton(x):  # the interpreter's casts are not a device's
        return False
    if not chain.bi_directional:
        return True
    return chain.kind in ("single_hop", "exponential") or (
        chain.kind == "multihop" and not chain.accumulative and bool(chain.taps) and filter_pays(x, mask)
    )


def _mixed(x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool) -> Tensor:
    """Aᵀx, or with `transposed` Ax."""
    if not is_half_on_cpu(x):
        return _mixed_in_its_dtype(x, mask, chain, transposed)
    if x.numel() <= _FEW:
        return _mixed_in_its_dtype(x.float(), mask, chain, transposed).to(x.dtype)

    if _rounds_once(chain, x.dtype):
        y = _operator(x if mask is None else zeroed(x, mask), mask, chain, transposed)
        return y if mask is None else zeroed(y, mask)

    def mix_wide(nodes: Tensor, real: Tensor | None) -> Tensor:
        return _mixed_in_its_dtype(nodes, real, chain, transposed, x.dtype)

    return mix_widened(mix_wide, x, mask)


def _mixed_in_its_dtype(
    x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool, rounded: torch.dtype | None = None
) -> Tensor:
    """`_mixed`, of nodes that will then be rounded to a dtype, if any."""
    if mask is None:
        short = mix_short(x, chain, transposed)
        if short is not None:
            return short
    tiled = mix_tiles(x, chain, mask, transposed)
    if tiled is not None:
        return tiled
    if mask is not None:
        x = zeroed(x, mask)
    scale = _column_scale(x, chain, mask) if chain.column_normalised else None
    if transposed and scale is not None:
        x = x * scale
    y = _operator(x, mask, chain, transposed, rounded)
    if not transposed and scale is not None:
        y.mul_(scale)
    return y if mask is None else zeroed(y, mask)


@found_once(maxsize=256)
def _rounds_once(chain: Chain, dtype: torch.dtype) -> bool:
    """Whether the forms of a chain widen half precision themselves, or do it all in a single operation of torch."""
    if chain.bi_directional:
        return False
    if chain.kind == "inverse":
        return True
    # The sum of two is made in float32, but of a factor that was rounded.
    return (
        chain.kind == "single_hop"
        and torch.tensor(chain.self_weight, dtype=dtype).item() == chain.self_weight
    )


def _transposed(chain: Chain, transposed: bool) -> tuple[Chain, bool]:
    """Return the function that mixes the gradient: the same pass in the other direction."""
    return chain, not transposed


_mix = linear_function(_mixed, _transposed)


@without_autocast
def _operator(
    x: Tensor, mask: Tensor | None, chain: Chain, transposed: bool, rounded: torch.dtype | None = None
) -> Tensor:
    """Aᵀx before column scaling, of an `x` that is zero where `mask` is False. Bi-directional A = Aᵀ."""
    dtype = accumulated(x.dtype)
    if chain.kind == "inverse" and chain.decay is not None:
        if rounded is not None and chain.bi_directional and filter_pays(x, mask):
            seen = decay_taps(chain.decay, rounded)
            if seen is not None:
                return path_filter(x, mask, seen)
        return decaying_inverse(x, mask, chain.decay, chain.bi_directional, transposed)

    if not chain.bi_directional:
        if chain.kind == "inverse":
            return running_sum(x, reverse=transposed)
        taps = filter_taps(chain, rounded or dtype)
        # A compiled graph serves any length.
        check_range(chain, taps, dtype, None if torch.compiler.is_compiling() else x.size(1))
        own = taps[:1]
        return two_sided_filter(x, own, taps) if transposed else two_sided_filter(x, taps, own)

    if chain.kind == "inverse":
        return endless_power_sum(x, mask)
    if chain.kind == "exponential" or (chain.taps and filter_pays(x, mask)):
        return path_filter(x, mask, filter_taps(chain, rounded or dtype))
    if chain.accumulative:
        return hop_sum(x, mask, chain.self_weight, chain.hops)

    if not torch.compiler.is_compiling():
        check_growth(chain, dtype, x.size(1))
    for _ in range(chain.hops if chain.kind == "multihop" else 1):
        x = hop(x, mask, chain.self_weight)
    return x


def _column_scale(x: Tensor, chain: Chain, mask: Tensor | None) -> Tensor:
    """1 / column sums of A, as [batch or 1, length, 1]; 0 where a column is empty."""
    if mask is None:
        return _column_scale_of(chain, x.size(1), x.dtype, x.device)
    return _inverse_column_sums(mask.to(x.dtype), mask, chain)


@built_once(maxsize=8)
def _column_scale_of(chain: Chain, length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return _inverse_column_sums(torch.ones(1, length, 1, dtype=dtype, device=device), None, chain)


def _inverse_column_sums(ones: Tensor, mask: Tensor | None, chain: Chain) -> Tensor:
    sums = _operator(ones, mask, chain, transposed=False)
    return torch.where(sums == 0, 0, 1 / sums)
