"""Running pools of kernels' outputs: every pool is a few numbers that each node updates.

The state is common to the plain form here and the compiled form. This form is the reference, and runs on accelerators
and under the compiler.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..chain.backend import is_exporting
from .plan import NUM_KERNELS, NUM_POOLS, NUM_TAPS, FeaturePlan


@dataclass
class PoolState:
    """What is kept of the chains' nodes so far.

    Parameters
    ----------
    kernel_sums : float64 Tensor [batch, banks, thresholds, 3, 84]
        Of the nodes where a fixed kernel's output is above a threshold: how many there are; the sum of what outputs
        are above it; the sum of the nodes' numbers.
    kernel_runs : float32 Tensor [batch, banks, thresholds, 2, 84]
        How many such nodes there were in a row, up to now and at most.
    largest, smallest : float64 Tensor [batch, banks, groups, kernels of a group]
        The sum of a kernel's outputs where no kernel of its group has a larger output, and the number of nodes where
        no kernel of its group has a smaller output.
    level_sums : float64 Tensor [batch, 1, 3, levels]
    level_runs : float32 Tensor [batch, 1, 2, levels]
        The same of the nodes themselves; each level has a single threshold.
    """

    kernel_sums: Tensor
    kernel_runs: Tensor
    largest: Tensor
    smallest: Tensor
    level_sums: Tensor
    level_runs: Tensor

    @classmethod
    def empty(cls, plan: FeaturePlan, batch: int, device: torch.device | None = None) -> "PoolState":
        """Return the state of chains that have no node yet."""
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
    """Apply kernels at all nodes but the first 8·dilation, which are only read, as the past of later nodes.

    Parameters
    ----------
    window : float32 Tensor [batch, 8·dilation + nodes, 1 or kernels]
        What each kernel reads; one column if all read the same.
    steps : float32 Tensor [8, kernels]
        Row j weighs how much larger the node j·dilation before is than the node (j + 1)·dilation before.
    dilation : int

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
        # Not `addcmul` or a matrix product: those round differently from device to device, and by settings.
        outputs = outputs + changes[:, start : start + nodes] * steps[step]
    return outputs


def add_to_thresholds(
    outputs: Tensor, thresholds: Tensor, counts: Tensor, first: int, sums: Tensor, runs: Tensor
) -> None:
    """Take the next nodes into the pools of kernels compared with thresholds.

    Parameters
    ----------
    outputs : float32 Tensor [batch, nodes, kernels]
    thresholds : float32 Tensor [thresholds, kernels]
    counts : bool Tensor, broadcastable to `outputs`
        Which outputs count.
    first : int
        The number of the first of these nodes.
    sums : float64 Tensor [batch, thresholds, 3, kernels]
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
    """Return how many nodes were above in a row at most, and how many up to the last.

    Parameters
    ----------
    above : bool Tensor [batch, nodes, kernels]
    run : float32 Tensor [batch, kernels]
        How many there were in a row before these nodes.

    Returns
    -------
    longest, run : float32 Tensor [batch, kernels]
        `longest` may count the run before these nodes where it ended with them.
    """
    number = torch.arange(1, above.size(1) + 1, device=above.device, dtype=torch.float32)[:, None]
    # The last node that was not above; before these nodes, as many back as the run is long.
    below = torch.where(above, -run[:, None], number)
    if is_exporting():
        # ONNX has no running maximum. Sorted, runs are what lies between two nodes that are not above.
        ends = torch.cat(
            (-run[:, None], below.sort(1).values, torch.full_like(below[:, :1], above.size(1) + 1)), 1
        )
        return (ends[:, 1:] - ends[:, :-1] - 1).amax(1), above.size(1) - below.amax(1)
    lengths = number - below.cummax(1).values
    return lengths.amax(1), lengths[:, -1]


def add_to_groups(outputs: Tensor, counts: Tensor, largest: Tensor, smallest: Tensor) -> None:
    """Take the next nodes into the pools of groups.

    Parameters
    ----------
    outputs : float32 Tensor [batch, nodes, groups, kernels of a group]
    counts : bool Tensor, broadcastable to `outputs`
    largest, smallest : float64 Tensor [batch, groups, kernels of a group]
        As in `PoolState`; changed in place.
    """
    largest += (outputs * ((outputs == outputs.amax(3, keepdim=True)) & counts)).sum(1)
    smallest += ((outputs == outputs.amin(3, keepdim=True)) & counts).float().sum(1)


def pooled_features(state: PoolState, plan: FeaturePlan, lengths: Tensor) -> Tensor:
    """Turn the running numbers into features: shares of a chain's nodes.

    Parameters
    ----------
    state : PoolState
    plan : FeaturePlan
    lengths : float64 Tensor [batch]
        Real nodes of each chain.

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
    """Turn shares of a chain's nodes into counts, in proportion to its length.

    Parameters
    ----------
    features : float32 Tensor [batch, plan.num_features]
    plan : FeaturePlan
    amounts : Tensor [batch]
        How many nodes a chain has, in units of those whose counts are shares.

    Returns
    -------
    float32 Tensor [batch, plan.num_features]
        What is no share is left as it is.
    """
    amount = amounts.to(features.dtype)[:, None]
    # Of the four pools the first and the last are shares; those of groups are roots.
    factors = torch.stack((amount, torch.ones_like(amount), torch.ones_like(amount), amount), 2)
    kernels, groups, levels = torch.split(features, list(plan.block_sizes), 1)
    kernels = kernels.reshape(len(kernels), -1, NUM_POOLS, NUM_KERNELS) * factors.transpose(1, 2)[:, None]
    levels = levels.reshape(len(levels), NUM_POOLS, plan.num_levels) * factors.transpose(1, 2)
    return torch.cat((kernels.flatten(1), groups * amount.sqrt(), levels.flatten(1)), 1)


def _threshold_features(sums: Tensor, runs: Tensor, start: Tensor, span: Tensor) -> Tensor:
    """Return [..., thresholds, 4, kernels]: share, mean above, mean place (-1 for no node), longest run."""
    count, total, place = sums.unbind(-2)
    some = count.clamp(min=1)
    mean_place = ((place / some - start) / span).where(count > 0, -1)
    return torch.stack((count / span, total / some, mean_place, runs.select(-2, 1) / span), -2)
