"""Quantiles of a forecast: in order, started at those of the normal distribution, and calibrated."""

from collections.abc import Sequence
from statistics import NormalDist

import torch
from torch import Tensor
from torch.nn import functional as F


def ascending(raw: Tensor, median: int) -> Tensor:
    """Make numbers ascend along the last axis: the number at `median` stays, all other numbers are steps away from it.

    Parameters
    ----------
    raw : Tensor [..., quantiles]
    median : int

    Returns
    -------
    Tensor [..., quantiles]
    """
    steps = F.softplus(raw)
    centre = raw[..., median : median + 1]
    above = centre + steps[..., median + 1 :].cumsum(-1)
    below = centre - steps[..., :median].flip(-1).cumsum(-1).flip(-1)
    return torch.cat([below, centre, above], -1)


def normal_start(levels: Sequence[float], deviations: Tensor) -> Tensor:
    """Return numbers that `ascending` turns into quantiles of normal distributions around zero.

    Parameters
    ----------
    levels : sequence of float
        Ascending, 0.5 among them.
    deviations : Tensor [...]
        Standard deviations, above zero.

    Returns
    -------
    Tensor [..., quantiles]
    """
    points = torch.tensor([NormalDist().inv_cdf(level) for level in levels]).to(deviations)
    return start_at(deviations.unsqueeze(-1) * points, levels.index(0.5))


def start_at(points: Tensor, median: int) -> Tensor:
    """Return numbers that `ascending` turns into these points: its inverse.

    Parameters
    ----------
    points : Tensor [..., quantiles]
        Ascending, no two equal.
    median : int
    """
    gaps = points.diff(dim=-1)
    steps = torch.cat([gaps[..., :median], torch.ones_like(points[..., :1]), gaps[..., median:]], -1)
    # The inverse of softplus, exact for small steps too.
    raw = steps + torch.log(-torch.expm1(-steps))
    raw[..., median] = points[..., median]
    return raw


def shifted(quantiles: Tensor, offsets: Sequence[float], median: int) -> Tensor:
    """Shift each quantile by an offset of its own; none passes its neighbour on the way to the median.

    Parameters
    ----------
    quantiles : Tensor [..., quantiles]
        Ascending.
    offsets : sequence of float
        An offset for each quantile, zero at `median`.
    median : int

    Returns
    -------
    Tensor [..., quantiles]
    """
    moved = quantiles + torch.tensor(offsets, dtype=quantiles.dtype, device=quantiles.device)
    above = moved[..., median:].cummax(-1).values
    below = moved[..., : median + 1].flip(-1).cummin(-1).values.flip(-1)
    return torch.cat([below[..., :-1], above], -1)


def conformal_offsets(errors: Tensor, levels: Sequence[float]) -> list[float]:
    """Return the offset by which each quantile would have been right on examples that training did not see.

    It is the level's quantile of the errors, with the correction for their number that makes the promise hold for the
    next value (Romano, Patterson and Candès 2019, for either end of a band by itself).

    Parameters
    ----------
    errors : Tensor [examples, quantiles]
        The observed values less the forecast quantile.
    levels : sequence of float
        The quantiles' levels.

    Returns
    -------
    list of float
        Zero for the median, which stays the point forecast.

    Raises
    ------
    ValueError
        If there is no example.
    """
    count = len(errors)
    if not count:
        raise ValueError("there is no observed value to calibrate quantiles with")
    ordered = errors.double().sort(0).values
    offsets = []
    for index, level in enumerate(levels):
        # The rank, from 1, is rounded away from the median.
        rank = (count + 1) * level
        place = int(-(-rank // 1)) if level > 0.5 else int(rank)
        place = min(max(place, 1), count)
        offsets.append(0.0 if level == 0.5 else float(ordered[place - 1, index]))
    return offsets


__all__ = ["ascending", "conformal_offsets", "normal_start", "shifted", "start_at"]
