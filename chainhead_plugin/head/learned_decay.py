"""How strongly each feature's neighbours decay, learned."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init

from .linear.maps import has_hooks


class LearnedDecay(nn.Module):
    """γ [features] in (0, limit): `limit` times the sigmoid of the parameter `logit` [features].

    Parameters
    ----------
    features : int
    start : float
        The first value of every γ, between 0 and `limit`.
    limit : float
    device : torch.device or str, optional
    dtype : torch.dtype, optional
        Device and dtype of the parameter; None for torch's defaults.
    """

    def __init__(
        self,
        features: int,
        start: float,
        limit: float,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.start = start
        self.limit = limit
        self.logit = nn.Parameter(torch.empty(features, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let every γ be `start`."""
        share = self.start / self.limit
        init.constant_(self.logit, math.log(share) - math.log1p(-share))

    def forward(self) -> Tensor:
        """Return γ [features], in float32 at least."""
        return _gamma(self.logit, self.limit)

    def extra_repr(self) -> str:
        """Size and range, for `print(model)`."""
        return f"features={self.logit.numel()}, start={self.start:g}, limit={self.limit:g}"


def gamma_of(decay: Any) -> Tensor:
    """Call a `LearnedDecay`, or the module in its place; for a plain `LearnedDecay` its function alone."""
    called = torch.compiler.is_compiling() or type(decay) is not LearnedDecay or has_hooks(decay)
    # A replica or a shard has a tensor in its place.
    logit = None if called else decay._parameters.get("logit")
    gamma: Tensor = decay() if logit is None else _gamma(logit, decay.limit)
    return gamma


def _gamma(logit: Tensor, limit: float) -> Tensor:
    wide = logit if logit.dtype in (torch.float32, torch.float64) else logit.float()
    share = torch.sigmoid(wide)
    return share if limit == 1 else limit * share
