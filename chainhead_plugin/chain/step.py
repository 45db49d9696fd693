"""Aᵀx node by node, for uni-directional chains: constant time and memory for each node."""

import math
from typing import NoReturn

import torch
from torch import Tensor
from torch.nn import functional as F

from .backend import is_eager_on_cpu
from .cached_tensors import built_once
from .forms.decaying_exponential import exponential_terms
from .forms.hops import FEW_LOOKED_UP, Hops
from .kinds import Chain, check_range, filter_taps

_WIDE = (torch.float32, torch.float64)


def mix_step(
    x: Tensor, chain: Chain, state: Tensor | None, decay: Tensor | None = None, shared: bool = False
) -> tuple[Tensor, Tensor]:
    """`mix` for the next node of a uni-directional chain.

    Parameters
    ----------
    x : Tensor [batch, width]
        The next node.
    chain : Chain
    state : Tensor, optional
        The state that the previous call returned; None before the first node.
    decay : Tensor [width], optional
        γ of every feature, in place of the chain's own.
    shared : bool
        Whether the new state may be the very tensor `x` or `y`, because no caller holds it: `x` of a single hop,
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
    # A sum without a factor is faster.
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
    # Autocast would round the inputs of a product.
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
    powers = decay ** torch.arange(count, device=decay.device)[:, None]
    return (powers * _factors(count, decay.dtype, decay.device)).flip(0)


@built_once(maxsize=8)
def _factors(count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """1 / k!, [count, 1]."""
    return torch.tensor([[1 / math.factorial(k)] for k in range(count)], dtype=dtype, device=device)


def move_step(
    x: Tensor, hops: Hops, state: Tensor | None, *, spread: bool = False, add: bool = False
) -> tuple[Tensor, Tensor]:
    """`move` for the next node, of hops that are all at least 0.

    Parameters
    ----------
    x : Tensor [batch, channels·width], or [batch, width] if `spread`
        The next node.
    hops : tuple of int
    state : Tensor [max(hops)·batch, features], optional
        The state that the previous call returned; None before the first node.
    spread, add : bool

    Returns
    -------
    y : Tensor [batch, channels·width], or [batch, width] if `add`
    state : Tensor
        With `add` the sums that the nodes so far give to the nodes to come, in float32 at least; otherwise the
        nodes themselves. The earliest come first, each of all chains.

    Raises
    ------
    ValueError
        If `state` has another shape.
    """
    batch, features = x.shape
    width = features if spread else features // len(hops)
    newest = max(hops)
    expected = (newest * batch, width if add else features)
    if state is None:
        dtype = torch.promote_types(x.dtype, torch.float32) if add else x.dtype
        state = x.new_zeros(expected, dtype=dtype)
    elif state.shape != expected:
        refuse_state(state, expected, batch)
    if add:
        groups = x.to(state.dtype).reshape(batch, features // width, width).expand(-1, len(hops), -1)
        coming = F.pad(state, (0, 0, 0, batch)).view(newest + 1, batch, width)
        coming = coming.index_add(0, _places(hops, x.device), groups.transpose(0, 1))
        return coming[0].to(x.dtype, copy=True), coming[1:].flatten(0, 1)
    window = torch.cat((state, x))
    return _look_up(window, hops, batch, spread), window[batch:]


def _look_up(window: Tensor, hops: Hops, batch: int, spread: bool) -> Tensor:
    """The input of every channel from the last max(hops) + 1 nodes, each of all chains: [batch, channels·width]."""
    groups = 1 if spread else len(hops)
    width = window.size(1) // groups
    if batch * len(hops) * width <= FEW_LOOKED_UP and is_eager_on_cpu(window):
        return window.take(_numbers_before(hops, groups, batch, width))
    places = _places_before(hops, groups, batch, window.device)
    return window.view(-1, width).index_select(0, places).view(batch, len(hops) * width)


@built_once(maxsize=128)
def _places(hops: Hops, device: torch.device) -> Tensor:
    return torch.tensor(hops, device=device)


@built_once(maxsize=128)
def _places_before(hops: Hops, groups: int, batch: int, device: torch.device) -> Tensor:
    """Where each channel's group stands among those of the last nodes, `groups` a node of a chain; [batch·channels]."""
    channel = torch.arange(len(hops), device=device)
    node = (max(hops) - _places(hops, device)) * batch + torch.arange(batch, device=device)[:, None]
    return (node * groups + channel % groups).flatten()


@built_once(maxsize=32)
def _numbers_before(hops: Hops, groups: int, batch: int, width: int) -> Tensor:
    """Where each number stands that channels take, on the CPU; [batch, channels·width]."""
    places = _places_before(hops, groups, batch, torch.device("cpu"))
    return (places[:, None] * width + torch.arange(width)).view(batch, len(hops) * width)


def refuse_state(state: Tensor, expected: tuple[int, int], batch: int) -> NoReturn:
    """Raise a ValueError for a state of another shape than `batch` chains have."""
    raise ValueError(
        f"state has shape {tuple(state.shape)}, expected {expected} for {batch} chains: go on with the state of the "
        "same chains, or start with state=None"
    )
