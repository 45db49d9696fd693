"""The compiled form of a whole chain's, or a stream's next nodes', way into the pools."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import add_to_groups, add_to_thresholds, compiled, compiled_in_order
from .plain_chain import KernelTables
from .plan import NUM_TAPS, FeaturePlan
from .pools import PoolState


@compiled
def _sums_of_channels(nodes: Any, channels: Any) -> NDArray[np.float32]:
    """Return float32 [kernels, length] of nodes [m, length] and channels [kernels, m], added up in float64."""
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
    """Return how much larger nodes [rows, length] are than those `dilation` before: [rows, length - dilation]."""
    length = rows.shape[1] - dilation
    changes = np.empty((rows.shape[0], length), np.float32)
    for number in range(rows.shape[0]):
        row = rows[number]
        later = row[dilation:]
        for t in range(length):
            changes[number, t] = later[t] - row[t]
    return changes


@compiled
def _pool_nodes(
    inputs: Any,
    past: Any,
    first: Any,
    bank_input: Any,
    bank_dilation: Any,
    spans: Any,
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
    """Take the next nodes of one chain into its pools.

    Parameters
    ----------
    inputs : float32 array [1 or 2, m, past + nodes]
        The scaled nodes and their differences, the past first.
    past : int
        How many of them are past: at least 8 times the largest dilation.
    first : int
        The number of the first node that is not past.
    bank_input, bank_dilation : int64 array [banks]
    spans : int64 array [banks + 1, 4]
        As in `add_to_thresholds`; the last are the levels'.
    steps : float32 array [banks, 8, 84]
    kernel_channels : int8 array [banks, 84, m]
    thresholds : float32 array [banks, thresholds, 84]
    group_steps : float32 array [banks, groups, kernels of a group, 8]
    group_channels : int8 array [banks, groups, m]
    level_channels : int8 array [levels, m]
    level_thresholds : float32 array [1, levels]
    kernel_sums, kernel_runs, largest, smallest, level_sums, level_runs : arrays
        `PoolState` of one chain, without the batch axis; changed in place.
    """
    for bank in range(bank_input.shape[0]):
        dilation = bank_dilation[bank]
        nodes = inputs[bank_input[bank], :, past - 8 * dilation :]
        if nodes.shape[0] == 1:
            rows = _changes(nodes, dilation)
            columns = rows.reshape(-1, 1)
        else:
            rows = _changes(_sums_of_channels(nodes, kernel_channels[bank]), dilation)
            columns = np.ascontiguousarray(rows.T)
            rows = _changes(_sums_of_channels(nodes, group_channels[bank]), dilation)
        span = (spans[bank, 0], spans[bank, 1], spans[bank, 2], spans[bank, 3])
        add_to_thresholds(
            columns,
            steps[bank],
            dilation,
            first,
            span,
            thresholds[bank],
            kernel_sums[bank],
            kernel_runs[bank],
        )
        add_to_groups(rows, group_steps[bank], dilation, first, span, largest[bank], smallest[bank])
    if level_channels.shape[0] > 0:
        levels = np.ascontiguousarray(_sums_of_channels(inputs[0, :, past:], level_channels).T)
        span = (spans[-1, 0], spans[-1, 1], spans[-1, 2], spans[-1, 3])
        add_to_thresholds(levels, steps[0], 0, first, span, level_thresholds, level_sums, level_runs)


class CompiledPooling:
    """`pool_chains` for one chain at a time, compiled.

    Parameters
    ----------
    plan : FeaturePlan
    tables : KernelTables
        On the CPU.
    """

    def __init__(self, plan: FeaturePlan, tables: KernelTables) -> None:
        self._plan = plan
        self._banks = (
            np.array([int(diff) for diff, _, _ in plan.banks]),
            np.array([dilation for _, dilation, _ in plan.banks]),
        )
        self._tables = [table.contiguous().numpy() for table in tables]

    def __call__(
        self,
        inputs: NDArray[np.float32],
        past: int,
        first: int,
        end: int,
        state: PoolState,
        chain: int,
    ) -> None:
        """Take the next nodes of a chain into its pools.

        Parameters
        ----------
        inputs : float32 array [1 or 2, m, past + nodes]
            C-contiguous; as of `pool_chains`, transposed.
        past, first, end : int
            As of `pool_chains`.
        state : PoolState
            On the CPU; changed in place.
        chain : int
            The number of the chain in it.
        """
        spans = []
        for _, dilation, _ in self._plan.banks:
            lag = self._plan.lag(dilation)
            spans.append((lag, end + lag, (NUM_TAPS - 1) * dilation, end))
        spans.append((0, end, 0, end))
        numbers = [getattr(state, name)[chain].numpy() for name in PoolState.__dataclass_fields__]
        _pool_nodes(inputs, past, first, *self._banks, np.array(spans), *self._tables, *numbers)
