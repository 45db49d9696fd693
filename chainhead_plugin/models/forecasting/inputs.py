"""The inputs of a forecaster: their shapes, checked, and the values that were observed."""

from torch import Tensor


def as_series(past_values: Tensor, channels: int) -> tuple[Tensor, bool]:
    """Return series as [batch, length, channels], and whether their channel axis was left out.

    Parameters
    ----------
    past_values : Tensor [batch, length, channels], or [batch, length] for one channel
    channels : int
        Of the model.

    Raises
    ------
    ValueError
        If the shape is another.
    """
    univariate = past_values.ndim == 2 and channels == 1
    past = past_values.unsqueeze(-1) if univariate else past_values
    if past.ndim != 3 or past.size(1) < 1 or past.size(2) != channels:
        raise ValueError(
            f"past_values has shape {tuple(past_values.shape)}, expected [batch, length, {channels}] with length ≥ 1"
            + (", or [batch, length]" if channels == 1 else "")
        )
    return past, univariate


def as_future(future_values: Tensor, forecasts: Tensor, univariate: bool) -> Tensor:
    """Return the true values of a forecast as [batch, steps, targets].

    Parameters
    ----------
    future_values : Tensor [batch, steps, targets], or [batch, steps] where `univariate`
    forecasts : Tensor [batch, steps, targets, quantiles or 1]
    univariate : bool
        Whether the channel axis is left out.

    Raises
    ------
    ValueError
        If the shape is not the forecast's.
    """
    expected = forecasts.shape[:2] if univariate else forecasts.shape[:3]
    if future_values.shape != expected:
        raise ValueError(
            f"future_values has shape {tuple(future_values.shape)}, expected {tuple(expected)}: the shape of the "
            "forecast, [batch, prediction_length" + ("]" if univariate else ", targets]")
        )
    return future_values.unsqueeze(-1) if univariate else future_values


def check_time_features(name: str, given: Tensor | None, expected: tuple[int | None, ...]) -> None:
    """Check covariates of the past or the future.

    Parameters
    ----------
    name : {"past", "future"}
    given : Tensor [batch, steps, num_time_features], optional
    expected : tuple of int
        Its shape; the last number is 0 for a model without covariates.

    Raises
    ------
    ValueError
        If they are missing, have no effect, or have another shape.
    """
    count = expected[-1]
    if given is None and count:
        raise ValueError(f"{name}_time_features are needed, of shape {expected}: num_time_features={count}")
    if given is not None and not count:
        raise ValueError(f"{name}_time_features have no effect on a model with num_time_features=0")
    if given is not None and given.shape != expected:
        raise ValueError(f"{name}_time_features has shape {tuple(given.shape)}, expected {expected}")


def observed_values(values: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """Tell which values were observed: those that are not NaN and have no 0 in the mask.

    Parameters
    ----------
    values : Tensor [batch, length, channels]
    mask : Tensor [batch, length, channels] or [batch, length], optional
        0 where a value was not observed.
    name : str
        "past" or "future", for the message.

    Returns
    -------
    bool Tensor [batch, length, channels]

    Raises
    ------
    ValueError
        If the mask has another shape.
    """
    observed = ~values.isnan()
    if mask is None:
        return observed
    if mask.shape == values.shape[:2]:
        mask = mask.unsqueeze(-1)
    elif mask.shape != values.shape:
        raise ValueError(
            f"{name}_observed_mask has shape {tuple(mask.shape)}, expected {tuple(values.shape)} or "
            f"{tuple(values.shape[:2])}"
        )
    return observed & (mask != 0).to(values.device)
