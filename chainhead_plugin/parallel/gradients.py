"""Sums over the processes that share a chain: of parameters' gradients, and of parts of a result."""

import torch
from torch import Tensor, distributed, nn
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor

from ..head.normalisation import SumOverProcesses
from .group import sequence_group


def sum_gradients(module: nn.Module, group: ProcessGroup | DeviceMesh | None = None) -> None:
    """Add up the gradients of a module's parameters over all processes that share its chains.

    Every process computes the part that its own nodes have in a gradient. After this call, between `backward()` and
    the optimizer's step, all have the gradient of the sum of all processes' losses, which one process with all nodes
    would have. All processes call it together.

    Parameters
    ----------
    module : nn.Module
    group : ProcessGroup or DeviceMesh of one dimension, optional
        As of `parallelize_sequence`.

    Raises
    ------
    TypeError
        If parameters are sharded: what shards them takes the mean of their gradients.
    """
    processes = sequence_group(group).processes
    by_place: dict[tuple[torch.dtype, torch.device], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if isinstance(parameter, DTensor):
            raise TypeError(
                f"{name} is sharded, and its gradient is brought together by the module that shards it: give that "
                "module the processes which share nodes, and multiply the loss by their number"
            )
        if parameter.requires_grad:
            by_place.setdefault((parameter.dtype, parameter.device), []).append(parameter)

    for parameters in by_place.values():
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        # Behind the gradients, for each whether it is there: a parameter may be of no use to this process.
        there = parts[0].new_tensor([p.grad is not None for p in parameters])
        whole = torch.cat([*(part.flatten() for part in parts), there])
        distributed.all_reduce(whole, group=processes)
        *sums, used = torch.split(whole, [*(p.numel() for p in parameters), len(parameters)])
        for parameter, total, is_used in zip(parameters, sums, used.tolist(), strict=True):
            if is_used:
                parameter.grad = total.view_as(parameter).clone()


def sum_over_processes(part: Tensor, group: ProcessGroup | DeviceMesh | None = None) -> Tensor:
    """Add up a tensor over all processes that share a chain, differentiably: a pooling over all nodes, for example.

    Parameters
    ----------
    part : Tensor
        Of one shape and dtype in all processes, which call this together.
    group : ProcessGroup or DeviceMesh of one dimension, optional
        As of `parallelize_sequence`.

    Returns
    -------
    Tensor
        The sum, in all processes. Its gradient is that of all processes' losses together: where each of them computes
        the same loss of it, divide that loss by their number.
    """
    total: Tensor = SumOverProcesses.apply(part, sequence_group(group).processes)
    return total
