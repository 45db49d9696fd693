"""Every series in units of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor


def scale_series(values: Tensor, observed: Tensor, scaling: str | None) -> tuple[Tensor, Tensor, Tensor]:
    """Shift and scale each channel of each series by statistics of its observed values.

    Parameters
    ----------
    values : floating point Tensor [batch, length, channels]
        Whatever where not observed, NaN included.
    observed : bool Tensor [batch, length, channels]
    scaling : {"std", "mean", "last", None}
        "std": by the mean, to a standard deviation of 1. "last": by the last observed value, to a standard deviation
        of 1. "mean": by nothing, to a mean absolute value of 1. None: values as they are.

    Returns
    -------
    scaled : Tensor [batch, length, channels]
        Zero where not observed.
    loc, scale : Tensor [batch, 1, channels]
        ``values = scaled * scale + loc``. `scale` is 0 for channels that do not vary ("std", "last") or are all zero
        ("mean"), and `loc` is then exactly their value; loc 0 and scale 1 stand for channels without any
        observed value.
    """
    count = observed.sum(1, keepdim=True)
    known = torch.where(observed, values, 0)
    loc = torch.zeros_like(known[:, :1])
    if scaling is None:
        return known, loc, torch.ones_like(loc)

    if scaling == "mean":
        scale = _mean(known.abs(), count)
    else:
        lowest = torch.where(observed, known, torch.inf).amin(1, keepdim=True)
        highest = torch.where(observed, known, -torch.inf).amax(1, keepdim=True)
        # The rounded mean of a constant differs from it, and would leave a tiny deviation to divide by.
        loc = torch.where(lowest == highest, lowest, _mean(known, count))
        deviations = torch.where(observed, known - loc, 0)
        # Squares of large or small deviations leave the range of float32: taken relative to the largest.
        largest = deviations.abs().amax(1, keepdim=True)
        variance = _mean((deviations / nonzero(largest)).square(), count)
        # Zero only where `largest` is: replaced, as the square root has no gradient there.
        scale = largest * nonzero(variance).sqrt()
        if scaling == "last":
            loc = _last(known, observed)

    scale = torch.where(count > 0, scale, 1)
    return torch.where(observed, (known - loc) / nonzero(scale), 0), loc, scale


def scale_alike(
    values: Tensor, observed: Tensor, loc: Sequence[float], scale: Sequence[float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Shift and scale each channel of all series by the same numbers; as `scale_series` otherwise."""
    ones = torch.ones_like(values[:, :1])
    locs, scales = (ones * ones.new_tensor(numbers) for numbers in (loc, scale))
    return torch.where(observed, (values - locs) / scales, 0), locs, scales


def interpolate(values: Tensor, observed: Tensor) -> Tensor:
    """Put missing values on the straight line between the observed values around them.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
    observed : bool Tensor [batch, length, channels]

    Returns
    -------
    Tensor [batch, length, channels]
        After the last observed value it is repeated; values before the first observed value stay.
    """
    length = values.size(1)
    steps = torch.arange(length, device=values.device).view(1, -1, 1).expand_as(observed)
    before = torch.where(observed, steps, -1).cummax(1).values
    after = torch.where(observed, steps, length).flip(1).cummin(1).values.flip(1)
    last, following = before.clamp(min=0), torch.where(after < length, after, before.clamp(min=0))
    share = ((steps - last) / (following - last).clamp(min=1)).to(values)
    filled = values.gather(1, last) * (1 - share) + values.gather(1, following) * share
    after_the_end = after == length
    filled = torch.where(after_the_end, values.gather(1, last), filled)
    return torch.where(observed | (before < 0), values, filled)


def nonzero(scale: Tensor) -> Tensor:
    """Return `scale` with 1 in the place of 0, to divide by."""
    return torch.where(scale > 0, scale, 1)


def _last(known: Tensor, observed: Tensor) -> Tensor:
    """Return the last observed value of each channel, zero where there is none: [batch, 1, channels]."""
    steps = torch.arange(1, known.size(1) + 1, device=known.device).view(-1, 1)
    place = torch.where(observed, steps, 0).argmax(1, keepdim=True)
    return known.gather(1, place)


def _mean(values: Tensor, count: Tensor) -> Tensor:
    # Divided first, so that the sum of large values does not overflow.
    return (values / count.clamp(min=1)).sum(1, keepdim=True)
