"""The compiled form of `pool_chains`, for the nodes of one chain."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lanes import LANES
from .pools import add_to_groups, add_to_thresholds, compiled, compiled_in_callers, compiled_in_order


@compiled
def _sums_of_channels(nodes: Any, channels: Any) -> NDArray[np.float32]:
    """Return the sums of each kernel's channels: float32 [kernels, length], added up in float64.

    Nodes are [m, length], channels [kernels, m].
    """
    sums = np.empty((channels.shape[0], nodes.shape[1]), np.float32)
    row = np.empty(nodes.shape[1], np.float64)
    for kernel in range(channels.shape[0]):
        row[:] = 0
        for channel in range(channels.shape[1]):
            sign = np.float64(channels[kernel, channel])
            if sign != 0:
                source = nodes[channel]
                for t in range(nodes.shape[1]):
                    row[t] += sign * source[t]
        for t in range(nodes.shape[1]):
            sums[kernel, t] = np.float32(row[t])
    return sums


@compiled_in_order
def _changes(rows: Any, dilation: Any) -> NDArray[np.float32]:
    """Return the differences between nodes [rows, length] and those `dilation` before.

    They are [rows, length - dilation + LANES]. The last columns hold zeros.
    """
    length = rows.shape[1] - dilation
    changes = np.zeros((rows.shape[0], length + LANES), np.float32)
    for number in range(rows.shape[0]):
        row = rows[number]
        later = row[dilation:]
        for t in range(length):
            changes[number, t] = later[t] - row[t]
    return changes


@compiled_in_callers
def pool_nodes(
    inputs: Any,
    past: Any,
    first: Any,
    end: Any,
    banks: Any,
    steps: Any,
    kernel_channels: Any,
    thresholds: Any,
    group_steps: Any,
    group_channels: Any,
    level_channels: Any,
    level_thresholds: Any,
    kernel_sums: Any,
    kernel_runs: Any,
    largest: Any,
    smallest: Any,
    level_sums: Any,
    level_runs: Any,
) -> None:
    """Add the next nodes of one chain to its pools.

    Parameters
    ----------
    inputs : float32 array [1 or 2, m, past + nodes]
        The scaled nodes, and if kernels read them the differences between successive nodes; past nodes first.
    past : int
        The number of past nodes: at least 8 times the largest dilation.
    first : int
        The index in the chain of the first node that is not past.
    end : int
        The number of nodes of the chain. For a chain that still goes on, a number that it never reaches.
    banks : int64 array [banks + 1, 3]
        For each bank the index of its input, its dilation, and the number of later nodes that an output waits for.
        The last row, of zeros, stands for the levels. (Numbers from an array all have the same type, so that every
        function is compiled only once.)
    steps : float32 array [banks, 8, width]
        This and the next six arrays are described in `KernelTables`. The width is 84, rounded up to a multiple of
        `LANES`. In the same way levels are rounded up to their width. What is added may hold anything.
    kernel_channels : int8 array [banks, width, m]
    thresholds : float32 array [banks, thresholds, width]
    group_steps : float32 array [banks, groups, kernels of a group, 8]
    group_channels : int8 array [banks, groups, m]
    level_channels : int8 array [width of levels, m]
    level_thresholds : float32 array [1, width of levels]
    kernel_sums, kernel_runs, largest, smallest, level_sums, level_runs : arrays
        The fields of `PoolState` for one chain, without the batch axis; changed in place.
    """
    last = banks.shape[0] - 1
    count = inputs.shape[2] - past
    for bank in range(last + 1):
        dilation, lag = banks[bank, 1], banks[bank, 2]
        nodes = np.ascontiguousarray(inputs[banks[bank, 0], :, past - 8 * dilation :])
        # Kernels and levels share one call: everything that a function calls is compiled anew at each place of a call.
        if bank == last:
            if level_sums.shape[2] == 0:
                break
            columns = np.ascontiguousarray(_sums_of_channels(nodes, level_channels).T)
            weights, limits, sums, runs = steps[0], level_thresholds, level_sums, level_runs
            span = (lag, end + lag, lag, end)
        else:
            span = (lag, end + lag, 8 * dilation, end)
            weights, limits, sums, runs = steps[bank], thresholds[bank], kernel_sums[bank], kernel_runs[bank]
            if nodes.shape[0] == 1:
                rows = _changes(nodes, dilation)
                columns = rows.reshape(-1, 1)
            else:
                columns = np.ascontiguousarray(
                    _changes(_sums_of_channels(nodes, kernel_channels[bank]), dilation).T
                )
                rows = _changes(_sums_of_channels(nodes, group_channels[bank]), dilation)
            add_to_groups(
                rows, count, group_steps[bank], dilation, first, span, largest[bank], smallest[bank]
            )
        add_to_thresholds(columns, count, weights, dilation, first, span, limits, sums, runs)


__all__ = ["pool_nodes"]
