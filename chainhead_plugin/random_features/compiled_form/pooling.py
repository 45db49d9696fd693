"""The compiled computation of features from nodes: of whole chains in several threads, or of a stream's next nodes."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..plain_chain import KernelTables
from ..plan import FeaturePlan
from ..pools import PoolState
from ..workers import in_threads
from .chain import pool_nodes
from .lanes import LANES
from .pools import compiled, compiled_in_order

# With fewer outputs than this for each thread, a thread costs more time than it saves. A thread computes this many
# pieces, one after the other.
_LEAST_OUTPUTS = 2**14
_PIECES = 4


@compiled_in_order
def _fill_inputs(inputs: Any, nodes: Any, past: Any, length: Any, first: Any) -> None:
    """Write a chain's next nodes [nodes, m], and their differences, into `inputs` after the past nodes.

    `inputs` is [1 or 2, m, past + nodes + lag]. It is zero before a chain's first node and after its last.
    """
    if first == 0:
        inputs[:, :, :past] = 0
    inputs[:, :, past + length :] = 0
    for channel in range(nodes.shape[1]):
        row = inputs[0, channel]
        for t in range(length):
            row[past + t] = nodes[t, channel]
        if inputs.shape[0] > 1 and length > 0:
            changes = inputs[1, channel]
            # The first node has no difference, as no node comes before it.
            changes[past] = row[past] - row[past - 1] if first > 0 else np.float32(0)
            for t in range(past + 1, past + length):
                changes[t] = row[t] - row[t - 1]


@compiled_in_order
def _write_thresholds(out: Any, sums: Any, runs: Any, length: Any, lag: Any, reach: Any) -> None:
    """Write the features of one bank's fixed kernels to `out` [thresholds, 4, kernels].

    They are those of `pools._threshold_features`. Kernels of the first half count from node `lag` on, kernels of the
    second half from node `reach` on.
    """
    kernels = sums.shape[2]
    for half in range(2):
        begin, end = (kernels // 2, kernels) if half else (0, kernels // 2)
        start = np.float64(reach if half else lag)
        span = np.float64(max(length - (reach if half else 0), 1))
        for row in range(sums.shape[0]):
            for k in range(begin, end):
                count = sums[row, 0, k]
                some = max(count, 1.0)
                out[row, 0, k] = count / span
                out[row, 1, k] = sums[row, 1, k] / some
                out[row, 2, k] = (sums[row, 2, k] / some - start) / span if count > 0 else -1.0
                out[row, 3, k] = runs[row, 1, k] / span


@compiled_in_order
def _write_groups(out: Any, largest: Any, smallest: Any, length: Any) -> None:
    """Write the features of the groups of one bank to `out` [2, groups, kernels of a group]."""
    nodes = np.float64(max(length, 1))
    for group in range(largest.shape[0]):
        for kernel in range(largest.shape[1]):
            out[0, group, kernel] = np.sqrt(max(largest[group, kernel] / nodes, 0.0))
            out[1, group, kernel] = np.sqrt(max(smallest[group, kernel] / nodes, 0.0))


@compiled
def _pool_and_write(
    out: Any,
    nodes: Any,
    lengths: Any,
    first: Any,
    inputs: Any,
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
    """Write the features of whole chains, one after the other, or of all nodes of one chain so far.

    The state of the pools stays in the CPU's fastest cache while a chain is processed.

    Parameters
    ----------
    out : float32 array [chains, features]
        Overwritten with the features.
    nodes : float32 array [chains, nodes, m]
        Scaled nodes.
    lengths : int64 array [chains]
        The number of real nodes of each chain; padding follows them.
    first : int
        The index in its chain of the first of these nodes. If it is 0, the pools start empty.
    inputs : float32 array [1 or 2, m, past + nodes + lag]
        Working memory, which is overwritten. If `first` is not 0, it holds the past nodes at its beginning.
    banks, steps, …, level_runs : arrays
        As for `pool_nodes`.
    """
    biases, kernels = kernel_sums.shape[1], kernel_sums.shape[3]
    count, groups, size = largest.shape
    of_kernels = count * biases * 4 * kernels
    of_groups = count * 2 * groups * size
    lag = banks[:, 2].max()
    past = inputs.shape[2] - nodes.shape[1] - lag
    of_levels = np.empty((1, 4, level_sums.shape[2]), np.float32)
    for chain in range(nodes.shape[0]):
        if first == 0:
            kernel_sums[:] = 0
            kernel_runs[:] = 0
            largest[:] = 0
            smallest[:] = 0
            level_sums[:] = 0
            level_runs[:] = 0
        length = first + lengths[chain]
        _fill_inputs(inputs, nodes[chain], past, lengths[chain], first)
        pool_nodes(
            inputs[:, :, : past + lengths[chain] + lag],
            past,
            first,
            length,
            banks,
            steps,
            kernel_channels,
            thresholds,
            group_steps,
            group_channels,
            level_channels,
            level_thresholds,
            kernel_sums,
            kernel_runs,
            largest,
            smallest,
            level_sums,
            level_runs,
        )
        row = out[chain]
        by_kernels = row[:of_kernels].reshape(count, biases, 4, kernels)
        by_groups = row[of_kernels : of_kernels + of_groups].reshape(count, 2, groups, size)
        for bank in range(count):
            reach = 8 * banks[bank, 1]
            sums, runs = kernel_sums[bank], kernel_runs[bank]
            _write_thresholds(by_kernels[bank], sums, runs, length, banks[bank, 2], reach)
            _write_groups(by_groups[bank], largest[bank], smallest[bank], length)
        _write_thresholds(of_levels, level_sums, level_runs, length, banks[-1, 2], banks[-1, 1])
        row[of_kernels + of_groups :] = of_levels.ravel()


class CompiledPooling:
    """The compiled form of `pool_chains` followed by `pooled_features`.

    Parameters
    ----------
    plan : FeaturePlan
    tables : KernelTables
        With tensors on the CPU.
    """

    def __init__(self, plan: FeaturePlan, tables: KernelTables) -> None:
        self._plan = plan
        banks = [(int(diff), dilation, plan.lag(dilation)) for diff, dilation, _ in plan.banks]
        wide = tables._replace(
            steps=_widened(tables.steps, 2),
            kernel_channels=_widened(tables.kernel_channels, 1),
            thresholds=_widened(tables.thresholds, 2),
            level_channels=_widened(tables.level_channels, 0),
            level_thresholds=_widened(tables.level_thresholds, 1),
        )
        self._fixed = (np.array([*banks, (0, 0, 0)]), *(table.contiguous().numpy() for table in wide))

    def features(
        self, nodes: NDArray[np.float32], lengths: NDArray[np.int64], threads: int
    ) -> NDArray[np.float32]:
        """Return the features of whole chains.

        Parameters
        ----------
        nodes : float32 array [chains, nodes, m]
            Scaled nodes; C-contiguous.
        lengths : int64 array [chains]
            The number of real nodes of each chain; padding follows them.
        threads : int
            The most threads to use.

        Returns
        -------
        float32 array [chains, plan.num_features]
        """
        out = np.empty((len(nodes), self._plan.num_features), np.float32)
        outputs = nodes.shape[0] * nodes.shape[1] * len(self._plan.banks)
        threads = min(threads, outputs // _LEAST_OUTPUTS)
        pieces = min(threads * _PIECES, len(nodes)) if threads > 1 else 1
        ends = np.linspace(0, len(nodes), pieces + 1).astype(int)
        # The compiled code releases Python's global lock, so that threads run at the same time.
        in_threads(
            lambda rows: self._write(out[rows], nodes[rows], lengths[rows]),
            [slice(start, end) for start, end in pairwise(ends)],
            threads,
        )
        return out

    def _write(
        self, out: NDArray[np.float32], nodes: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> None:
        running = Running(self._plan)
        _pool_and_write(
            out, nodes, lengths, 0, running.inputs(nodes.shape[1]), *self._fixed, *running.numbers
        )

    def add(self, nodes: NDArray[np.float32], first: int, running: "Running") -> NDArray[np.float32]:
        """Add the next nodes of one chain to its pools.

        Parameters
        ----------
        nodes : float32 array [nodes, m]
            Scaled nodes.
        first : int
            The index in the chain of the first of these nodes.
        running : Running
            The state of the chain; changed in place.

        Returns
        -------
        float32 array [plan.num_features]
            The features of all nodes so far.
        """
        out = np.empty((1, self._plan.num_features), np.float32)
        inputs = running.inputs(len(nodes))
        length = np.array([len(nodes)])
        _pool_and_write(
            out, np.ascontiguousarray(nodes)[None], length, first, inputs, *self._fixed, *running.numbers
        )
        running.keep(inputs)
        return out[0]


def _widened(table: Tensor, axis: int) -> Tensor:
    """Return a table with zeros added at the end of an axis, up to a multiple of `LANES`."""
    shape = list(table.shape)
    shape[axis] = -shape[axis] % LANES
    return torch.cat((table, table.new_zeros(shape)), axis)


class Running:
    """The state of a causal chain that still goes on: its last nodes, and the state of its pools.

    Parameters
    ----------
    plan : FeaturePlan
        A causal plan.
    """

    def __init__(self, plan: FeaturePlan) -> None:
        state = PoolState.empty(plan, 1)
        self.numbers = tuple(getattr(state, name)[0].numpy() for name in PoolState.__dataclass_fields__)
        self._lag = plan.lag(max(plan.dilations))
        self._past = np.zeros((2 if plan.with_differences else 1, plan.m, plan.reach), np.float32)

    def inputs(self, nodes: int) -> NDArray[np.float32]:
        """Return an array [1 or 2, m, past + nodes + lag] with the past nodes, and room for the next nodes."""
        rows, m, past = self._past.shape
        inputs = np.empty((rows, m, past + nodes + self._lag), np.float32)
        inputs[:, :, :past] = self._past
        return inputs

    def keep(self, inputs: NDArray[np.float32]) -> None:
        """Keep the last nodes of an array from `inputs` that has been filled."""
        self._past = inputs[:, :, inputs.shape[2] - self._past.shape[2] :]


__all__ = ["CompiledPooling", "Running"]
