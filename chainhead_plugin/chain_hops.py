"""Channels that take in nodes at distances of their own: y[j] = Σ_c W_c x[j − h_c], a dilated filter along the chain.

h > 0 takes from the node h before, h < 0 from the one |h| after; nodes beyond the ends of a chain count as zero.
The features of channels stand beside each other, in groups. What is moved may be x itself, spread to a group
a channel; what a map has made of it for every channel, to be added up by the next map; or the channels' results,
to be added up here.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .function_transforms import dispatching, fold_mapped_axis

Hops = tuple[int, ...]


def move(
    x: Tensor, hops: Hops, mask: Tensor | None = None, *, spread: bool = False, add: bool = False
) -> Tensor:
    """Move every channel's features along the chain.

    Parameters
    ----------
    x : Tensor [batch, length, channels·width], or [batch, length, width] if `spread`, floating point
    hops : tuple of int
        One a channel.
    mask : bool Tensor [batch, length], optional
        True for real nodes, which stand together in each row. The values of the others are not read.
    spread : bool
        Whether all channels move the same features.
    add : bool
        Whether to add up the channels, in float32 at least.

    Returns
    -------
    Tensor [batch, length, channels·width], or [batch, length, width] if `add`
        In the dtype of `x`, zero where `mask` is False.
    """
    return _apply(x, None if mask is None else mask.unsqueeze(-1), hops, not spread, not add)


def move_step(
    x: Tensor, hops: Hops, state: Tensor | None, *, spread: bool = False, add: bool = False
) -> tuple[Tensor, Tensor]:
    """`move` for one node at a time, of hops that are all at least 0.

    Parameters
    ----------
    x : Tensor [batch, channels·width], or [batch, width] if `spread`
        The next node.
    hops : tuple of int
    state : Tensor [batch, max(hops), width or channels·width], optional
        What the previous call returned; None before the first node.
    spread, add : bool

    Returns
    -------
    y : Tensor [batch, channels·width], or [batch, width] if `add`
    state : Tensor
        What the nodes so far give to the nodes to come.

    Raises
    ------
    ValueError
        If `state` has another shape.
    """
    width = x.size(1) if spread else x.size(1) // len(hops)
    expected = (x.size(0), max(hops), width if add else width * len(hops))
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    if state is None:
        state = wide.new_zeros(expected)
    elif state.shape != expected:
        raise ValueError(f"state has shape {tuple(state.shape)}, expected {expected}: start with state=None")
    coming = F.pad(state, (0, 0, 0, 1))
    for channel, hop in enumerate(hops):
        group = slice(channel * width, (channel + 1) * width)
        coming[:, hop, slice(None) if add else group] += wide if spread else wide[:, group]
    return coming[:, 0].to(x.dtype, copy=True), coming[:, 1:]


class _Move(torch.autograd.Function):
    """Σ_c of groups moved by h_c, whose gradient moves back: what was added up is then spread, and the reverse.

    `from_groups` and `to_groups` say whether the features of `x` and of the result are the channels' own or
    common to all.
    """

    @staticmethod
    def forward(x: Tensor, mask: Tensor | None, hops: Hops, from_groups: bool, to_groups: bool) -> Tensor:
        if mask is not None:
            x = torch.where(mask, x, 0)
        y = (_traced_sum if torch.compiler.is_compiling() else _sum)(x, hops, from_groups, to_groups)
        return y if mask is None else torch.where(mask, y, 0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, mask, *ctx.moves = inputs
        ctx.save_for_backward(mask)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        (mask,) = ctx.saved_tensors
        hops, from_groups, to_groups = ctx.moves
        back = tuple(-hop for hop in hops)
        return _apply(grads[0], mask, back, to_groups, from_groups), None, None, None, None


class _TransformableMove(_Move):
    """`_Move` for `torch.func` as well. The compiler takes no functions with rules of their own for that."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _Move.setup_context(ctx, inputs, output)
        ctx.save_for_forward(inputs[1])

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        (mask,) = ctx.saved_tensors
        return _apply(tangent, mask, *ctx.moves)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], x: Tensor, mask: Tensor | None, *moves: Any
    ) -> tuple[Tensor, int]:
        """Fold the mapped axis into the batch."""
        batch = x.size(1 if in_dims[0] == 0 else 0)
        folded = [
            fold_mapped_axis(tensor, dim, info.batch_size, batch)
            for tensor, dim in zip((x, mask), in_dims, strict=False)
        ]
        y = _apply(*folded, *moves)
        return y.view(info.batch_size, batch, *y.shape[1:]), 0


_apply = dispatching(_Move, _TransformableMove)


def _sum(x: Tensor, hops: Hops, from_groups: bool, to_groups: bool) -> Tensor:
    batch, length, features = x.shape
    width = features // len(hops) if from_groups else features
    # A channel alone in its place is copied there; what is added up is so in float32 at least.
    dtype = x.dtype if to_groups else torch.promote_types(x.dtype, torch.float32)
    y = x.new_zeros(batch, length, len(hops) * width if to_groups else width, dtype=dtype)
    for channel, hop in enumerate(hops):
        if abs(hop) >= length:
            continue
        group = slice(channel * width, (channel + 1) * width)
        source = x[:, max(0, -hop) : length - max(0, hop), group if from_groups else slice(None)]
        target = y[:, max(0, hop) : length - max(0, -hop), group if to_groups else slice(None)]
        if to_groups:
            target.copy_(source)
        else:
            target.add_(source)
    return y.to(x.dtype)


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
