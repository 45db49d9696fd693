"""The running pools compiled for the CPU by Numba, where that is installed.

A few nodes at a time are taken through all kernels of a bank and pooled at once, while their outputs are in the
fastest cache: no kernel's output is written to memory. The same function takes in a whole chain or a stream's next
node.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

# Nodes whose outputs are held at a time, and nodes after which float32 sums are added to those in float64.
_TILE = 16
_SEGMENT = 256


def compiled(function: F) -> F:
    """Compile a function for float32 without NaN, and keep the result for later processes where that is possible."""
    options = {"fastmath": True, "error_model": "numpy", "nogil": True}
    try:
        return njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        # There is no folder that Numba may write to.
        return njit(**options)(function)  # type: ignore[no-any-return]



@compiled
def _fill_common(outputs, window, taps, dilation, first, nodes):  # type: ignore[no-untyped-def]
    """Outputs of kernels that all read the one column of `window`."""
    kernels = taps.shape[1]
    for node in range(nodes):
        at = first + node + 8 * dilation
        x0 = window[at, 0]
        x1 = window[at - dilation, 0]
        x2 = window[at - 2 * dilation, 0]
        x3 = window[at - 3 * dilation, 0]
        x4 = window[at - 4 * dilation, 0]
        x5 = window[at - 5 * dilation, 0]
        x6 = window[at - 6 * dilation, 0]
        x7 = window[at - 7 * dilation, 0]
        x8 = window[at - 8 * dilation, 0]
        row = outputs[node]
        for k in range(kernels):
            row[k] = (
                taps[0, k] * x0
                + taps[1, k] * x1
                + taps[2, k] * x2
                + taps[3, k] * x3
                + taps[4, k] * x4
                + taps[5, k] * x5
                + taps[6, k] * x6
                + taps[7, k] * x7
                + taps[8, k] * x8
            )


@compiled
def _fill_own(outputs, window, taps, dilation, first, nodes):  # type: ignore[no-untyped-def]
    """Outputs of kernels that read a column of `window` each; columns repeat where there are fewer."""
    columns = window.shape[1]
    for start in range(0, taps.shape[1], columns):
        for node in range(nodes):
            row = outputs[node, start : start + columns]
            at = first + node + 8 * dilation
            # Three taps at a time: the compiler vectorises loops over few arrays only.
            for tap in range(0, 9, 3):
                x0 = window[at - tap * dilation]
                x1 = window[at - (tap + 1) * dilation]
                x2 = window[at - (tap + 2) * dilation]
                w0 = taps[tap, start : start + columns]
                w1 = taps[tap + 1, start : start + columns]
                w2 = taps[tap + 2, start : start + columns]
                if tap == 0:
                    for k in range(columns):
                        row[k] = w0[k] * x0[k] + w1[k] * x1[k] + w2[k] * x2[k]
                else:
                    for k in range(columns):
                        row[k] += w0[k] * x0[k] + w1[k] * x1[k] + w2[k] * x2[k]


@compiled
def _pool_thresholds(outputs, nodes, first, begin, threshold, sums, runs):  # type: ignore[no-untyped-def]
    """Take in the outputs of some nodes, kernels from `begin` on, into sums [3, kernels] and runs [2, kernels]."""
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
            longest[k] = max(longest[k], max(max(r0, r1), max(r2, r3)))
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
def add_to_thresholds(window, taps, dilation, first, spans, thresholds, sums, runs):  # type: ignore[no-untyped-def]
    """Take the nodes of a chain into the pools of kernels compared with thresholds.

    Parameters
    ----------
    window : float32 array [8·dilation + nodes, 1 or kernels]
        What the kernels read, the past first; with `dilation` 0 the outputs themselves, [nodes, kernels].
    taps : float32 array [9, kernels]
    dilation : int
    first : int
        The number of the first node.
    spans : tuple of four int
        Between which numbers nodes count: for all kernels, and for those of the second half.
    thresholds : float32 array [thresholds, kernels]
    sums : float64 array [thresholds, 3, kernels]
        Count, total and place, as in `ThresholdPools`; changed in place.
    runs : float32 array [thresholds, 2, kernels]
        Run and longest run; changed in place.
    """
    kernels = thresholds.shape[1]
    nodes = window.shape[0] - 8 * dilation
    outputs = np.empty((_TILE, kernels), np.float32)
    part = np.zeros((thresholds.shape[0], 3, kernels), np.float32)
    begin_any, end_any, begin_full, end_full = spans
    node = max(begin_any - first, 0)
    stop = min(end_any - first, nodes)
    origin = node
    while node < stop:
        # A tile in which the kernels of the second half count everywhere or nowhere.
        full = begin_full <= first + node < end_full
        size = min(_TILE, stop - node)
        if full:
            size = min(size, end_full - first - node)
        elif first + node < begin_full:
            size = min(size, begin_full - first - node)
        if dilation == 0:
            tile = window[node : node + size]
        else:
            tile = outputs
            if window.shape[1] == 1:
                _fill_common(outputs, window, taps, dilation, node, size)
            else:
                _fill_own(outputs, window, taps, dilation, node, size)
        if full:
            for row in range(thresholds.shape[0]):
                _pool_thresholds(tile, size, node - origin, 0, thresholds[row], part[row], runs[row])
        else:
            half = kernels // 2
            for row in range(thresholds.shape[0]):
                _pool_thresholds(
                    tile, size, node - origin, 0, thresholds[row, :half], part[row], runs[row]
                )
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
def add_to_groups(window, taps, dilation, first, spans, largest, smallest):  # type: ignore[no-untyped-def]
    """Take the nodes of a chain into the pools of groups.

    Parameters
    ----------
    window : float32 array [1 or groups, 8·dilation + nodes]
        What the kernels read, the past first: a row for all groups, or a row each.
    taps : float32 array [groups, kernels of a group, 9]
    dilation, first, spans
        As in `add_to_thresholds`; only the first span matters.
    largest, smallest : float64 array [groups, kernels of a group]
        As in `GroupPools`, transposed; changed in place.
    """
    groups, size = largest.shape
    reach = 8 * dilation
    outputs = np.empty((size, _SEGMENT), np.float32)
    high = np.empty(_SEGMENT, np.float32)
    low = np.empty(_SEGMENT, np.float32)
    begin = max(spans[0] - first, 0)
    stop = min(spans[1] - first, window.shape[1] - reach)
    zero = np.float32(0)
    one = np.float32(1)
    for start in range(begin, stop, _SEGMENT):
        nodes = min(_SEGMENT, stop - start)
        for group in range(groups):
            source = window[group if window.shape[0] > 1 else 0, start : start + reach + nodes]
            s0 = source[reach:]
            s1 = source[reach - dilation :]
            s2 = source[reach - 2 * dilation :]
            s3 = source[reach - 3 * dilation :]
            s4 = source[reach - 4 * dilation :]
            s5 = source[reach - 5 * dilation :]
            s6 = source[reach - 6 * dilation :]
            s7 = source[reach - 7 * dilation :]
            s8 = source
            for kernel in range(size):
                w = taps[group, kernel]
                w0, w1, w2, w3, w4, w5, w6, w7, w8 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
                row = outputs[kernel]
                for u in range(nodes):
                    row[u] = w0 * s0[u] + w1 * s1[u] + w2 * s2[u] + w3 * s3[u] + w4 * s4[u]
                for u in range(nodes):
                    row[u] += w5 * s5[u] + w6 * s6[u] + w7 * s7[u] + w8 * s8[u]
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


__all__ = ["add_to_groups", "add_to_thresholds", "compiled"]
