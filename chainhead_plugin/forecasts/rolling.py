"""Forecasts of more steps than a model's horizon: the model continues from its own forecasts."""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# The number of paths that are continued, and the number of values that each path adds to the mixture.
_PATHS, _VALUES = 39, 99


def roll_forward(
    forecast: Callable[[Tensor], Tensor], past: Tensor, steps: int, levels: Sequence[float] = ()
) -> Tensor:
    """Forecast any number of steps, one horizon of the model after the other.

    A model without quantiles continues from its point forecasts. A model with quantiles continues from several paths,
    which lie at evenly spaced levels between its quantiles. Each path gets its own forecast, and the quantiles of a
    later step are the quantiles of all these forecasts together. So the quantiles move apart as errors add up. A path
    keeps its level from one horizon to the next. Nothing is random: two calls give the same numbers.

    Parameters
    ----------
    forecast : callable
        Maps a past [batch, length, targets] to [batch, horizon, targets, quantiles], or without quantiles to
        [batch, horizon, targets, 1].
    past : Tensor [batch, length, targets]
    steps : int
        Steps to forecast.
    levels : sequence of float
        Levels of the quantiles; 0.5 must be among them. Empty for point forecasts.

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


def trailing_gap(past: NDArray[Any]) -> int:
    """Return the number of last steps of a past [length, targets] in which every target is missing.

    0 if no target has any value.
    """
    observed = np.flatnonzero(~np.isnan(past).all(1))
    return len(past) - 1 - int(observed[-1]) if len(observed) else 0


def ahead_with_known(
    forecast: Callable[[Tensor, Tensor, Tensor], Tensor], known: Tensor, horizon: int
) -> Callable[[Tensor], Tensor]:
    """Return a forecast for `roll_forward` of a model that takes covariates, which are known for all steps to come.

    If fewer steps than the horizon are known behind a past, the forecast begins so much earlier, and its first steps,
    which the past holds already, are left out.

    Parameters
    ----------
    forecast : callable
        Maps a past, the covariates of its steps, and those of the horizon, to forecasts [batch, horizon, targets,
        quantiles or 1].
    known : Tensor [batch, steps, covariates]
        The covariates, from the first step of the past on to the last step to forecast.
    horizon : int
        Steps that the model forecasts at once.
    """

    def ahead(past: Tensor) -> Tensor:
        begin = min(past.size(1), known.size(1) - horizon)
        repeated = known.repeat_interleave(len(past) // len(known), 0)
        some = forecast(past[:, :begin], repeated[:, :begin], repeated[:, begin : begin + horizon])
        return some[:, past.size(1) - begin :]

    return ahead


def gaps_at_ends(
    values: NDArray[Any], lengths: NDArray[np.intp], context_length: int | None
) -> NDArray[np.intp]:
    """Return for each series how many steps at its end are missing, and can be forecast before all further steps.

    A gap at least as long as the context counts as 0: there is nothing to forecast from.

    Parameters
    ----------
    values : array [sum of lengths, targets]
        Series, one after the other.
    lengths : int array [series]
    context_length : int, optional
        The most values that the forecast begins from.

    Returns
    -------
    int array [series]
    """
    parts = np.split(values, np.cumsum(lengths)[:-1])
    gaps = np.array([trailing_gap(part) for part in parts], dtype=np.intp)
    return gaps if context_length is None else np.where(gaps < context_length, gaps, 0)


def forecast_behind_gaps(
    forecast: Callable[[Tensor, int, Tensor], Tensor], past: Tensor, gaps: Sequence[int], steps: int
) -> Tensor:
    """Forecast from pasts whose last values are missing: the missing steps are forecast too, and left out.

    A model by itself takes the last observed value for the missing values. After a gap of a whole season, its forecast
    would know of no season.

    Parameters
    ----------
    forecast : callable
        Maps a past [batch, length, targets], a number of steps, and which series these are, a bool tensor [series], to
        [batch, steps, targets, quantiles or 1].
    past : Tensor [batch, length, targets]
        Up to the end of the gaps.
    gaps : sequence of int
        For each past the number of its last steps that are missing.
    steps : int
        Steps to forecast behind the gaps.

    Returns
    -------
    Tensor [batch, steps, targets, quantiles or 1]
    """
    found: Tensor | None = None
    for gap in sorted({*gaps}):
        rows = torch.tensor([one == gap for one in gaps], device=past.device)
        some = forecast(past[rows, : past.size(1) - gap], steps + gap, rows)[:, gap:]
        found = some.new_empty(len(past), *some.shape[1:]) if found is None else found
        found[rows] = some
    assert found is not None
    return found


def _between(levels: Sequence[float], count: int) -> Tensor:
    """Return weights [quantiles, count] that interpolate a model's quantiles at evenly spaced levels.

    The interpolation is linear over the quantiles of the normal distribution, and continues beyond the outer levels.
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


__all__ = ["ahead_with_known", "forecast_behind_gaps", "gaps_at_ends", "roll_forward", "trailing_gap"]
