"""Forecasters of transformers beside our own: what they are asked for, and what of their answer is the forecast."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..nodes.encoders.patches import filled, lined_up

# Levels at which sampled forecasts are told.
_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class OtherForecaster:
    """What a pipeline needs to know of a forecaster, in the words of `ChainHeadConfig`.

    Attributes
    ----------
    run : callable
        Maps past values [batch, length, channels], NaN where missing, and covariates of the past and the future, or
        None, to a point forecast [batch, horizon, targets], and quantiles [batch, horizon, targets, levels] or None.
    prediction_length, num_input_channels, num_targets, num_time_features : int
    quantiles : list of float
    chain_length : int
        Steps of the past that it takes at most.
    prediction_channel_indices : list of int, optional
    """

    run: Callable[[Tensor, Tensor | None, Tensor | None], tuple[Tensor, Tensor | None]]
    prediction_length: int
    num_input_channels: int
    num_targets: int
    quantiles: list[float]
    chain_length: int
    num_time_features: int = 0
    prediction_channel_indices: list[int] | None = None
    # As of a model that takes so many steps and no more.
    poolings: tuple[str, ...] = ("flatten",)


def other_forecaster(model: Any) -> OtherForecaster | None:
    """Describe a forecaster of transformers; None for a model that is none that is known.

    Raises
    ------
    ValueError
        If the model wants features that a series does not have.
    """
    describe = _KINDS.get(model.config.model_type)
    named = type(model).__name__.endswith("ForPrediction")
    return describe(model) if describe is not None and named else None


def _of_patches(model: Any) -> OtherForecaster:
    """PatchTST and PatchTSMixer: a fixed past, all channels at once."""
    config = model.config
    mask = "past_observed_mask" if config.model_type == "patchtst" else "observed_mask"
    chosen = getattr(config, "prediction_channel_indices", None)
    samples = model.distribution_output is not None

    def run(past: Tensor, *_: Any) -> tuple[Tensor, Tensor | None]:
        values, observed = _behind_padding(past, config.context_length)
        inputs = {"past_values": values, mask: observed.to(values.dtype)}
        if samples:
            return _of_samples(model.generate(**inputs).sequences)
        return model(**inputs, return_dict=True).prediction_outputs, None

    return OtherForecaster(
        run,
        config.prediction_length,
        config.num_input_channels,
        config.num_input_channels if chosen is None else len(chosen),
        [*_LEVELS] if samples else [],
        config.context_length,
        prediction_channel_indices=chosen,
    )


def _of_one_channel(model: Any) -> OtherForecaster:
    """TimesFM: one channel of any length, and quantiles of its own."""
    config = model.config

    def run(past: Tensor, *_: Any) -> tuple[Tensor, Tensor | None]:
        outputs = model(past_values=[_without_gaps(series) for series in past.squeeze(2)], return_dict=True)
        return outputs.mean_predictions.unsqueeze(2), outputs.full_predictions[..., 1:].unsqueeze(2)

    levels = [float(level) for level in config.quantiles]
    return OtherForecaster(run, config.horizon_length, 1, 1, levels, config.context_length)


def _of_lags(model: Any) -> OtherForecaster:
    """Time Series Transformer, Informer and Autoformer: a past with lags, covariates, and samples of the future."""
    config = model.config
    for name in ("num_static_categorical_features", "num_static_real_features", "num_dynamic_real_features"):
        if getattr(config, name):
            raise ValueError(
                f"{type(model).__name__} has {name}={getattr(config, name)}, which a series does not have: call the "
                "model itself"
            )
    length = config.context_length + max(config.lags_sequence)
    channels = config.input_size

    def run(
        past: Tensor, past_features: Tensor | None, future_features: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        values, observed = _behind_padding(past, length)
        empty = values.new_zeros(values.size(0), 1, 0)
        before, ahead = (
            empty.expand(-1, steps, -1) if given is None else given
            for given, steps in ((past_features, length), (future_features, config.prediction_length))
        )
        before = torch.nn.functional.pad(before, (0, 0, length - before.size(1), 0)).nan_to_num()
        if channels == 1:
            values, observed = values.squeeze(2), observed.squeeze(2)
        sampled = model.generate(
            past_values=values,
            past_time_features=before.to(values.dtype),
            future_time_features=ahead.to(values.dtype),
            past_observed_mask=observed.to(values.dtype),
        ).sequences
        return _of_samples(sampled.unsqueeze(3) if channels == 1 else sampled)

    return OtherForecaster(
        run,
        config.prediction_length,
        channels,
        channels,
        [*_LEVELS],
        length,
        num_time_features=config.num_time_features,
    )


_KINDS: dict[str, Callable[[Any], OtherForecaster]] = {
    "autoformer": _of_lags,
    "informer": _of_lags,
    "patchtsmixer": _of_patches,
    "patchtst": _of_patches,
    "time_series_transformer": _of_lags,
    "timesfm": _of_one_channel,
    "timesfm2_5": _of_one_channel,
}


def _behind_padding(past: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the last `size` steps and which of them were observed; the mean stands for the others."""
    kept = past[:, -size:]
    return filled(*lined_up(kept, kept.new_ones(kept.shape[:2], dtype=torch.bool), size))


def _without_gaps(series: Tensor) -> Tensor:
    """Return a series [length] from its first observed value on, with straight lines over what is missing."""
    values = series.cpu().numpy()
    known = np.flatnonzero(~np.isnan(values))
    steps = np.arange(known[0], len(values))
    return torch.from_numpy(np.interp(steps, known, values[known])).to(series)


def _of_samples(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Return the median, and the quantiles, of samples [batch, samples, horizon, targets]."""
    wanted = torch.tensor(_LEVELS, dtype=samples.dtype, device=samples.device)
    found = torch.quantile(samples, wanted, 1).movedim(0, -1)
    return found[..., _LEVELS.index(0.5)], found


def known_forecasters() -> Sequence[str]:
    """Return the model types of the forecasters beside our own."""
    return sorted(_KINDS)
