"""The plain form of chains', or a stream's next nodes', way into the pools: the reference of the compiled form."""

from typing import NamedTuple

import torch
from torch import Tensor

from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan
from .pools import PoolState, add_to_groups, add_to_thresholds, kernel_outputs


class KernelTables(NamedTuple):
    """What kernels read, weigh and are compared with.

    Parameters
    ----------
    steps : float32 Tensor [banks, 8, 84]
        The fixed kernels as weights of differences.
    kernel_channels : int8 Tensor [banks, 84, m]
    thresholds : float32 Tensor [banks, thresholds, 84]
    group_steps : float32 Tensor [banks, groups, kernels of a group, 8]
    group_channels : int8 Tensor [banks, groups, m]
    level_channels : int8 Tensor [levels, m]
    level_thresholds : float32 Tensor [1, levels]
    """

    steps: Tensor
    kernel_channels: Tensor
    thresholds: Tensor
    group_steps: Tensor
    group_channels: Tensor
    level_channels: Tensor
    level_thresholds: Tensor


def pool_chains(
    inputs: Tensor,
    past: int,
    first: int,
    ends: Tensor,
    plan: FeaturePlan,
    tables: KernelTables,
    state: PoolState,
) -> None:
    """Take the next nodes of chains into their pools.

    Parameters
    ----------
    inputs : float32 Tensor [batch, 1 or 2, past + nodes, m]
        The scaled nodes and their differences, the past first; zeros after the end of a chain, of which there are as
        many as kernels wait for.
    past : int
        How many of them are past: at least 8 times the largest dilation.
    first : int
        The number of the first node that is not past.
    ends : int Tensor [batch]
        The number of nodes of each chain; for a chain that is not over, of nodes that can be at most.
    plan : FeaturePlan
    tables : KernelTables
    state : PoolState
        Changed in place.
    """
    number = first + torch.arange(inputs.size(2) - past, device=inputs.device)[None, :, None]
    end = ends[:, None, None]
    half = NUM_KERNELS // 2
    for bank, (diff, dilation, _) in enumerate(plan.banks):
        reach, lag = (NUM_TAPS - 1) * dilation, plan.lag(dilation)
        window = inputs[:, int(diff), past - reach :]  # [batch, reach + nodes, m]
        at_any = (number >= lag) & (number < end + lag)
        at_full = (number >= reach) & (number < end)
        counts = torch.cat((at_any.expand(-1, -1, half), at_full.expand(-1, -1, half)), 2)
        add_to_thresholds(
            kernel_outputs(_sums(window, tables.kernel_channels[bank]), tables.steps[bank], dilation),
            tables.thresholds[bank],
            counts,
            first,
            state.kernel_sums[:, bank],
            state.kernel_runs[:, bank],
        )
        if plan.num_groups:
            read = _sums(window, tables.group_channels[bank])
            if read.size(2) > 1:
                read = read.repeat_interleave(plan.group_size, 2)
            outputs = kernel_outputs(read, tables.group_steps[bank].flatten(0, 1).T, dilation)
            outputs = outputs.view(*outputs.shape[:2], plan.num_groups, plan.group_size)
            add_to_groups(outputs, at_any[..., None], state.largest[:, bank], state.smallest[:, bank])
    if plan.num_levels:
        levels = _sums(inputs[:, 0, past:], tables.level_channels).expand(-1, -1, plan.num_levels)
        add_to_thresholds(
            levels, tables.level_thresholds, number < end, first, state.level_sums, state.level_runs
        )


def _sums(nodes: Tensor, channels: Tensor) -> Tensor:
    """Add up channels [kernels, m] of nodes [..., m]: [..., kernels], or [..., 1] if there is a single channel."""
    if channels.size(1) == 1:
        return nodes
    # Settings of PyTorch's make float32 matrix products less exact than float32.
    return (nodes.double() @ channels.double().T).float()
