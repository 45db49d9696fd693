"""Thresholds of kernels' outputs: quantiles of the outputs on training chains."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .kernels import fixed_taps
from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan

# The number of random places in training chains at which outputs are computed.
_PLACES = 1024
# Outputs whose relative difference is smaller than this differ only by rounding.
_ROUNDING = 1e-5
_GOLDEN = (5**0.5 + 1) / 2


def choose_thresholds(
    chains: Sequence[NDArray[np.float32]],
    plan: FeaturePlan,
    kernel_channels: NDArray[np.int8],
    level_channels: NDArray[np.int8],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Choose the thresholds of kernels and of levels.

    The last threshold of each kernel is zero: whether an output is above zero depends neither on the level nor on the
    scale of a chain. The other thresholds are quantiles of the kernel's outputs, at levels that differ from kernel to
    kernel.

    Parameters
    ----------
    chains : sequence of float32 arrays [length, m]
        Scaled nodes.
    plan : FeaturePlan
    kernel_channels : int8 array [banks, 84, m]
        As in `KernelTables`.
    level_channels : int8 array [levels, m]
        As in `KernelTables`.
    rng : np.random.Generator
        Draws the places at which outputs are computed.

    Returns
    -------
    kernel_thresholds : float32 array [banks, thresholds, 84]
    level_thresholds : float32 array [1, levels]
    """
    nodes = _Nodes(chains, plan)
    half = NUM_KERNELS // 2
    quantiles = (np.arange(1, plan.num_biases * NUM_KERNELS * len(plan.banks) + 1) * _GOLDEN) % 1
    quantiles = quantiles.reshape(len(plan.banks), plan.num_biases, NUM_KERNELS)
    thresholds = np.zeros(quantiles.shape, dtype=np.float32)
    for bank, (diff, dilation, number) in enumerate(plan.banks):
        for part, first in ((slice(0, half), 0), (slice(half, None), (NUM_TAPS - 1) * dilation)):
            window = nodes.windows(diff, dilation, first, rng)  # [places, 9, m]
            channels = kernel_channels[bank, part].astype(np.float64)
            weights = fixed_taps(number % 2)[:, None, part] * channels.T  # [9, m, kernels]
            outputs = _product(window.reshape(len(window), -1), weights.reshape(-1, weights.shape[2]))
            thresholds[bank, :-1, part] = _between(outputs, quantiles[bank, :-1, part])
    levels = _product(nodes.windows(False, 0, 0, rng)[:, 0], level_channels.T.astype(np.float64))
    level = np.arange(plan.num_levels)
    even, mixed = (level + 0.5) / max(plan.num_levels, 1), (level + 1) * _GOLDEN % 1
    at = even if plan.m == 1 else mixed
    return thresholds, _between(levels, at[None])


def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of two matrices by torch, as NumPy would use several threads whatever torch is told."""
    product: NDArray[np.float64] = (torch.from_numpy(left) @ torch.from_numpy(right)).numpy()
    return product


class _Nodes:
    """Chains joined one after the other, with zeros before and after each, from which windows are cut."""

    def __init__(self, chains: Sequence[NDArray[np.float32]], plan: FeaturePlan) -> None:
        lag = plan.lag(max(plan.dilations))
        self.plan = plan
        self.lengths = np.array([len(chain) for chain in chains])
        sizes = self.lengths + plan.reach + lag
        self.starts = np.cumsum(sizes) - sizes + plan.reach
        self.nodes = np.zeros((sizes.sum(), plan.m), np.float32)
        self.changes = np.zeros_like(self.nodes)
        for chain, start in zip(chains, self.starts, strict=True):
            self.nodes[start : start + len(chain)] = chain
            self.changes[start + 1 : start + len(chain)] = chain[1:] - chain[:-1]

    def windows(self, diff: bool, dilation: int, first: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the nodes that kernels read at random places from node `first` on: [places, 9, m]."""
        chain = rng.integers(len(self.lengths), size=_PLACES)
        # In chains that are too short, any place is taken.
        begin = np.where(self.lengths[chain] > first, first, 0)
        place = begin + (rng.random(_PLACES) * (self.lengths[chain] - begin)).astype(int)
        lag = self.plan.lag(dilation) if first == 0 else 0
        at = (self.starts[chain] + place + lag)[:, None] - dilation * np.arange(NUM_TAPS)
        return (self.changes if diff else self.nodes)[at].astype(np.float64)


def _between(outputs: NDArray[Any], quantiles: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return thresholds halfway between the outputs at these quantiles and the next larger outputs.

    Parameters
    ----------
    outputs : array [places, kernels]
    quantiles : array [thresholds, kernels]
        Levels of the quantiles, between 0 and 1.

    Returns
    -------
    float32 array [thresholds, kernels]
    """
    # NumPy sorts many times faster than PyTorch.
    ordered = torch.from_numpy(np.sort(np.ascontiguousarray(outputs.T, dtype=np.float32), axis=1))
    at = torch.from_numpy(np.ascontiguousarray((quantiles * len(outputs)).astype(np.int64).T))
    value = ordered.gather(1, at)  # [kernels, thresholds]
    following = torch.searchsorted(ordered, value + value.abs() * _ROUNDING, right=True).clamp(
        max=len(outputs) - 1
    )
    higher = torch.maximum(ordered.gather(1, following), value)
    return np.asarray(((value + higher) / 2).T.numpy())
