"""The pools, compiled for the CPU by Numba if it is installed.

A bank is the set of kernels that share a dilation and an input. A few kernels of a bank are applied to some nodes at a
time, and their outputs are pooled while they are in the CPU's fastest cache, so that no output is written to memory.
The same function processes a whole chain or the next node of a stream.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .lanes import (
    LANES,
    above,
    counted,
    counts_together,
    either,
    equal,
    lanes_before,
    larger,
    larger_counts,
    load,
    minus,
    no_counts,
    plus,
    smaller,
    spread,
    spread_from,
    store,
    times,
    total,
    where,
)

try:
    from numba import njit
except ImportError as error:
    raise ImportError("the compiled pools need Numba: pip install numba") from error

F = TypeVar("F", bound=Callable[..., Any])

# The number of nodes whose outputs are held at a time. After them, float32 sums are added to float64 sums.
_SEGMENT = 256


def compiled(function: F) -> F:
    """Compile a function; the compiler may change the order in which sums are added up."""
    return _compile(function, fastmath=True)


def compiled_in_callers(function: F) -> F:
    """Compile a function as a part of its callers, which saves a separate compilation of the functions it calls."""
    return _compile(function, fastmath=True, inline="always")


def compiled_in_order(function: F) -> F:
    """Compile a function; it multiplies and adds in the written order, and rounds after each operation."""
    return _compile(function, fastmath=False)


def _compile(function: F, fastmath: bool, inline: str = "never") -> F:
    options = {"fastmath": fastmath, "error_model": "numpy", "nogil": True, "inline": inline}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        # Numba has no folder for its cache that it may write to.
        return njit(**options)(function)


@compiled_in_order
def _fill_common(
    outputs: Any, changes: Any, steps: Any, at: Any, dilation: Any, first: Any, nodes: Any
) -> None:
    """Write the outputs [nodes, lanes] of kernels from index `at` on, which all read the only column of `changes`."""
    width = steps.shape[1]
    w0 = load(steps, at)
    w1 = load(steps, width + at)
    w2 = load(steps, 2 * width + at)
    w3 = load(steps, 3 * width + at)
    w4 = load(steps, 4 * width + at)
    w5 = load(steps, 5 * width + at)
    w6 = load(steps, 6 * width + at)
    w7 = load(steps, 7 * width + at)
    for node in range(nodes):
        oldest = first + node
        out = times(spread_from(changes, oldest + 7 * dilation), w0)
        out = plus(out, times(spread_from(changes, oldest + 6 * dilation), w1))
        out = plus(out, times(spread_from(changes, oldest + 5 * dilation), w2))
        out = plus(out, times(spread_from(changes, oldest + 4 * dilation), w3))
        out = plus(out, times(spread_from(changes, oldest + 3 * dilation), w4))
        out = plus(out, times(spread_from(changes, oldest + 2 * dilation), w5))
        out = plus(out, times(spread_from(changes, oldest + dilation), w6))
        out = plus(out, times(spread_from(changes, oldest), w7))
        store(outputs, node * LANES, out)


@compiled_in_order
def _fill_own(outputs: Any, changes: Any, steps: Any, at: Any, dilation: Any, first: Any, nodes: Any) -> None:
    """Write the outputs [nodes, lanes] of kernels from index `at` on, which each read their column of `changes`."""
    width = steps.shape[1]
    for node in range(nodes):
        newest = first + node + 7 * dilation
        out = times(load(changes, newest * width + at), load(steps, at))
        for step in range(1, 8):
            change = load(changes, (newest - step * dilation) * width + at)
            out = plus(out, times(change, load(steps, step * width + at)))
        store(outputs, node * LANES, out)


@compiled_in_order
def _fill_levels(outputs: Any, nodes_by_level: Any, at: Any, first: Any, nodes: Any) -> None:
    """Write the nodes [nodes, lanes] that the levels from index `at` on read."""
    width = nodes_by_level.shape[1]
    for node in range(nodes):
        store(outputs, node * LANES, load(nodes_by_level, (first + node) * width + at))


@compiled_in_order
def add_to_thresholds(
    changes: Any,
    nodes: Any,
    steps: Any,
    dilation: Any,
    first: Any,
    spans: Any,
    thresholds: Any,
    sums: Any,
    runs: Any,
) -> None:
    """Add the nodes of a chain to the pools of kernels whose outputs are compared with thresholds.

    Parameters
    ----------
    changes : float32 array [7·dilation + nodes or more, 1 or width]
        The difference between each node that the kernels read and the node `dilation` before it; past nodes first.
        If `dilation` is 0, the outputs themselves [nodes, width].
    nodes : int
    steps : float32 array [8, width]
        The kernels as weights of these differences, as for `pools.kernel_outputs`. The width is the number of kernels,
        rounded up to a multiple of `LANES`.
    dilation : int
        The distance between the taps of a kernel, in nodes.
    first : int
        The index of the first node in its chain.
    spans : tuple of four int
        The first node that counts and the node after the last: first for all kernels, then for the second half.
    thresholds : float32 array [thresholds, width]
    sums : float64 array [thresholds, 3, kernels]
        As `kernel_sums` in `PoolState`; changed in place.
    runs : float32 array [thresholds, 2, kernels]
        As `kernel_runs` in `PoolState`; changed in place.
    """
    rows, width = thresholds.shape
    kernels = sums.shape[2]
    outputs = np.empty(_SEGMENT * LANES, np.float32)
    totals = np.empty((rows, width), np.float32)
    counts = np.empty((rows, 2, width), np.int32)
    running = np.zeros((rows, 2, width), np.int32)
    running[:, :, :kernels] = runs
    never = spread(np.float32(np.inf))
    begin_any, end_any, begin_full, end_full = spans
    node = max(begin_any - first, 0)
    stop = min(end_any - first, nodes)
    while node < stop:
        # A segment ends where the kernels of the second half begin or cease to count, so that inside it they count for
        # all nodes or for none.
        full = begin_full <= first + node < end_full
        size = min(_SEGMENT, stop - node)
        if full:
            size = min(size, end_full - first - node)
        elif first + node < begin_full:
            size = min(size, begin_full - first - node)
        counting = kernels if full else kernels // 2
        for at in range(0, counting, LANES):
            if dilation == 0:
                _fill_levels(outputs, changes, at, node, size)
            elif changes.shape[1] == 1:
                _fill_common(outputs, changes, steps, at, dilation, node, size)
            else:
                _fill_own(outputs, changes, steps, at, dilation, node, size)
            does_count = lanes_before(counting - at)
            for row in range(rows):
                place = 2 * row * width + at
                limit = either(does_count, load(thresholds, row * width + at), never)
                excess = spread(np.float32(0))
                count, later = no_counts(), no_counts()
                run, longest = load(running, place), load(running, place + width)
                for number in range(size):
                    out = load(outputs, number * LANES)
                    is_above = above(out, limit)
                    excess = plus(excess, where(is_above, minus(out, limit)))
                    count = counted(count, is_above)
                    # Each node is added once for itself, and once for every node that follows in the segment.
                    later = counts_together(later, count)
                    run = where(is_above, counted(run, is_above))
                    longest = larger_counts(longest, run)
                store(totals, row * width + at, excess)
                store(counts, place, count)
                store(counts, place + width, later)
                store(running, place, run)
                store(running, place + width, longest)
        end = np.float64(first + node + size)
        for row in range(rows):
            for k in range(counting):
                number_above = np.float64(counts[row, 0, k])
                sums[row, 0, k] += number_above
                sums[row, 1, k] += totals[row, k]
                sums[row, 2, k] += end * number_above - counts[row, 1, k]
        node += size
    runs[:] = running[:, :, :kernels]


@compiled_in_order
def add_to_groups(
    changes: Any, nodes: Any, steps: Any, dilation: Any, first: Any, spans: Any, largest: Any, smallest: Any
) -> None:
    """Add the nodes of a chain to the pools of groups.

    Parameters
    ----------
    changes : float32 array [1 or groups, 7·dilation + nodes + LANES]
        As for `add_to_thresholds`, transposed: one row for all groups, or a row for each group. The last `LANES`
        columns may hold anything.
    nodes : int
    steps : float32 array [groups, kernels of a group, 8]
        The kernels as weights of these differences.
    dilation, first, spans
        As for `add_to_thresholds`; only the first two entries of `spans` are used.
    largest, smallest : float64 array [groups, kernels of a group]
        As in `PoolState`; changed in place.
    """
    groups, size = largest.shape
    outputs = np.empty(size * LANES, np.float32)
    totals = np.empty(size * LANES, np.float32)
    counts = np.empty(size * LANES, np.int32)
    begin = max(spans[0] - first, 0)
    stop = min(spans[1] - first, nodes)
    for start in range(begin, stop, _SEGMENT):
        end = min(start + _SEGMENT, stop)
        # Lanes after the last node read zeros. All kernels of a group have the same output there, 0.
        unused = (start - end) % LANES
        for group in range(groups):
            row = (group if changes.shape[0] > 1 else 0) * changes.shape[1]
            totals[:] = 0
            counts[:] = 0
            for node in range(start, end, LANES):
                is_node = lanes_before(end - node)
                x0 = where(is_node, load(changes, row + node + 7 * dilation))
                x1 = where(is_node, load(changes, row + node + 6 * dilation))
                x2 = where(is_node, load(changes, row + node + 5 * dilation))
                x3 = where(is_node, load(changes, row + node + 4 * dilation))
                x4 = where(is_node, load(changes, row + node + 3 * dilation))
                x5 = where(is_node, load(changes, row + node + 2 * dilation))
                x6 = where(is_node, load(changes, row + node + dilation))
                x7 = where(is_node, load(changes, row + node))
                high, low = spread(np.float32(-np.inf)), spread(np.float32(np.inf))
                for kernel in range(size):
                    weight = (group * size + kernel) * 8
                    out = times(x0, spread_from(steps, weight))
                    out = plus(out, times(x1, spread_from(steps, weight + 1)))
                    out = plus(out, times(x2, spread_from(steps, weight + 2)))
                    out = plus(out, times(x3, spread_from(steps, weight + 3)))
                    out = plus(out, times(x4, spread_from(steps, weight + 4)))
                    out = plus(out, times(x5, spread_from(steps, weight + 5)))
                    out = plus(out, times(x6, spread_from(steps, weight + 6)))
                    out = plus(out, times(x7, spread_from(steps, weight + 7)))
                    high, low = larger(high, out), smaller(low, out)
                    store(outputs, kernel * LANES, out)
                for kernel in range(size):
                    at = kernel * LANES
                    out = load(outputs, at)
                    store(totals, at, plus(load(totals, at), where(equal(out, high), out)))
                    store(counts, at, counted(load(counts, at), equal(out, low)))
            for kernel in range(size):
                largest[group, kernel] += total(load(totals, kernel * LANES))
                smallest[group, kernel] += total(load(counts, kernel * LANES)) - unused


__all__ = ["add_to_groups", "add_to_thresholds", "compiled", "compiled_in_callers", "compiled_in_order"]
