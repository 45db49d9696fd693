"""Forecasts beyond a model's horizon, on forecasts of its own."""

from collections.abc import Callable, Sequence
from statistics import NormalDist

import torch
from torch import Tensor

# Paths that go on from each other, and values that each adds to the mixture.
_PATHS, _VALUES = 39, 99


def roll_forward(
    forecast: Callable[[Tensor], Tensor], past: Tensor, steps: int, levels: Sequence[float] = ()
) -> Tensor:
    """Forecast as many steps as are wanted, a model's horizon at a time.

    Points go on from points. Of quantiles, what comes next depends on where in its band the series is then: the band
    is continued by paths at evenly spaced levels of it, each with a forecast of its own, and the quantiles of a later
    step are those of all these forecasts together. So bands widen by the model's own errors. A path keeps its rank
    from one horizon to the next. Nothing is drawn: two calls give the same.

    Parameters
    ----------
    forecast : callable
        Maps a past [batch, length, targets] to [batch, horizon, targets, quantiles], or without quantiles to
        [batch, horizon, targets, 1].
    past : Tensor [batch, length, targets]
    steps : int
    levels : sequence of float
        Of the quantiles, 0.5 among them; empty for points.

    Returns
    -------
    Tensor [batch, steps, targets, quantiles or 1]
    """
    first = forecast(past)
    found = [first]
    count = first.size(1)
    paths, values = (_between(levels, size).to(first) for size in (_PATHS if levels else 1, _VALUES))
    # [batch · paths, length, targets]
    ahead = past.repeat_interleave(paths.size(1), 0)
    following = first @ paths if levels else first
    wanted = torch.tensor([*levels], dtype=torch.float64).to(first)
    while count < steps:
        ahead = torch.cat([ahead, following.movedim(3, 1).flatten(0, 1).to(ahead)], 1)
        each = forecast(ahead)
        each = each.reshape(len(past), -1, *each.shape[1:])  # [batch, paths, horizon, targets, quantiles]
        if levels:
            mixed = (each @ values).movedim(1, -1).flatten(-2)  # [batch, horizon, targets, paths · values]
            block = torch.quantile(mixed, wanted, -1).movedim(0, -1)
            following = block @ paths
        else:
            block = following = each[:, 0]
        found.append(block)
        count += block.size(1)
    return torch.cat(found, 1)[:, :steps]


def _between(levels: Sequence[float], count: int) -> Tensor:
    """Return weights [quantiles, count] that make quantiles into those of evenly spaced levels.

    Straight lines over the normal distribution's quantiles, and on in the tails.
    """
    if len(levels) < 2:
        return torch.ones(max(1, len(levels)), count)
    places = torch.tensor([NormalDist().inv_cdf(level) for level in levels], dtype=torch.float64)
    wanted = [NormalDist().inv_cdf((index + 0.5) / count) for index in range(count)]
    at = torch.tensor(wanted, dtype=torch.float64)
    right = torch.searchsorted(places, at).clamp(1, len(levels) - 1)
    share = (at - places[right - 1]) / (places[right] - places[right - 1])
    weights = torch.zeros(len(levels), count, dtype=torch.float64)
    columns = torch.arange(count)
    weights[right - 1, columns] = 1 - share
    weights[right, columns] = share
    return weights


__all__ = ["roll_forward"]
