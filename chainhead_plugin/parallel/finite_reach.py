"""Filters and hops: a node takes in a fixed number of nodes before and after it.

What they do to a shard as a chain of its own is right but for the nodes next to the shard's ends, whose results are
computed again with the nodes beyond those ends, when these have arrived.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..chain.forms.decay import exponential_terms
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
    x, begun = send_ends(x, exchange)
    begin, end, edge = shards.begin, shards.end, reach.before + reach.after

    if end - begin <= 2 * edge or not in_place:
        before, after = receive_ends(begun, exchange)
        window = torch.cat([before, x, after], 1)
        y = mixing(window, shards.mask(exchange.start, exchange.stop))
        return y[:, before.size(1) : before.size(1) + x.size(1)]

    y = mixing(x, shards.mask(begin, end))
    if y._is_view():  # of few nodes; autograd lets nobody write to the views of its functions
        y = y.clone()
    before, after = receive_ends(begun, exchange)

    first = torch.cat([before, x[:, :edge]], 1)
    first = mixing(first, shards.mask(exchange.start, begin + edge))
    y[:, : reach.before] = first[:, before.size(1) : before.size(1) + reach.before]

    last = torch.cat([x[:, x.size(1) - edge :], after], 1)
    last = mixing(last, shards.mask(end - edge, exchange.stop))
    y[:, y.size(1) - reach.after :] = last[:, reach.before : edge]
    return y
