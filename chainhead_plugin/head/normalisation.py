"""Batch normalisation over real nodes."""

import torch
from torch import Tensor, nn


class NodeBatchNorm(nn.BatchNorm1d):
    """BatchNorm over the feature axis of [batch, length, features], its statistics over real nodes only.

    Parameters and buffers are those of `torch.nn.BatchNorm1d`. A batch without real nodes leaves the running
    statistics as they are.
    """

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:  # noqa: A002
        """Normalise [batch, length, features]; `mask` [batch, length] is True for real nodes."""
        if input.numel() == 0:
            return input
        if mask is None or not self.training:
            return super().forward(input.flatten(0, 1)).view_as(input)
        return self._masked(input, mask.unsqueeze(-1))

    def _masked(self, x: Tensor, mask: Tensor) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        wide = torch.where(mask, wide, 0)
        count = mask.sum().to(wide.dtype)
        mean = wide.sum((0, 1)) / count.clamp(min=1)
        variance = torch.where(mask, wide - mean, 0).square().sum((0, 1)) / count.clamp(min=1)
        self._update_running_statistics(mean.detach(), variance.detach(), count)
        normal = (wide - mean) * torch.rsqrt(variance + self.eps)
        return torch.where(mask, normal * self.weight + self.bias, 0).to(x.dtype)

    def _update_running_statistics(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_((count > 0).to(self.num_batches_tracked.dtype))
        unbiased = variance * count / (count - 1).clamp(min=1)
        momentum = torch.where(count > 0, self.momentum, 0.0)
        for running, batch in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.add_(momentum * (batch - running))
