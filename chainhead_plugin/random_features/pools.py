"""Pools of kernels' outputs: every pool is a few numbers, which each node of a chain updates.

The plain form here and the compiled form share this state. The plain form is the reference for the compiled form, and
runs on accelerators and under torch.compile.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..chain.backend import is_exporting
from .plan import NUM_KERNELS, NUM_POOLS, NUM_TAPS, FeaturePlan


@dataclass
class PoolState:
    """The state of all pools after the nodes so far.

    Parameters
    ----------
    kernel_sums : float64 Tensor [batch, banks, thresholds, 3, 84]
        Three sums over the nodes where a fixed kernel's output is above a threshold: the number of these nodes, the
        sum of output less threshold, and the sum of the nodes' indices.
    kernel_runs : float32 Tensor [batch, banks, thresholds, 2, 84]
        The number of successive nodes above the threshold, up to the last node; and the largest number so far.
    largest, smallest : float64 Tensor [batch, banks, groups, kernels of a group]
        The sum of a kernel's outputs over the nodes where it is the largest of its group, and the number of nodes where
        it is the smallest of its group.
    level_sums : float64 Tensor [batch, 1, 3, levels]
        As `kernel_sums`, for the nodes themselves; each level has a single threshold.
    level_runs : float32 Tensor [batch, 1, 2, levels]
        As `kernel_runs`, for the nodes themselves.
    """

    kernel_sums: Tensor
    kernel_runs: Tensor
    largest: Tensor
    smallest: Tensor
    level_sums: Tensor
    level_runs: Tensor

    @classmethod
    def empty(cls, plan: FeaturePlan, batch: int, device: torch.device | None = None) -> "PoolState":
        """Return the state of `batch` chains without any node."""
        banks, biases, levels = len(plan.banks), plan.num_biases, plan.num_levels
        groups = (batch, banks, plan.num_groups, plan.group_size)

        def zeros(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        return cls(
            zeros(batch, banks, biases, 3, NUM_KERNELS),
            zeros(batch, banks, biases, 2, NUM_KERNELS, dtype=torch.float32),
            zeros(*groups),
            zeros(*groups),
            zeros(batch, 1, 3, levels),
            zeros(batch, 1, 2, levels, dtype=torch.float32),
        )


def kernel_outputs(window: Tensor, steps: Tensor, dilation: int) -> Tensor:
    """Return the outputs of kernels at all nodes after the first 8·dilation nodes, which are only read as past nodes.

    Parameters
    ----------
    window : float32 Tensor [batch, 8·dilation + nodes, 1 or kernels]
        The numbers that each kernel reads; a single column if all kernels read the same.
    steps : float32 Tensor [8, kernels]
        Row j holds the weights of the difference between the node j·dilation before and the node (j + 1)·dilation
        before.
    dilation : int
        The distance between the taps of a kernel, in nodes.

    Returns
    -------
    float32 Tensor [batch, nodes, kernels]
    """
    changes = window[:, dilation:] - window[:, :-dilation]
    reach = (NUM_TAPS - 2) * dilation
    nodes = changes.size(1) - reach
    outputs = changes[:, reach:] * steps[0]
    for step in range(1, NUM_TAPS - 1):
        start = reach - step * dilation
        # No `addcmul` and no matrix product: their rounding depends on the device and on settings.
        outputs = outputs + changes[:, start : start + nodes] * steps[step]
    return outputs


def add_to_thresholds(
    outputs: Tensor, thresholds: Tensor, counts: Tensor, first: int, sums: Tensor, runs: Tensor
) -> None:
    """Add the next nodes to the pools of kernels whose outputs are compared with thresholds.

    Parameters
    ----------
    outputs : float32 Tensor [batch, nodes, kernels]
    thresholds : float32 Tensor [thresholds, kernels]
    counts : bool Tensor, broadcastable to `outputs`
        Which outputs count.
    first : int
        The index in the chain of the first of these nodes.
    sums : float64 Tensor [batch, thresholds, 3, kernels]
        As in `PoolState`; changed in place.
    runs : float32 Tensor [batch, thresholds, 2, kernels]
        As in `PoolState`; changed in place.
    """
    number = torch.arange(1, outputs.size(1) + 1, device=outputs.device, dtype=torch.float32)[:, None]
    for row, threshold in enumerate(thresholds):
        excess = (outputs - threshold).clamp(min=0) * counts  # [batch, nodes, kernels]
        above = (excess > 0).float()
        count = above.sum(1)
        sums[:, row, 0] += count
        sums[:, row, 1] += excess.sum(1)
        sums[:, row, 2] += (above * number).sum(1) + (first - 1) * count.double()

        longest, run = runs_of(above > 0, runs[:, row, 0])
        runs[:, row, 1] = torch.maximum(runs[:, row, 1], longest)
        runs[:, row, 0] = run


def runs_of(above: Tensor, run: Tensor) -> tuple[Tensor, Tensor]:
    """Return the length of the longest run of nodes above a threshold, and of the run that ends at the last node.

    Parameters
    ----------
    above : bool Tensor [batch, nodes, kernels]
        Whether an output is above its threshold.
    run : float32 Tensor [batch, kernels]
        The length of the run that ends just before these nodes.

    Returns
    -------
    longest, run : float32 Tensor [batch, kernels]
        A run that began before these nodes counts with all its nodes. A run that ended just before these nodes may
        count in `longest` too.
    """
    number = torch.arange(1, above.size(1) + 1, device=above.device, dtype=torch.float32)[:, None]
    # The place of a node that is not above, else the place just before the run that began before these nodes.
    below = torch.where(above, -run[:, None], number)
    if is_exporting():
        # ONNX has no running maximum. After sorting, a run is the gap between two nodes that are not above.
        ends = torch.cat(
            (-run[:, None], below.sort(1).values, torch.full_like(below[:, :1], above.size(1) + 1)), 1
        )
        return (ends[:, 1:] - ends[:, :-1] - 1).amax(1), above.size(1) - below.amax(1)
    lengths = number - below.cummax(1).values
    return lengths.amax(1), lengths[:, -1]


def add_to_groups(outputs: Tensor, counts: Tensor, largest: Tensor, smallest: Tensor) -> None:
    """Add the next nodes to the pools of groups.

    Parameters
    ----------
    outputs : float32 Tensor [batch, nodes, groups, kernels of a group]
    counts : bool Tensor, broadcastable to `outputs`
        Which outputs count.
    largest, smallest : float64 Tensor [batch, groups, kernels of a group]
        As in `PoolState`; changed in place.
    """
    largest += (outputs * ((outputs == outputs.amax(3, keepdim=True)) & counts)).sum(1)
    smallest += ((outputs == outputs.amin(3, keepdim=True)) & counts).float().sum(1)


def pooled_features(state: PoolState, plan: FeaturePlan, lengths: Tensor) -> Tensor:
    """Turn the state of the pools into features. Features that count nodes are shares of a chain's nodes.

    Parameters
    ----------
    state : PoolState
    plan : FeaturePlan
    lengths : float64 Tensor [batch]
        The number of real nodes of each chain.

    Returns
    -------
    float32 Tensor [batch, plan.num_features]
    """
    half = NUM_KERNELS // 2
    starts, missing = [], []
    for _, dilation, _ in plan.banks:
        reach = (NUM_TAPS - 1) * dilation
        starts.append([plan.lag(dilation)] * half + [reach] * half)
        missing.append([0] * half + [reach] * half)
    start = lengths.new_tensor(starts)[:, None]  # [banks, 1, 84]
    span = (lengths[:, None, None, None] - lengths.new_tensor(missing)[:, None]).clamp(min=1)
    nodes = lengths.clamp(min=1)[:, None, None, None]

    kernels = _threshold_features(state.kernel_sums, state.kernel_runs, start, span)
    groups = (torch.stack((state.largest, state.smallest), 2) / nodes[..., None]).clamp(min=0).sqrt()
    levels = _threshold_features(state.level_sums, state.level_runs, nodes.new_zeros(1), nodes[..., 0])
    return torch.cat([block.flatten(1) for block in (kernels, groups, levels)], 1).float()


def as_counts(features: Tensor, plan: FeaturePlan, amounts: Tensor) -> Tensor:
    """Turn features that are shares of a chain's nodes into counts, in proportion to its length.

    Parameters
    ----------
    features : float32 Tensor [batch, plan.num_features]
    plan : FeaturePlan
    amounts : Tensor [batch]
        The length of each chain, divided by the reference length.

    Returns
    -------
    float32 Tensor [batch, plan.num_features]
        Features that are not shares are unchanged.
    """
    amount = amounts.to(features.dtype)[:, None]
    # Of the four pools of a threshold the first and the last are shares. Features of groups are square roots of shares.
    factors = torch.stack((amount, torch.ones_like(amount), torch.ones_like(amount), amount), 2)
    kernels, groups, levels = torch.split(features, list(plan.block_sizes), 1)
    kernels = kernels.reshape(len(kernels), -1, NUM_POOLS, NUM_KERNELS) * factors.transpose(1, 2)[:, None]
    levels = levels.reshape(len(levels), NUM_POOLS, plan.num_levels) * factors.transpose(1, 2)
    return torch.cat((kernels.flatten(1), groups * amount.sqrt(), levels.flatten(1)), 1)


def _threshold_features(sums: Tensor, runs: Tensor, start: Tensor, span: Tensor) -> Tensor:
    """Return features [..., thresholds, 4, kernels].

    The four are the share of nodes above the threshold, the mean of output less threshold there, the mean place of
    these nodes (-1 if there are none), and the longest run of them.
    """
    count, total, place = sums.unbind(-2)
    some = count.clamp(min=1)
    mean_place = ((place / some - start) / span).where(count > 0, -1)
    return torch.stack((count / span, total / some, mean_place, runs.select(-2, 1) / span), -2)
