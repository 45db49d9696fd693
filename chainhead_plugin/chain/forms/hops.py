"""Channels that take in nodes at distances of their own: y[j] = Σ_c W_c x[j − h_c], a dilated filter along the chain.

h > 0 takes from the node h before, h < 0 from the node |h| after; nodes beyond the ends of a chain count as zero.
The features of channels stand beside each other, in groups. The input may be x itself, spread to a group
a channel; a map's output for every channel, to be added up by the next map; or the channels' results,
to be added up here.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..autograd import linear_function
from ..backend import is_eager_on_cpu
from ..cached_tensors import built_once
from ..masking import zeroed

Hops = tuple[int, ...]
# Up to so many numbers, a single look-up of them all is faster than a copy for every channel.
_FEW = 2**16
# Up to so many numbers, a look-up of every number is faster than a look-up of rows.
FEW_LOOKED_UP = 2**12


def move(
    x: Tensor, hops: Hops, mask: Tensor | None = None, *, spread: bool = False, add: bool = False
) -> Tensor:
    """Move every channel's features along the chain.

    Parameters
    ----------
    x : Tensor [batch, length, channels·width], or [batch, length, width] if `spread`, floating point
    hops : tuple of int
        A hop for every channel.
    mask : bool Tensor [batch, length], optional
        True for real nodes, which stand together in each row. The values of other nodes are not read.
    spread : bool
        Whether all channels move the same features.
    add : bool
        Whether to add up the channels, in float32 at least.

    Returns
    -------
    Tensor [batch, length, channels·width], or [batch, length, width] if `add`
        In the dtype of `x`, zero where `mask` is False.
    """
    return _move(x, None if mask is None else mask.unsqueeze(-1), hops, not spread, not add)


def _moved(x: Tensor, mask: Tensor | None, hops: Hops, from_groups: bool, to_groups: bool) -> Tensor:
    """Σ_c of groups moved by h_c.

    `from_groups` and `to_groups` say whether the features of `x` and of the result are the channels' own or
    common to all.
    """
    if mask is not None:
        x = zeroed(x, mask)
    y = _form_for(x, hops, from_groups)(x, hops, from_groups, to_groups)
    return y if mask is None else zeroed(y, mask)


def _moved_back(hops: Hops, from_groups: bool, to_groups: bool) -> tuple[Hops, bool, bool]:
    """Return the hops of the gradient: added channels are then spread, and spread channels added up."""
    return tuple(-hop for hop in hops), to_groups, from_groups


_move = linear_function(_moved, _moved_back)


def _form_for(x: Tensor, hops: Hops, from_groups: bool) -> Callable[[Tensor, Hops, bool, bool], Tensor]:
    if torch.compiler.is_compiling():
        return _traced_sum
    moved = x.numel() * (1 if from_groups else len(hops))
    return _short_sum if is_eager_on_cpu(x) and 0 < moved <= _FEW else _sum


def _short_sum(x: Tensor, hops: Hops, from_groups: bool, to_groups: bool) -> Tensor:
    """The same by a single look-up: for few nodes, the calls cost more than the work in them."""
    batch, length, features = x.shape
    groups = len(hops) if from_groups else 1
    width = features // groups
    if batch == 1 and length * len(hops) * width <= FEW_LOOKED_UP:
        padded = torch.cat((x, _zeros(features, x.dtype)), 1)
        moved = padded.take(_source_numbers(hops, length, groups, width))
    else:
        # [batch, nodes·groups, width], with a node of zeros at the end; then [batch, length·channels, width]
        rows = F.pad(x, (0, 0, 0, 1)).view(batch, (length + 1) * groups, width)
        moved = rows.index_select(1, _sources(hops, length, groups, x.device))
        moved = moved.view(batch, length, len(hops) * width)
    if to_groups:
        return moved
    dtype = torch.promote_types(x.dtype, torch.float32)
    return moved.view(batch, length, len(hops), width).sum(2, dtype=dtype).to(x.dtype)


@built_once(maxsize=128)
def _zeros(features: int, dtype: torch.dtype) -> Tensor:
    return torch.zeros(1, 1, features, dtype=dtype)


@built_once(maxsize=128)
def _source_numbers(hops: Hops, length: int, groups: int, width: int) -> Tensor:
    """The places of the numbers that channels take, of a chain on the CPU; [1, length, channels·width]."""
    sources = _sources(hops, length, groups, torch.device("cpu"))
    return (sources[:, None] * width + torch.arange(width)).view(1, length, len(hops) * width)


@built_once(maxsize=256)
def _sources(hops: Hops, length: int, groups: int, device: torch.device) -> Tensor:
    """Which group every channel takes, of `groups` a node; beyond the ends of the chain the zeros after the last."""
    origin = torch.arange(length, device=device)[:, None] - torch.tensor(hops, device=device)
    origin = origin.where((origin >= 0) & (origin < length), length)
    return (origin * groups + torch.arange(len(hops), device=device) % groups).flatten()


def _sum(x: Tensor, hops: Hops, from_groups: bool, to_groups: bool) -> Tensor:
    length = x.size(1)
    width = x.size(2) // len(hops) if from_groups else x.size(2)
    groups = [slice(channel * width, (channel + 1) * width) for channel in range(len(hops))]
    sources = [x[:, :, group] for group in groups] if from_groups else [x] * len(hops)
    if to_groups:
        y = x.new_empty(x.size(0), length, len(hops) * width)
        for group, source, hop in zip(groups, sources, hops, strict=True):
            _move_into(y[:, :, group], source, max(-length, min(hop, length)))
        return y
    # Sums are made in float32 at least.
    y = torch.zeros_like(sources[0], dtype=torch.promote_types(x.dtype, torch.float32))
    for source, hop in zip(sources, hops, strict=True):
        if abs(hop) < length:
            y[:, max(0, hop) : length - max(0, -hop)] += source[:, max(0, -hop) : length - max(0, hop)]
    return y.to(x.dtype)


def _move_into(target: Tensor, source: Tensor, hop: int) -> None:
    """Copy nodes `hop` further, zeros where none come from; at most by the whole length."""
    if hop >= 0:
        target[:, :hop] = 0
        target[:, hop:] = source[:, : source.size(1) - hop]
    else:
        target[:, hop:] = 0
        target[:, :hop] = source[:, -hop:]


def _traced_sum(x: Tensor, hops: Hops, from_groups: bool, to_groups: bool) -> Tensor:
    """The same for a compiler to fuse: no operation depends on whether the chain is longer than a hop."""
    length = x.size(1)
    wide = x if to_groups else x.to(torch.promote_types(x.dtype, torch.float32))
    groups = wide.chunk(len(hops), -1) if from_groups else [wide] * len(hops)
    moved = [
        F.pad(group, (0, 0, hop, 0))[:, :length] if hop >= 0 else F.pad(group, (0, 0, 0, -hop))[:, -hop:]
        for group, hop in zip(groups, hops, strict=True)
    ]
    return torch.cat(moved, -1) if to_groups else sum(moved[1:], start=moved[0].clone()).to(x.dtype)
