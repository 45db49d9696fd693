"""Options of the layers of a stack: normalisation, residuals and dropout around them, and the hops of each."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

from ..checks.values import check_number, check_whole_number
from ..head.chain_options import MAX_HOPS

Normalisation = Literal["pre-batch", "post-batch", "pre-layer", "post-layer"]
Hops = Sequence[int] | Sequence[Sequence[int]]


def dilated_hops(
    layers: int, *, reach: int = 4, growth: int = 2, causal: bool = False, longest: int | None = None
) -> list[list[int]]:
    """Return `channel_hops` for a stack that looks densely near by, and further in every layer.

    Parameters
    ----------
    layers : int
        As many as `hidden_sizes` has widths.
    reach : int
        Neighbours on each side: a layer of dilation d takes in the nodes d·(−reach) … d·reach.
    growth : int
        By how much the dilation grows from layer to layer: 2 for 1, 2, 4, …; 1 for the same hops in every layer.
    causal : bool
        Whether nodes take in those before them alone, as many: d·0 … d·2·reach.
    longest : int, optional
        Nodes of the longest chain: where all hops but 0 would lead beyond it, the dilation stops growing.

    Returns
    -------
    list of list of int

    Raises
    ------
    TypeError, ValueError
        If a number is no whole number of at least 1, or the hops of a layer without `growth` lead too far.

    Examples
    --------
    >>> dilated_hops(2, reach=1)
    [[-1, 0, 1], [-2, 0, 2]]
    >>> dilated_hops(3, reach=1, causal=True)
    [[0, 1, 2], [0, 2, 4], [0, 4, 8]]
    """
    for name, value in (
        ("layers", layers),
        ("reach", reach),
        ("growth", growth),
        ("longest", 1 if longest is None else longest),
    ):
        check_whole_number(name, value, 1)
    first = range(2 * reach + 1) if causal else range(-reach, reach + 1)
    if first[-1] > MAX_HOPS:
        raise ValueError(f"reach={reach} gives hops beyond {MAX_HOPS:,}, the furthest that a head takes")
    hops, dilation = [], 1
    for _ in range(layers):
        hops.append([dilation * hop for hop in first])
        grown = dilation * growth
        if grown * first[-1] <= MAX_HOPS and grown < (longest or MAX_HOPS + 1):
            dilation = grown
    return hops


def is_by_layer(hops: Hops | None) -> bool:
    """Whether `channel_hops` holds a list for every layer, rather than a single list for all."""
    return hops is not None and any(isinstance(hop, list | tuple) for hop in hops)


def options_of_layer(hops: Hops | None, bi_directional: bool, layer: int) -> dict[str, Any]:
    """Return a layer's `channel_hops` and `bi_directional`, which says of its own hops whether any is negative."""
    if hops is None or not is_by_layer(hops):
        return {"channel_hops": hops, "bi_directional": bi_directional}
    own: Any = hops[layer]
    return {"channel_hops": own, "bi_directional": bi_directional and any(hop < 0 for hop in own)}


def check_stack_options(config: Any) -> None:
    """Check the fields of a `ChainHeadConfig` that concern the layers of a stack.

    Raises
    ------
    TypeError, ValueError
        If a field is not valid, contradicts another or has no effect; the message names it.
    """
    sizes = config.hidden_sizes
    if is_by_layer(config.channel_hops):
        _check_hops_by_layer(config.channel_hops, len(sizes), config.bi_directional)
    for name in ("with_differences", "normalisation", "identity_residual", "channel_dropout"):
        value = getattr(config, name)
        if value and not sizes:
            raise ValueError(
                f"{name}={value!r} has no effect without hidden_sizes: it stands around the layers of a stack"
            )
    check_number("channel_dropout", config.channel_dropout, least=0, below=1)
    if config.identity_residual and not any(a == b for a, b in pairwise([config.m, *sizes])):
        raise ValueError(
            f"identity_residual=True has no effect: no layer's width is that of its input, of m={config.m} and "
            f"hidden_sizes={sizes}"
        )


def _check_hops_by_layer(hops: Any, layers: int, bi_directional: bool) -> None:
    if len(hops) != layers:
        raise ValueError(
            f"channel_hops has lists for {len(hops)} layers, but hidden_sizes has {layers} widths: expected a list for "
            "each of them, or one list of numbers for all"
        )
    if bi_directional and not any(hop < 0 for own in hops for hop in own if type(hop) is int):
        raise ValueError(
            "bi_directional=True has no effect with channel_hops that are all at least 0: add negative ones, which "
            "take from nodes to come, or leave it out"
        )


def around_weights(config: Any) -> int:
    """Return the number of weights of the normalisations between layers."""
    if config.normalisation is None:
        return 0
    if config.normalisation.startswith("post"):
        return 2 * sum(config.hidden_sizes)
    return 2 * sum(config.width_before(layer) for layer in range(len(config.hidden_sizes)))
