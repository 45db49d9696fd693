"""The loss of a forecaster, over the values that were observed."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .series_scaling import nonzero


def forecast_loss(
    raw: Tensor,
    future: Tensor,
    observed: Tensor,
    loc: Tensor,
    scale: Tensor,
    quantiles: Sequence[float],
    loss: str | None,
) -> Tensor:
    """Return the mean loss over the observed values of a batch, in units of each series' scale.

    Parameters
    ----------
    raw : Tensor [batch, steps, targets, quantiles or 1]
        The forecasts in units of the series' scale.
    future : Tensor [batch, steps, targets]
        The true values in the data's units.
    observed : bool Tensor [batch, steps, targets]
    loc, scale : Tensor [batch, 1, targets]
    quantiles : sequence of float
        Levels, for the pinball loss; empty for a point forecast.
    loss : {"mae", "huber", "mse"} or None
        The loss of a point forecast; None for "mse".

    Returns
    -------
    Tensor []
        0 where no value counts.
    """
    # A series that does not vary is forecast as it is, whatever the weights: it teaches nothing.
    counts = observed & (scale > 0)
    target = ((torch.where(counts, future, loc) - loc) / nonzero(scale)).unsqueeze(-1)
    errors = target - raw

    if quantiles:
        levels = torch.tensor(quantiles, dtype=errors.dtype, device=errors.device)
        losses = torch.maximum(levels * errors, (levels - 1) * errors)
    elif loss == "mae":
        losses = errors.abs()
    elif loss == "huber":
        losses = F.huber_loss(raw, target, reduction="none")
    else:
        losses = errors.square()

    return torch.where(counts, losses.mean(-1), 0).sum() / counts.sum().clamp(min=1)
