"""Forecasts of the default forecaster's model from many pasts at once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ..rolling import ahead_with_known, forecast_behind_gaps, roll_forward, trailing_gap

Array = NDArray[np.float64]

# How many forecasts are computed in one call of the model.
_BATCH = 256


def forecast_pasts(
    model: ChainHeadForTimeSeriesPrediction,
    pasts: Sequence[Array],
    steps: int,
    known: Sequence[Array] | None = None,
) -> Array:
    """Forecast from several pasts at once.

    Parameters
    ----------
    model : ChainHeadForTimeSeriesPrediction
        With quantiles.
    pasts : sequence of float64 arrays [length, targets]
        Each has at least one observed value of every target; NaN is a missing value.
    steps : int
        Steps to forecast; after those that the model forecasts at once, it continues from its own forecasts.
    known : sequence of float64 arrays [length + steps or more, covariates], optional
        The covariates of each past and of the steps to forecast, which are as many as the model forecasts at once, at
        least.

    Returns
    -------
    float64 array [pasts, steps, targets, quantiles]

    Raises
    ------
    ValueError
        If covariates are missing.
    """
    found = []
    for begin in range(0, len(pasts), _BATCH):
        some = slice(begin, begin + _BATCH)
        with torch.inference_mode():
            if known is None:
                forecasts = _behind_gaps(model, pasts[some], steps)
            else:
                batch = _batch_of(pasts[some], model.config)
                batch |= _covariates(pasts[some], model.config, known[some], steps)
                forecasts = _rolled(model, batch, steps)
            found.append(forecasts.double().numpy())
    return np.concatenate(found)


def _behind_gaps(model: ChainHeadForTimeSeriesPrediction, pasts: Sequence[Array], steps: int) -> torch.Tensor:
    """Return the forecast [batch, steps, targets, quantiles] of pasts without covariates."""
    config = model.config
    gaps = [trailing_gap(past[-config.chain_length :]) for past in pasts]
    batch = _batch_of(pasts, config, max(gaps))
    if not any(gaps):
        return _rolled(model, batch, steps)

    def ahead(past: torch.Tensor, count: int, _rows: torch.Tensor) -> torch.Tensor:
        return _rolled(model, {"past_values": past}, count)

    return forecast_behind_gaps(ahead, batch["past_values"], gaps, steps)


def _rolled(
    model: ChainHeadForTimeSeriesPrediction, batch: dict[str, torch.Tensor], steps: int
) -> torch.Tensor:
    device, length = model.device, model.config.chain_length
    # Apple's GPUs have no float64.
    dtype = torch.float32 if device.type == "mps" else torch.float64

    def at_once(
        past: torch.Tensor, known: torch.Tensor | None = None, future: torch.Tensor | None = None
    ) -> torch.Tensor:
        inputs = {"past_values": past[:, -length:]}
        if known is not None and future is not None:
            inputs |= {"past_time_features": known[:, -length:], "future_time_features": future}
        outputs = model(**{name: tensor.to(device, dtype) for name, tensor in inputs.items()})
        quantiles: torch.Tensor = outputs.quantile_outputs.to(past.device)
        return quantiles.unsqueeze(2) if quantiles.ndim == 3 else quantiles

    ahead: Callable[[torch.Tensor], torch.Tensor] = at_once
    if "known" in batch:
        ahead = ahead_with_known(at_once, batch["known"], int(model.config.prediction_length or 0))
    return roll_forward(ahead, batch["past_values"], steps, model.config.quantiles)


def _batch_of(pasts: Sequence[Array], config: Any, further: int = 0) -> dict[str, torch.Tensor]:
    """Return "past_values" [pasts, steps, targets]: the last values, aligned at their ends, NaN before shorter pasts.

    Parameters
    ----------
    pasts : sequence of float64 arrays [length, targets]
    config : ChainHeadConfig
    further : int
        Steps to return beyond those that the model takes at once.
    """
    length = max(min(len(past), config.chain_length + further) for past in pasts)
    batch = np.full((len(pasts), length, pasts[0].shape[1]), np.nan)
    for row, past in zip(batch, pasts, strict=True):
        row[length - min(len(past), length) :] = past[-length:]
    return {"past_values": torch.from_numpy(batch)}


def _covariates(
    pasts: Sequence[Array], config: Any, known: Sequence[Array], steps: int
) -> dict[str, torch.Tensor]:
    """Return "known" [pasts, steps of the past and ahead, covariates], aligned as the values of `_batch_of`."""
    length = max(min(len(past), config.chain_length) for past in pasts)
    ahead = max(steps, config.prediction_length)
    found = np.zeros((len(pasts), length + ahead, config.num_time_features))
    for row, past, values in zip(found, pasts, known, strict=True):
        used = values[max(0, len(past) - length) : len(past) + ahead]
        following = len(values) - len(past)
        if following < ahead:
            raise ValueError(
                f"X holds the covariates of {max(0, following)} steps after the past, but {ahead} are forecast: give a "
                "row for each"
            )
        if not np.isfinite(used).all():
            raise ValueError(
                "X holds a value that is missing or infinite: covariates are known for every step"
            )
        row[-len(used) :] = used
    return {"known": torch.from_numpy(found)}


__all__ = ["forecast_pasts"]
