"""Filters and hops: a node takes in a fixed number of nodes before and after it.

What they do to a shard as a chain of its own is right but for the nodes next to the shard's ends, whose results are
computed again with the nodes beyond those ends, when these have arrived.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ..chain.forms.decaying_exponential import exponential_terms
from ..chain.forms.hops import Hops, move
from ..chain.kinds import Chain, accumulated, check_growth, check_range, filter_taps
from ..chain.mix import mix
from .exchange import EndsExchange, Reach, receive_ends, send_ends
from .shards import Shards

# Of a chain's nodes and their mask.
Mixing = Callable[[Tensor, Tensor | None], Tensor]


def reach_of(chain: Chain, dtype: torch.dtype, learned: bool) -> Reach | None:
    """How far a node's neighbours reach; None where all nodes before it, or all nodes, take part.

    `learned` says that every feature has a γ of its own.
    """
    if chain.kind == "inverse":
        return None
    if chain.kind == "channel_hops":
        return reach_of_hops(chain.channel_hops)
    if chain.kind == "exponential":
        dtype = accumulated(dtype)
        # Taps grow with γ, which a learned one may change.
        terms = exponential_terms(dtype, chain.bi_directional) if learned else len(filter_taps(chain, dtype))
        steps = terms - 1
    else:
        steps = chain.hops if chain.kind == "multihop" else 1
    return Reach(steps, steps if chain.bi_directional else 0)


def reach_of_hops(hops: Hops) -> Reach:
    """How far channels reach that have hops of their own."""
    return Reach(max(0, *hops, 0), max(0, -min(hops)))


def mix_within_reach(x: Tensor, chain: Chain, reach: Reach, shards: Shards, decay: Tensor | None) -> Tensor:
    """`mix` of the nodes of this process, as part of whole rows.

    Raises
    ------
    ValueError
        If weights are too large for the dtype, in rows of this length.
    """
    dtype = accumulated(x.dtype)
    if chain.taps:
        check_range(chain, filter_taps(chain, dtype), dtype, shards.length)
    elif not chain.accumulative:
        check_growth(chain, dtype, shards.length)
    # The gradient of a learned γ needs the result as it is, which then must not be written to.
    return _with_ends(
        x, lambda nodes, mask: mix(nodes, chain, mask, decay), reach, shards, in_place=decay is None
    )


def move_within_reach(x: Tensor, hops: Hops, shards: Shards, spread: bool, add: bool) -> Tensor:
    """`move` of the nodes of this process, as part of whole rows."""
    return _with_ends(
        x,
        lambda nodes, mask: move(nodes, hops, mask, spread=spread, add=add),
        reach_of_hops(hops),
        shards,
        in_place=True,
    )


def _with_ends(x: Tensor, mixing: Mixing, reach: Reach, shards: Shards, in_place: bool) -> Tensor:
    exchange = EndsExchange(shards, reach)
    begin, end, edge = shards.begin, shards.end, reach.before + reach.after

    if end - begin <= 2 * edge or not in_place:
        nodes, *_ = begun = send_ends(x, exchange)
        before, after = receive_ends(begun, exchange)
        window = torch.cat([before, nodes, after], 1)
        y = mixing(window, shards.mask(exchange.start, exchange.stop))
        return y[:, before.size(1) : before.size(1) + nodes.size(1)]

    begun = send_ends(x, exchange, edge)
    y = mixing(begun.nodes, shards.mask(begin, end))
    before, after = receive_ends(begun, exchange)

    first, last = y[:, :0], y[:, :0]
    if reach.before:
        first = mixing(torch.cat([before, begun.first], 1), shards.mask(exchange.start, begin + edge))
        first = first[:, before.size(1) : before.size(1) + reach.before]
    if reach.after:
        last = mixing(torch.cat([begun.last, after], 1), shards.mask(end - edge, exchange.stop))
        last = last[:, reach.before : edge]
    # Autograd lets nobody write to the views that its functions return; they do so for few nodes.
    y = y.clone() if y._is_view() else y
    mended: Tensor = _Mended.apply(y, first, last)
    return mended


class _Mended(Function):
    """Nodes of which the first and the last are replaced, in place."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, first: Tensor, last: Tensor) -> Tensor:
        ctx.replaced = first.size(1), last.size(1)
        y[:, : first.size(1)] = first
        y[:, y.size(1) - last.size(1) :] = last
        ctx.mark_dirty(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gradient = grads[0].clone(memory_format=torch.contiguous_format)
        before, after = ctx.replaced
        first, last = gradient[:, :before].clone(), gradient[:, gradient.size(1) - after :].clone()
        gradient[:, :before] = 0
        gradient[:, gradient.size(1) - after :] = 0
        return gradient, first, last
