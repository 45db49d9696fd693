"""The pools, compiled for the CPU by Numba if it is installed.

A bank is the set of kernels that share a dilation and an input. The kernels of a bank are applied to a few nodes at a
time, and their outputs are pooled while they are in the CPU's fastest cache, so that no output is written to memory.
The same function processes a whole chain or the next node of a stream.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

# The number of nodes whose outputs are held at a time, and the number of nodes after which float32 sums are added to
# float64 sums.
_TILE = 16
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
def _fill_common(outputs: Any, changes: Any, steps: Any, dilation: Any, first: Any, nodes: Any) -> None:
    """Write the outputs [nodes, kernels] of kernels that all read the only column of `changes`."""
    kernels = steps.shape[1]
    for node in range(nodes):
        at = first + node + 7 * dilation
        x0 = changes[at, 0]
        x1 = changes[at - dilation, 0]
        x2 = changes[at - 2 * dilation, 0]
        x3 = changes[at - 3 * dilation, 0]
        x4 = changes[at - 4 * dilation, 0]
        x5 = changes[at - 5 * dilation, 0]
        x6 = changes[at - 6 * dilation, 0]
        x7 = changes[at - 7 * dilation, 0]
        row = outputs[node]
        for k in range(kernels):
            row[k] = (
                x0 * steps[0, k]
                + x1 * steps[1, k]
                + x2 * steps[2, k]
                + x3 * steps[3, k]
                + x4 * steps[4, k]
                + x5 * steps[5, k]
                + x6 * steps[6, k]
                + x7 * steps[7, k]
            )


@compiled_in_order
def _fill_own(outputs: Any, changes: Any, steps: Any, dilation: Any, first: Any, nodes: Any) -> None:
    """Write the outputs [nodes, kernels] of kernels that each read their own column of `changes`."""
    kernels = steps.shape[1]
    for node in range(nodes):
        row = outputs[node]
        at = first + node + 7 * dilation
        newest = changes[at]
        for k in range(kernels):
            row[k] = newest[k] * steps[0, k]
        for step in range(1, 8):
            source = changes[at - step * dilation]
            weight = steps[step]
            for k in range(kernels):
                row[k] += source[k] * weight[k]


@compiled_in_order
def _fill_nodes(row: Any, changes: Any, steps: Any, dilation: Any, nodes: Any) -> None:
    """Write the outputs [nodes] of one kernel; the newest change that the first node reads has index 7·dilation."""
    w0, w1, w2, w3, w4, w5, w6, w7 = (
        steps[0],
        steps[1],
        steps[2],
        steps[3],
        steps[4],
        steps[5],
        steps[6],
        steps[7],
    )
    s0 = changes[7 * dilation :]
    s1 = changes[6 * dilation :]
    s2 = changes[5 * dilation :]
    s3 = changes[4 * dilation :]
    s4 = changes[3 * dilation :]
    s5 = changes[2 * dilation :]
    s6 = changes[dilation:]
    s7 = changes
    # Two loops, as the compiler vectorises only loops over few arrays.
    for u in range(nodes):
        row[u] = s0[u] * w0 + s1[u] * w1 + s2[u] * w2 + s3[u] * w3 + s4[u] * w4
    for u in range(nodes):
        row[u] = row[u] + s5[u] * w5 + s6[u] * w6 + s7[u] * w7


@compiled
def _pool_thresholds(
    outputs: Any, nodes: Any, first: Any, begin: Any, threshold: Any, sums: Any, runs: Any
) -> None:
    """Add the outputs of some nodes to sums [3, kernels] and runs [2, kernels], for kernels from index `begin` on."""
    kernels = threshold.shape[0]
    one = np.float32(1)
    zero = np.float32(0)
    count = sums[0]
    total = sums[1]
    place = sums[2]
    run = runs[0]
    longest = runs[1]
    whole = nodes - nodes % 4
    for node in range(0, whole, 4):
        number = np.float32(first + node)
        c0 = outputs[node]
        c1 = outputs[node + 1]
        c2 = outputs[node + 2]
        c3 = outputs[node + 3]
        for k in range(begin, kernels):
            v0 = c0[k] - threshold[k]
            v1 = c1[k] - threshold[k]
            v2 = c2[k] - threshold[k]
            v3 = c3[k] - threshold[k]
            p0 = one if v0 > 0 else zero
            p1 = one if v1 > 0 else zero
            p2 = one if v2 > 0 else zero
            p3 = one if v3 > 0 else zero
            above = (p0 + p1) + (p2 + p3)
            count[k] += above
            total[k] += (max(v0, zero) + max(v1, zero)) + (max(v2, zero) + max(v3, zero))
            place[k] += number * above + (p1 + np.float32(2) * p2 + np.float32(3) * p3)
        for k in range(begin, kernels):
            p0 = one if c0[k] > threshold[k] else zero
            p1 = one if c1[k] > threshold[k] else zero
            p2 = one if c2[k] > threshold[k] else zero
            p3 = one if c3[k] > threshold[k] else zero
            r0 = (run[k] + one) * p0
            r1 = (r0 + one) * p1
            r2 = (r1 + one) * p2
            r3 = (r2 + one) * p3
            run[k] = r3
            longest[k] = max(longest[k], r0, r1, r2, r3)
    for node in range(whole, nodes):
        number = np.float32(first + node)
        c0 = outputs[node]
        for k in range(begin, kernels):
            v0 = c0[k] - threshold[k]
            p0 = one if v0 > 0 else zero
            count[k] += p0
            total[k] += max(v0, zero)
            place[k] += number * p0
        for k in range(begin, kernels):
            p0 = one if c0[k] > threshold[k] else zero
            r0 = (run[k] + one) * p0
            run[k] = r0
            longest[k] = max(longest[k], r0)


@compiled
def add_to_thresholds(
    changes: Any, steps: Any, dilation: Any, first: Any, spans: Any, thresholds: Any, sums: Any, runs: Any
) -> None:
    """Add the nodes of a chain to the pools of kernels whose outputs are compared with thresholds.

    Parameters
    ----------
    changes : float32 array [7·dilation + nodes, 1 or kernels]
        The difference between each node that the kernels read and the node `dilation` before it; past nodes first.
        If `dilation` is 0, the outputs themselves [nodes, kernels].
    steps : float32 array [8, kernels]
        The kernels as weights of these differences, as for `pools.kernel_outputs`.
    dilation : int
        The distance between the taps of a kernel, in nodes.
    first : int
        The index of the first node in its chain.
    spans : tuple of four int
        The first node that counts and the node after the last: first for all kernels, then for the second half.
    thresholds : float32 array [thresholds, kernels]
    sums : float64 array [thresholds, 3, kernels]
        As `kernel_sums` in `PoolState`; changed in place.
    runs : float32 array [thresholds, 2, kernels]
        As `kernel_runs` in `PoolState`; changed in place.
    """
    kernels = thresholds.shape[1]
    nodes = changes.shape[0] - 7 * dilation
    outputs = np.empty((_TILE, kernels), np.float32)
    part = np.zeros((thresholds.shape[0], 3, kernels), np.float32)
    begin_any, end_any, begin_full, end_full = spans
    node = max(begin_any - first, 0)
    stop = min(end_any - first, nodes)
    origin = node
    while node < stop:
        # A tile ends where the kernels of the second half begin or cease to count, so that inside it they count for
        # all nodes or for none.
        full = begin_full <= first + node < end_full
        size = min(_TILE, stop - node)
        if full:
            size = min(size, end_full - first - node)
        elif first + node < begin_full:
            size = min(size, begin_full - first - node)
        if dilation == 0:
            tile = changes[node : node + size]
        else:
            tile = outputs
            if changes.shape[1] == 1:
                _fill_common(outputs, changes, steps, dilation, node, size)
            else:
                _fill_own(outputs, changes, steps, dilation, node, size)
        counting = kernels if full else kernels // 2
        for row in range(thresholds.shape[0]):
            limits = thresholds[row, :counting]
            _pool_thresholds(tile, size, node - origin, 0, limits, part[row], runs[row])
        node += size
        if node - origin >= _SEGMENT or node >= stop:
            start = np.float64(first + origin)
            for row in range(thresholds.shape[0]):
                for k in range(kernels):
                    sums[row, 0, k] += part[row, 0, k]
                    sums[row, 1, k] += part[row, 1, k]
                    sums[row, 2, k] += part[row, 2, k] + start * part[row, 0, k]
            part[:] = 0
            origin = node


@compiled
def add_to_groups(
    changes: Any, steps: Any, dilation: Any, first: Any, spans: Any, largest: Any, smallest: Any
) -> None:
    """Add the nodes of a chain to the pools of groups.

    Parameters
    ----------
    changes : float32 array [1 or groups, 7·dilation + nodes]
        As for `add_to_thresholds`, transposed: one row for all groups, or a row for each group.
    steps : float32 array [groups, kernels of a group, 8]
        The kernels as weights of these differences.
    dilation, first, spans
        As for `add_to_thresholds`; only the first two entries of `spans` are used.
    largest, smallest : float64 array [groups, kernels of a group]
        As in `PoolState`; changed in place.
    """
    groups, size = largest.shape
    reach = 7 * dilation
    outputs = np.empty((size, _SEGMENT), np.float32)
    high = np.empty(_SEGMENT, np.float32)
    low = np.empty(_SEGMENT, np.float32)
    begin = max(spans[0] - first, 0)
    stop = min(spans[1] - first, changes.shape[1] - reach)
    zero = np.float32(0)
    one = np.float32(1)
    for start in range(begin, stop, _SEGMENT):
        nodes = min(_SEGMENT, stop - start)
        for group in range(groups):
            source = changes[group if changes.shape[0] > 1 else 0, start : start + reach + nodes]
            for kernel in range(size):
                row = outputs[kernel]
                _fill_nodes(row, source, steps[group, kernel], dilation, nodes)
                if kernel == 0:
                    for u in range(nodes):
                        high[u] = row[u]
                        low[u] = row[u]
                else:
                    for u in range(nodes):
                        high[u] = max(high[u], row[u])
                        low[u] = min(low[u], row[u])
            for kernel in range(size):
                row = outputs[kernel]
                total = zero
                count = zero
                for u in range(nodes):
                    total += row[u] if row[u] == high[u] else zero
                    count += one if row[u] == low[u] else zero
                largest[group, kernel] += total
                smallest[group, kernel] += count


__all__ = ["add_to_groups", "add_to_thresholds", "compiled", "compiled_in_callers", "compiled_in_order"]
