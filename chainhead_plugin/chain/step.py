"""Aᵀx one node at a time, for uni-directional chains: constant time and memory a node."""

import math

import torch
from torch import Tensor

from .cached_tensors import built_once
from .chain_state import refuse_state
from .decay import exponential_terms
from .mix import Chain, check_range, filter_taps

_WIDE = (torch.float32, torch.float64)


def mix_step(
    x: Tensor, chain: Chain, state: Tensor | None, decay: Tensor | None = None, shared: bool = False
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
    shared : bool
        Whether the new state may be the very tensor `x` or `y`, because nobody else holds that: `x` of a single hop,
        `y` of a running sum.

    Returns
    -------
    y : Tensor [batch, width]
    state : Tensor [size·batch, width]
        Of one size at every step, in float32 at least: the running sum, the last node, or as many of the last
        nodes as the filter reaches, the oldest first, each of all chains.

    Raises
    ------
    ValueError
        If `state` has another shape, or the filter has weights too large for the dtype.
    """
    if x.dtype not in _WIDE:
        y, state = mix_step(x.float(), chain, state, decay, shared=True)
        return y.to(x.dtype), state
    if decay is not None and decay.dtype != x.dtype:
        decay = decay.to(x.dtype)
    if chain.kind == "inverse":
        y = _running_sum(x, state, chain.decay if decay is None else decay)
        return y, y if shared else y.clone()
    if chain.kind == "single_hop":
        return _hop(x, state, chain.self_weight), x if shared else x.clone()
    if decay is None:
        return _filter(x, state, *_step_taps(chain, x.dtype, x.device))
    return _filter(x, state, _exponential_taps(decay))


def _running_sum(x: Tensor, state: Tensor | None, decay: Tensor | float | None) -> Tensor:
    if state is None:
        return x.clone()
    _check_shape(state, x)
    if decay is None:
        return x + state
    return torch.add(x, state, alpha=decay) if isinstance(decay, float) else torch.addcmul(x, decay, state)


def _hop(x: Tensor, state: Tensor | None, self_weight: float) -> Tensor:
    # Zero times infinity is not zero.
    if state is None:
        return x * self_weight if self_weight else torch.zeros_like(x)
    _check_shape(state, x)
    # A sum without a factor is the faster one.
    if self_weight == 1:
        return state + x
    return torch.add(state, x, alpha=self_weight) if self_weight else state.clone()


def _check_shape(state: Tensor, x: Tensor) -> None:
    if state.shape != x.shape:
        refuse_state(state, (x.size(0), x.size(1)), x.size(0))


def _filter(
    x: Tensor, state: Tensor | None, weights: Tensor, row: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Weigh the last nodes by `weights` [taps, 1 or width], from the farthest to the nearest.

    `row` [1, taps] are the same weights where a product may stand for the sum: on the CPU, where no weight is zero
    and all features share them.
    """
    batch, width = x.shape
    taps = weights.size(0)
    expected = ((taps - 1) * batch, width)
    if state is None:
        state = x.new_zeros(expected)
    elif state.shape != expected:
        refuse_state(state, expected, batch)
    window = torch.cat((state, x))
    # Autocast would round what goes into a product.
    if row is None or torch.is_autocast_enabled("cpu"):
        nodes, weights = window.view(taps, batch, width), weights.unsqueeze(1)
        # Zero times infinity is not zero.
        y = (torch.where(weights != 0, nodes, 0) * weights).sum(0)
    elif batch == 1:
        y = row.mm(window)
    else:
        y = row.mm(window.view(taps, batch * width)).view(batch, width)
    return y, window[batch:]


@built_once(maxsize=128)
def _step_taps(chain: Chain, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """The taps from the farthest to the nearest as a column, and as a row where a product may stand for the sum."""
    taps = filter_taps(chain, dtype)
    check_range(chain, taps, dtype)
    row = torch.tensor([taps[::-1]], dtype=dtype, device=device)
    return row.T, row if row.is_cpu and all(taps) else None


def _exponential_taps(decay: Tensor) -> Tensor:
    """γ^k / k! from the farthest to the nearest node, [taps, width]."""
    count = exponential_terms(decay.dtype, bi_directional=False)
    factors = decay.new_tensor([1 / math.factorial(k) for k in range(count)])[:, None]
    powers = decay ** torch.arange(count, device=decay.device)[:, None]
    return (powers * factors).flip(0)
