"""Batch normalisation over real nodes, of one process or of all."""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function


class NodeBatchNorm(nn.BatchNorm1d):
    """BatchNorm over the feature axis of [batch, length, features], its statistics over real nodes only.

    Parameters and buffers are those of `torch.nn.BatchNorm1d`. A batch without real nodes leaves the running
    statistics as they are.

    Attributes
    ----------
    synchronised : bool
        Whether statistics in training are over the real nodes of all processes, with the gradients that go with
        them. `torch.nn.SyncBatchNorm.convert_sync_batchnorm` turns it on in modules that hold it by
        `HoldsBatchNorm`. Then all processes have to be called equally often, if with batches without nodes.
    process_group : torch.distributed.ProcessGroup, optional
        The processes that count; None for all.
    """

    synchronised: bool = False
    process_group: Any = None

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:  # noqa: A002
        """Normalise [batch, length, features]; `mask` [batch, length] is True for real nodes."""
        joined = self.training and self._joins_processes()
        if input.numel() == 0 and not joined:
            return input
        if not self.training or (mask is None and not joined):
            return super().forward(input.flatten(0, 1)).view_as(input)
        if mask is None:
            mask = input.new_ones(input.shape[:2], dtype=torch.bool)
        return self._masked(input, mask.unsqueeze(-1), joined)

    def _joins_processes(self) -> bool:
        return (
            self.synchronised
            and distributed.is_available()
            and distributed.is_initialized()
            and distributed.get_world_size(self.process_group) > 1
        )

    def _masked(self, x: Tensor, mask: Tensor, joined: bool) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        wide = torch.where(mask, wide, 0)
        sums, count = wide.sum((0, 1)), mask.sum().to(wide.dtype)
        if joined:
            total = self._over_processes(torch.cat((sums, count.view(1))))
            sums, count = total[:-1], total[-1].detach()
        mean = sums / count.clamp(min=1)

        squares = torch.where(mask, wide - mean, 0).square().sum((0, 1))
        variance = (self._over_processes(squares) if joined else squares) / count.clamp(min=1)

        self._update_running_statistics(mean.detach(), variance.detach(), count)
        normal = (wide - mean) * torch.rsqrt(variance + self.eps)
        return torch.where(mask, normal * self.weight + self.bias, 0).to(x.dtype)

    def _over_processes(self, sums: Tensor) -> Tensor:
        total: Tensor = SumOverProcesses.apply(sums, self.process_group)
        return total

    def _update_running_statistics(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_((count > 0).to(self.num_batches_tracked.dtype))
        unbiased = variance * count / (count - 1).clamp(min=1)
        momentum = self.momentum * (count > 0).to(count.dtype)
        for running, batch in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.add_(momentum * (batch - running))

    def extra_repr(self) -> str:
        """Options, for `print(model)`."""
        options: str = super().extra_repr()  # type: ignore[no-untyped-call]
        return f"{options}, synchronised=True" if self.synchronised else options


class HoldsBatchNorm(nn.Module):
    """A module whose `NodeBatchNorm`s stay such, and are synchronised, where torch puts its `SyncBatchNorm` there.

    `torch.nn.SyncBatchNorm.convert_sync_batchnorm` replaces every BatchNorm by a module that knows no mask and has
    the features on another axis; it does so by its parent's `add_module`.
    """

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Add a module; in the place of a `NodeBatchNorm`, torch's `SyncBatchNorm` synchronises it."""
        present = self._modules.get(name)
        if isinstance(module, nn.SyncBatchNorm) and isinstance(present, NodeBatchNorm):
            present.synchronised, present.process_group = True, module.process_group
            module = present
        super().add_module(name, module)


class SumOverProcesses(Function):
    """The sum of a Tensor over the processes of a group, on each of them; and so is its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, group: Any) -> Tensor:
        """Return a new Tensor with the sum of every process's `x`."""
        ctx.group = group
        total = x.clone()
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Every process's `x` is in every process's sum."""
        gradient: Tensor = SumOverProcesses.apply(grads[0], ctx.group)
        return gradient, None
