"""Forecasts of the default forecaster's model from many pasts at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ..rolling import forecast_behind_gaps, roll_forward, trailing_gap

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
        Steps to forecast; with covariates as many as the model forecasts at once, at most.
    known : sequence of float64 arrays [length + steps or more, covariates], optional
        The covariates of each past and of the steps to forecast.

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
                forecasts = _rolled(model, _batch_of(pasts[some], model.config, known[some]), steps)
            found.append(forecasts.double().numpy())
    return np.concatenate(found)


def _behind_gaps(model: ChainHeadForTimeSeriesPrediction, pasts: Sequence[Array], steps: int) -> torch.Tensor:
    """Return the forecast [batch, steps, targets, quantiles] of pasts without covariates."""
    config = model.config
    gaps = [trailing_gap(past[-config.chain_length :]) for past in pasts]
    batch = _batch_of(pasts, config, None, max(gaps))
    if not any(gaps):
        return _rolled(model, batch, steps)

    def ahead(past: torch.Tensor, count: int, _rows: torch.Tensor) -> torch.Tensor:
        return _rolled(model, {"past_values": past}, count)

    return forecast_behind_gaps(ahead, batch["past_values"], gaps, steps)


def _rolled(
    model: ChainHeadForTimeSeriesPrediction, batch: dict[str, torch.Tensor], steps: int
) -> torch.Tensor:
    future = {name: tensor for name, tensor in batch.items() if name != "past_values"}
    device = model.device
    # Apple's GPUs have no float64.
    dtype = torch.float32 if device.type == "mps" else torch.float64

    def at_once(past: torch.Tensor) -> torch.Tensor:
        inputs = {"past_values": past[:, -model.config.chain_length :], **future}
        outputs = model(**{name: tensor.to(device, dtype) for name, tensor in inputs.items()})
        quantiles: torch.Tensor = outputs.quantile_outputs.to(past.device)
        return quantiles.unsqueeze(2) if quantiles.ndim == 3 else quantiles

    return roll_forward(at_once, batch["past_values"], steps, model.config.quantiles)


def _batch_of(
    pasts: Sequence[Array], config: Any, known: Sequence[Array] | None, further: int = 0
) -> dict[str, torch.Tensor]:
    """Return the model's inputs: the last values of the pasts, aligned at their ends.

    Parameters
    ----------
    pasts : sequence of float64 arrays [length, targets]
    config : ChainHeadConfig
    known : sequence of float64 arrays [length + prediction_length or more, covariates], optional
        The covariates of each past and of the steps to forecast.
    further : int
        Steps to return beyond those that the model takes at once.

    Returns
    -------
    dict of float64 Tensor by str
        "past_values" [pasts, steps, targets], NaN before shorter pasts. If the model takes covariates, also
        "past_time_features" [pasts, steps, covariates] and "future_time_features" [pasts, horizon, covariates].
    """
    length = max(min(len(past), config.chain_length + further) for past in pasts)
    batch = np.full((len(pasts), length, pasts[0].shape[1]), np.nan)
    for row, past in zip(batch, pasts, strict=True):
        row[length - min(len(past), length) :] = past[-length:]
    found = {"past_values": torch.from_numpy(batch)}
    if not config.num_time_features:
        return found

    steps = config.prediction_length
    seen = np.zeros((len(pasts), length, config.num_time_features))
    ahead = np.zeros((len(pasts), steps, config.num_time_features))
    for number, (past, values) in enumerate(zip(pasts, known or (), strict=True)):
        following = values[len(past) : len(past) + steps]
        if len(following) < steps:
            raise ValueError(
                f"X holds the covariates of {len(following)} steps after the past, but {steps} are forecast at once: "
                "give a row for each"
            )
        used = values[max(0, len(past) - length) : len(past)]
        if not (np.isfinite(following).all() and np.isfinite(used).all()):
            raise ValueError(
                "X holds a value that is missing or infinite: covariates are known for every step"
            )
        seen[number, length - len(used) :] = used
        ahead[number] = following
    return found | {
        "past_time_features": torch.from_numpy(seen),
        "future_time_features": torch.from_numpy(ahead),
    }


__all__ = ["forecast_pasts"]
