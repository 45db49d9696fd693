"""exp(γN) with a γ for every feature: its Taylor series by Horner's rule, or a filter for every feature.

For a common γ, `mix.py` has faster filters. `x`, `mask` and `decay` are those of `decay.py`.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..autograd import without_autocast
from ..backend import is_eager_on_cpu
from ..cached_tensors import built_once
from .halves import HALVES
from .path import odd_reflection
from .scan import scans_halves


def decaying_exponential(
    x: Tensor, mask: Tensor | None, decay: Tensor, bi_directional: bool, transposed: bool
) -> Tensor:
    """Aᵀx with A = exp(γN), or Ax if `transposed`; γ is at most 1."""
    if is_eager_on_cpu(x) and x.dtype == torch.float32 and decay.size(0) == 1 and x.numel() > 0:
        return _filter_by_feature(x, mask, decay, bi_directional, transposed)
    if x.dtype in HALVES:
        return _half_exponential(x, mask, decay, bi_directional, transposed)
    y = x
    for k in reversed(range(1, exponential_terms(x.dtype, bi_directional))):
        y = torch.addcmul(x, neighbours(y, mask, bi_directional, transposed), decay / k)
    return y


def _half_exponential(
    x: Tensor, mask: Tensor | None, decay: Tensor, bi_directional: bool, transposed: bool
) -> Tensor:
    """The same of nodes in half precision on a device: a kernel's filter for every feature, which rounds once."""
    from ..kernels.feature_filter import filter_features
    from ..kernels.filter import chain_bounds
    from ..kernels.launching.launch import runs_eagerly

    if decay.size(0) > 1 or not (scans_halves(x) and runs_eagerly(x)):
        return decaying_exponential(x.float(), mask, decay, bi_directional, transposed).to(x.dtype)
    taps = _feature_taps(decay, exponential_terms(x.dtype, bi_directional), torch.float32, bi_directional)
    reach = len(taps) - 1
    if bi_directional:
        taps = torch.cat([taps[1:].flip(0), taps])
    elif transposed:
        taps = taps.flip(0)
    ahead = reach if bi_directional or transposed else 0
    return filter_features(x, taps, ahead, bi_directional, *chain_bounds(mask))


def _feature_taps(decay: Tensor, terms: int, dtype: torch.dtype, bi_directional: bool) -> Tensor:
    """How exp(γN) of an endless chain weighs nodes k steps away, [terms, width], of a γ for every feature."""
    seen = exponential_terms(dtype, bi_directional)
    coefficients = _tap_coefficients(seen, bi_directional, decay.device)[:terms]
    exponents = torch.arange(coefficients.size(1), dtype=torch.float64, device=decay.device)
    powers = decay.double().squeeze(0) ** exponents[:, None]
    return (coefficients @ powers).to(dtype)


def exponential_terms(dtype: torch.dtype, bi_directional: bool) -> int:
    """How many terms ‖N‖^k / k! of the series `dtype` can see, for any γ up to 1."""
    norm, terms, term = 2 if bi_directional else 1, 1, 1.0
    while term > torch.finfo(dtype).eps / 8:
        term *= norm / terms
        terms += 1
    return terms


@without_autocast
def _filter_by_feature(
    x: Tensor, mask: Tensor | None, decay: Tensor, bi_directional: bool, transposed: bool
) -> Tensor:
    """exp(γN) as a convolution of each feature, which oneDNN has in float32 for nodes that are laid out as here."""
    terms = exponential_terms(x.dtype, bi_directional)
    taps, reach = _feature_taps(decay, terms, x.dtype, bi_directional), terms - 1
    if bi_directional:
        x = odd_reflection(x, mask, reach)
        taps = torch.cat([taps[1:].flip(0), taps])
    elif transposed:
        x = F.pad(x, (0, 0, 0, reach))
    else:
        x = F.pad(x, (0, 0, reach, 0))
        taps = taps.flip(0)
    images = x.transpose(1, 2).unsqueeze(2)
    return F.conv2d(images, taps.T[:, None, None].contiguous(), groups=x.size(2)).squeeze(2).transpose(1, 2)


@built_once(maxsize=8)
def _tap_coefficients(terms: int, bi_directional: bool, device: torch.device) -> Tensor:
    """How exp(γN) of an endless chain weighs nodes k steps away: Σ_p c[k, p] γ^p, the series of γ^k/k! or I_k(2γ)."""
    coefficients = torch.zeros(terms, terms, dtype=torch.float64)
    for k in range(terms):
        for j in range((terms - 1 - k) // 2 + 1 if bi_directional else 1):
            coefficients[k, k + 2 * j] = 1 / (math.factorial(j) * math.factorial(j + k))
    return coefficients.to(device)


def neighbours(x: Tensor, mask: Tensor | None, bi_directional: bool, transposed: bool) -> Tensor:
    """Nᵀx, or Nx if `transposed`, differentiably."""
    # Padded before it is cut: a shorter slice would be another length for a graph to ask about.
    padded = F.pad(x, (0, 0, 1, 1))
    before, after = padded[:, : x.size(1)], padded[:, 2:]
    if bi_directional:
        y = before + after
    else:
        y = after if transposed else before
    return y if mask is None else torch.where(mask, y, 0)
