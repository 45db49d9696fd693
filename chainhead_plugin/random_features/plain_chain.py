"""The plain form of pooling, for whole chains or a stream's next nodes; the compiled form is tested against it."""

from typing import NamedTuple

import torch
from torch import Tensor

from .plan import NUM_KERNELS, NUM_TAPS, FeaturePlan
from .pools import PoolState, add_to_groups, add_to_thresholds, kernel_outputs


class KernelTables(NamedTuple):
    """Weights, channels and thresholds of all kernels.

    Parameters
    ----------
    steps : float32 Tensor [banks, 8, 84]
        The fixed kernels as weights of differences between nodes.
    kernel_channels : int8 Tensor [banks, 84, m]
        1 for channels that a fixed kernel adds up, otherwise 0.
    thresholds : float32 Tensor [banks, thresholds, 84]
        Thresholds of the fixed kernels' outputs.
    group_steps : float32 Tensor [banks, groups, kernels of a group, 8]
        The groups' kernels as weights of differences between nodes.
    group_channels : int8 Tensor [banks, groups, m]
        1 for channels that a group adds up, otherwise 0.
    level_channels : int8 Tensor [levels, m]
        1 or -1 for channels that a level adds up, otherwise 0.
    level_thresholds : float32 Tensor [1, levels]
        Thresholds of the nodes themselves.
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
    """Add the next nodes of chains to their pools.

    Parameters
    ----------
    inputs : float32 Tensor [batch, 1 or 2, past + nodes, m]
        The scaled nodes, and if kernels read them the differences between successive nodes; past nodes first. The end
        of a chain is followed by as many zeros as kernels read later nodes.
    past : int
        The number of past nodes: at least 8 times the largest dilation.
    first : int
        The index in the chain of the first node that is not past.
    ends : int Tensor [batch]
        The number of nodes of each chain. For a chain that still goes on, a number that it never reaches.
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
    """Return the sums of the channels [kernels, m] of nodes [..., m]: [..., kernels], or [..., 1] if m is 1."""
    if channels.size(1) == 1:
        return nodes
    # In float64, as settings of PyTorch may make float32 matrix products less exact than float32.
    return (nodes.double() @ channels.double().T).float()
