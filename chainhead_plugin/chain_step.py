"""Aᵀx one node at a time, for uni-directional chains: constant time and memory a node."""

import math

import torch
from torch import Tensor

from .chain import Chain, accumulated, check_range, filter_taps
from .chain_decay import exponential_terms
from .constants import built_once


def mix_step(
    x: Tensor, chain: Chain, state: Tensor | None, decay: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`mix` for one node at a time, of a uni-directional chain.

    Parameters
    ----------
    x : Tensor [batch, width]
        The next node.
    chain : Chain
    state : Tensor, optional
        What the previous call returned; None before the first node.
    decay : Tensor [width], optional
        γ of every feature, in place of the chain's own.

    Returns
    -------
    y : Tensor [batch, width]
    state : Tensor [batch, width] or [batch, size, width]
        Of one size at every step, in float32 at least: the running sum, the last node, or as many of the last
        nodes as the filter reaches.

    Raises
    ------
    ValueError
        If `state` has another shape, or the filter has weights too large for the dtype.
    """
    dtype = accumulated(x.dtype)
    node = x if x.dtype == dtype else x.to(dtype)
    if chain.kind == "inverse":
        gamma = chain.decay if decay is None else decay.to(dtype)
        y, state = _running_sum(node, state, gamma)
    elif chain.kind == "single_hop":
        y, state = _hop(node, state, chain.self_weight)
    elif decay is None:
        y, state = _filter(node, state, *_step_taps(chain, dtype, x.device))
    else:
        y, state = _filter(node, state, _exponential_taps(decay.to(dtype)), with_gaps=False)
    return (y if x.dtype == dtype else y.to(x.dtype)), state


def _running_sum(x: Tensor, state: Tensor | None, decay: Tensor | float | None) -> tuple[Tensor, Tensor]:
    if state is None:
        return x.clone(), x.clone()
    _check_state(state, x.shape)
    if decay is None:
        total = x + state
    elif isinstance(decay, float):
        total = torch.add(x, state, alpha=decay)
    else:
        total = torch.addcmul(x, decay, state)
    return total, total.clone()


def _hop(x: Tensor, state: Tensor | None, self_weight: float) -> tuple[Tensor, Tensor]:
    if state is None:
        return x * self_weight if self_weight else torch.zeros_like(x), x.clone()
    _check_state(state, x.shape)
    # Zero times infinity is not zero.
    y = torch.add(state, x, alpha=self_weight) if self_weight else state.clone()
    return y, x.clone()


def _filter(x: Tensor, state: Tensor | None, weights: Tensor, with_gaps: bool) -> tuple[Tensor, Tensor]:
    """Weigh the last nodes by `weights` [taps, 1 or width], from the farthest to the nearest."""
    size = len(weights) - 1
    expected = (x.size(0), size, x.size(1))
    if state is None:
        state = x.new_zeros(expected)
    else:
        _check_state(state, expected)
    window = torch.cat([state, x.unsqueeze(1)], dim=1)
    seen = torch.where(weights != 0, window, 0) if with_gaps else window
    return (seen * weights).sum(1), window[:, 1:]


def _check_state(state: Tensor, expected: tuple[int, ...]) -> None:
    if state.shape != expected:
        raise ValueError(
            f"state has shape {tuple(state.shape)}, expected {tuple(expected)}: start with state=None"
        )


@built_once(maxsize=128)
def _step_taps(chain: Chain, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, bool]:
    """The taps from the farthest to the nearest, [taps, 1], and whether one is zero."""
    taps = filter_taps(chain, dtype)
    check_range(chain, taps, dtype)
    return torch.tensor(taps[::-1], dtype=dtype, device=device)[:, None], not all(taps)


def _exponential_taps(decay: Tensor) -> Tensor:
    """γ^k / k! from the farthest to the nearest node, [taps, width]."""
    count = exponential_terms(decay.dtype, bi_directional=False)
    factors = decay.new_tensor([1 / math.factorial(k) for k in range(count)])[:, None]
    powers = decay ** torch.arange(count, device=decay.device)[:, None]
    return (powers * factors).flip(0)
