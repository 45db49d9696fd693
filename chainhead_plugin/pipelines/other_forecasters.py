"""Forecasters of transformers, such as PatchTST and TimesFM: how to call them, and how to read their outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..nodes.encoders.patches import filled, lined_up

# The levels of the quantiles that are taken from sampled forecasts.
_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class OtherForecaster:
    """The description of a forecaster that the pipeline needs, with the names of fields of `ChainHeadConfig`.

    Attributes
    ----------
    run : callable
        Takes past values [batch, length, channels], NaN where missing, and covariates of the past and of the future, or
        None. Returns a point forecast [batch, horizon, targets], and quantiles [batch, horizon, targets, levels] or
        None.
    prediction_length : int
        Steps that the model forecasts at once.
    num_input_channels, num_targets, num_time_features : int
        Number of channels, of forecast channels and of covariates.
    quantiles : list of float
        Levels of the quantiles; empty if the model has none.
    chain_length : int
        The most steps of the past that the model takes.
    prediction_channel_indices : list of int, optional
        Indices of the forecast channels; by default all.
    """

    run: Callable[[Tensor, Tensor | None, Tensor | None], tuple[Tensor, Tensor | None]]
    prediction_length: int
    num_input_channels: int
    num_targets: int
    quantiles: list[float]
    chain_length: int
    num_time_features: int = 0
    prediction_channel_indices: list[int] | None = None
    # With this pooling, a model of this package takes at most `chain_length` steps, and so does this model.
    poolings: tuple[str, ...] = ("flatten",)


def other_forecaster(model: Any) -> OtherForecaster | None:
    """Return the description of a forecaster of transformers; None if the model is of another class.

    Raises
    ------
    ValueError
        If the model needs features that a series does not have, such as static features.
    """
    describe = _KINDS.get(model.config.model_type)
    named = type(model).__name__.endswith("ForPrediction")
    return describe(model) if describe is not None and named else None


def _of_patches(model: Any) -> OtherForecaster:
    """Describe PatchTST or PatchTSMixer, which take a past of fixed length and all channels at once."""
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
    """Describe TimesFM, which takes one channel of any length and has quantiles."""
    config = model.config

    def run(past: Tensor, *_: Any) -> tuple[Tensor, Tensor | None]:
        outputs = model(past_values=[_without_gaps(series) for series in past.squeeze(2)], return_dict=True)
        return outputs.mean_predictions.unsqueeze(2), outputs.full_predictions[..., 1:].unsqueeze(2)

    levels = [float(level) for level in config.quantiles]
    return OtherForecaster(run, config.horizon_length, 1, 1, levels, config.context_length)


def _of_lags(model: Any) -> OtherForecaster:
    """Describe Time Series Transformer, Informer or Autoformer: they take lags and covariates, and draw samples."""
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
    """Return the last `size` steps, with missing values replaced by the mean, and which of them were observed."""
    kept = past[:, -size:]
    return filled(*lined_up(kept, kept.new_ones(kept.shape[:2], dtype=torch.bool), size))


def _without_gaps(series: Tensor) -> Tensor:
    """Return a series [length] from its first observed value on, with missing values interpolated linearly."""
    values = series.cpu().numpy()
    known = np.flatnonzero(~np.isnan(values))
    steps = np.arange(known[0], len(values))
    return torch.from_numpy(np.interp(steps, known, values[known])).to(series)


def _of_samples(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Return the median and the quantiles of samples [batch, samples, horizon, targets]."""
    wanted = torch.tensor(_LEVELS, dtype=samples.dtype, device=samples.device)
    found = torch.quantile(samples, wanted, 1).movedim(0, -1)
    return found[..., _LEVELS.index(0.5)], found


def known_forecasters() -> Sequence[str]:
    """Return the model types of the forecasters of transformers that the pipeline supports."""
    return sorted(_KINDS)
