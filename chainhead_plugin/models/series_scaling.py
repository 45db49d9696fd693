"""Every series in units of its own."""

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


def nonzero(scale: Tensor) -> Tensor:
    """Return `scale` with ones in the place of zeros, to divide by."""
    return torch.where(scale > 0, scale, 1)


def _last(known: Tensor, observed: Tensor) -> Tensor:
    """Return the last observed value of each channel, zero where there is none: [batch, 1, channels]."""
    steps = torch.arange(1, known.size(1) + 1, device=known.device).view(-1, 1)
    place = torch.where(observed, steps, 0).argmax(1, keepdim=True)
    return known.gather(1, place)


def _mean(values: Tensor, count: Tensor) -> Tensor:
    # Divided first, so that the sum of large values does not overflow.
    return (values / count.clamp(min=1)).sum(1, keepdim=True)
