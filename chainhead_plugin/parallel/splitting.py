"""Whole rows of nodes, cut into the shards of processes and put together again."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import DeviceMesh

from ..checks.values import check_whole_number
from .exchange import EndsExchange, Reach, receive_ends, send_ends
from .group import SequenceGroup, sequence_group
from .shards import find_shards


def split_range(length: int, group: ProcessGroup | DeviceMesh | None = None) -> slice:
    """Which nodes of rows of `length` nodes belong to this process, to load these alone.

    Parameters
    ----------
    length : int
    group : ProcessGroup or DeviceMesh of one dimension, optional
        As of `parallelize_sequence`.

    Returns
    -------
    slice
        Shards are as long as each other, or the first of them longer by a node.
    """
    check_whole_number("length", length, 0, 2**62)
    return _range(_even(length, sequence_group(group).size), sequence_group(group))


def split_nodes(
    x: Tensor, group: ProcessGroup | DeviceMesh | None = None, lengths: Sequence[int] | None = None
) -> Tensor:
    """Return the shard of this process, of whole rows that every process has.

    Parameters
    ----------
    x : Tensor [batch, length, …]
        Nodes, labels of nodes, or an attention mask.
    group : ProcessGroup or DeviceMesh of one dimension, optional
        As of `parallelize_sequence`.
    lengths : sequence of int, optional
        How many nodes each process gets, 0 or more; the shards of `split_range` by default.

    Returns
    -------
    Tensor [batch, local length, …]
        A view. Gradients are those of the nodes of this process; those of all processes add up to the whole.

    Raises
    ------
    ValueError
        If `x` has fewer than two axes, or `lengths` do not add up to its length.
    """
    processes = sequence_group(group)
    if x.ndim < 2:
        raise ValueError(f"got shape {tuple(x.shape)}, expected [batch, length, …]")
    if lengths is None:
        return x[:, _range(_even(x.size(1), processes.size), processes)]
    for length in lengths:
        check_whole_number("a length of lengths", length, 0, 2**62)
    if len(lengths) != processes.size or sum(lengths) != x.size(1):
        raise ValueError(
            f"lengths are {list(lengths)}, expected {processes.size} whole numbers, one for each process of the group, "
            f"that add up to the {x.size(1)} nodes of a row"
        )
    return x[:, _range(lengths, processes)]


def _even(length: int, size: int) -> list[int]:
    return [length // size + (process < length % size) for process in range(size)]


def _range(lengths: Sequence[int], group: SequenceGroup) -> slice:
    begin = sum(lengths[: group.rank])
    return slice(begin, begin + lengths[group.rank])


def gather_nodes(x: Tensor, group: ProcessGroup | DeviceMesh | None = None) -> Tensor:
    """Return the whole rows, of which every process gives its shard; all call this together.

    Parameters
    ----------
    x : floating point Tensor [batch, local length, width]
    group : ProcessGroup or DeviceMesh of one dimension, optional
        As of `parallelize_sequence`.

    Returns
    -------
    Tensor [batch, length, width]
        In all processes. Its gradient is that of all processes' losses together: where each of them computes the same
        loss of the whole rows, divide that loss by their number.

    Raises
    ------
    TypeError, ValueError
        If the shards do not fit together.
    """

    def check(x: Tensor) -> None:
        if x.ndim != 3 or not x.is_floating_point():
            raise ValueError(
                f"got {x.dtype} of shape {tuple(x.shape)}, expected floating point [batch, length, width]"
            )

    processes = sequence_group(group)
    x, shards = find_shards(processes, x, None, check, x.device)
    exchange = EndsExchange(shards, Reach(shards.length, shards.length))
    begun = send_ends(x, exchange)
    before, after = receive_ends(begun, exchange)
    return torch.cat([before, begun.nodes, after], 1)
