"""The pipeline "time-series-forecasting"."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature

from ..checks.values import check_switch, check_whole_number
from ..config.configuration_chainhead import ChainHeadConfig
from ..forecasts.following.other_scale import tell_other_scale
from ..forecasts.rolling import gaps_at_ends
from ..inputs.named_sequences import arrays_of, listed_beside_targets, one_named
from ..inputs.sequences import join
from .base import ChainPipeline, saved_extractor
from .following import followed_by, saved_band
from .future_rows import split_future
from .other_forecasters import known_forecasters, other_forecaster
from .running import ForecastRun, check_observed

TIMES, NEW_ORIGINS = "times", "new_origins"
_GAPS = "gaps"
# The most steps that can be forecast. Forecasts are useless long before, as errors add up.
_LONGEST = 2**20


class TimeSeriesForecastingPipeline(ChainPipeline):
    """Forecast series with `ChainHeadForTimeSeriesPrediction`, or with a forecaster of transformers.

    The forecasters of transformers are PatchTST, PatchTSMixer, TimesFM (one channel), Informer, Autoformer and Time
    Series Transformer, in their classes for prediction. They scale series in their own way, and get a mask of missing
    values. Models that draw samples return the quantiles 0.1, 0.2 … 0.9 of these, and their median as the forecast;
    `torch.manual_seed` makes the samples reproducible.

    A series is ``[L]`` for a model of one channel, otherwise ``[L, channels]``: a NumPy array, a torch tensor, a
    Series or DataFrame of pandas, or lists of numbers, in any unit; NaN, None and pandas' NA are missing values. The
    model scales the series. A feature extractor is only needed for the names of columns, if the model was trained on a
    table.

    A model with `num_time_features` takes covariates, which are known for the future too. Each row of a series then
    holds the channels and after them the covariates, and the series continues for `prediction_length` future rows, in
    which the channels are missing: ``[L + prediction_length, channels + num_time_features]``.

    Options, at construction or in a call:

    - `prediction_length`: the number of steps to return; None for as many as the model forecasts at once. For more
      steps the model continues from its own forecasts, and the quantiles move apart as errors add up (`roll_forward`).
      Covariates have to be known for all of them. This is not possible for a model with channels that it does not
      forecast.
    - `quantiles`: levels of the quantiles to return, which must be levels of the model; None for all.
    - `context_length`: the most values of a series to forecast from, counted from its end. None for all values, or for
      the model's `chain_length` if its pooling is "flatten", or a `ChainHeadForecaster` saved it.
    - `update_bands`: whether the quantiles of a saved `ChainHeadForecaster` are adjusted to the errors of forecasts
      within the series, from every step after its training, as by its `update`; by default as its own parameter says.
      Steps are matched by time: series of tables with times count, all of a call together. Quantiles stay as saved
      with `context_length`, and for a generator or a Dataset, whose series come singly.

    The result for a series is a dict. "forecast" is a list ``[prediction_length]`` of floats for a model of one
    channel, otherwise ``[prediction_length, targets]``. If the model has quantiles, "quantiles" maps each level to a
    list of the same shape. If the series has times, "times" are those of the forecast, in the same type. With
    `update_bands`, "new_origins" is the number of steps whose forecasts were compared with the values that followed.

    Examples
    --------
    >>> forecaster = pipeline("time-series-forecasting", model="user/chainhead-airline")
    >>> forecaster(passengers, prediction_length=3, quantiles=[0.1, 0.9])
    {"forecast": [417.0, 391.5, 419.3], "quantiles": {0.1: [401.2, …], 0.9: [430.8, …]}}
    """

    # None makes the feature extractor optional: only models that were trained on tables have one, for column names.
    _load_feature_extractor = None
    needs_feature_extractor = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The base class checks the options before it sets the model, but the check needs the model's configuration.
        self.model = args[0] if args else kwargs["model"]
        config = self.model.config
        self.other = None if isinstance(config, ChainHeadConfig) else other_forecaster(self.model)
        is_own = isinstance(config, ChainHeadConfig) and config.prediction_length is not None
        if self.other is None and not is_own:
            raise TypeError(
                f"{type(self).__name__} needs a ChainHeadForTimeSeriesPrediction, got {type(self.model).__name__} "
                f"without prediction_length; or a model for prediction of {', '.join(known_forecasters())}"
            )
        if kwargs.get("feature_extractor") is None:
            kwargs["feature_extractor"] = saved_extractor(self.model)
        extractor = kwargs["feature_extractor"]
        if extractor is not None and (extractor.do_normalize or getattr(extractor, "schema", None) is None):
            raise ValueError(
                "a forecasting pipeline takes no feature_extractor but one for the names of columns: the model scales "
                "series itself"
            )
        self.band = saved_band(self.model) if is_own else None
        super().__init__(*args, **kwargs)
        if extractor is not None and extractor.feature_size != self.feature_size:
            raise ValueError(
                f"the feature extractor names {extractor.feature_size} columns, but the model takes {self.feature_size}"
            )

    @property
    def described(self) -> Any:
        """The model's description with the fields of `ChainHeadConfig`: its configuration, or an `OtherForecaster`."""
        return self.model.config if self.other is None else self.other

    @property
    def horizon(self) -> int:
        """The number of steps that the model forecasts at once."""
        return int(self.described.prediction_length)

    def steps_of(self, options: Mapping[str, Any]) -> int:
        """Return the number of steps that a call with these options forecasts: at least those of the model."""
        stated = options.get("prediction_length", self._postprocess_params.get("prediction_length"))
        return max(self.horizon, stated) if isinstance(stated, int) else self.horizon

    def follows(self, options: Mapping[str, Any]) -> bool:
        """Tell whether bands follow the errors within all series of a call with these options."""
        wanted = options.get("update_bands")
        return self.band is not None and (self.band.follows if wanted is None else bool(wanted))

    @property
    def feature_size(self) -> int:
        """The number of channels and covariates of a series."""
        return int(self.described.num_input_channels + self.described.num_time_features)

    def _sanitize_parameters(
        self,
        *,
        prediction_length: int | None = None,
        quantiles: Sequence[float] | None = None,
        context_length: int | None = None,
        update_bands: bool | None = None,
        **unknown: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if unknown:
            raise TypeError(f"unknown pipeline options: {', '.join(sorted(unknown))}")

        config = self.described
        preprocess_params: dict[str, Any] = {}
        forward_params: dict[str, Any] = {}
        postprocess_params: dict[str, Any] = {}

        if prediction_length is not None:
            check_whole_number("prediction_length", prediction_length, 1, _LONGEST)
            if prediction_length > config.prediction_length and (needed := self._needed_beyond()):
                raise ValueError(
                    f"{prediction_length} steps cannot be forecast: the model forecasts {config.prediction_length} "
                    "at once, and cannot go on from its own forecasts, as it would need values of "
                    f"{needed} for them, which it does not forecast: ask for {config.prediction_length} steps "
                    f"at most, or train a model with a horizon of {prediction_length}"
                )
            postprocess_params["prediction_length"] = prediction_length
            if prediction_length > config.prediction_length:
                preprocess_params["horizon"] = prediction_length
                forward_params["steps"] = prediction_length

        if quantiles is not None:
            if absent := [level for level in quantiles if level not in config.quantiles]:
                raise ValueError(f"the model has no quantiles {absent}, it has {config.quantiles}")
            postprocess_params["quantiles"] = list(quantiles)
        if context_length is not None:
            longest = config.chain_length if "flatten" in config.poolings else None
            check_whole_number("context_length", context_length, 1, longest)
            preprocess_params["context_length"] = context_length
        if update_bands is not None:
            if check_switch("update_bands", update_bands) and (self.band is None or context_length):
                raise ValueError(
                    "update_bands needs a model that ChainHeadForecaster saved, and no context_length: its errors are "
                    "those of forecasts from all that the model reads"
                )
            forward_params["update_bands"] = update_bands
        return preprocess_params, forward_params, postprocess_params

    def _needed_beyond(self) -> str:
        """Return words for the channels that the model takes and does not forecast itself; empty if there are none."""
        count = self.described.num_input_channels - self.described.num_targets
        if not count and self.other is not None and self.described.num_time_features:
            return f"{self.described.num_time_features} covariates"
        if count and self.schema is not None:
            return listed_beside_targets(self.schema)
        return f"{count} channel{'s' if count > 1 else ''}" if count else ""

    def preprocess(self, sequences: list[Any], **options: Any) -> BatchFeature:
        """Return series aligned at their ends as "past_values" ``[batch, L, channels]``, NaN before shorter series.

        If the model takes covariates, "past_time_features" and "future_time_features" are returned too.
        """
        config = self.described
        named = [
            one_named(sequence, self.schema, self.feature_size, number, options.get("horizon", self.horizon))
            for number, sequence in enumerate(sequences)
        ]
        values, lengths = join(arrays_of(named), self.feature_size, allow_missing=True)

        context_length = options.get(
            "context_length", config.chain_length if "flatten" in config.poolings else None
        )
        known = {}
        if config.num_time_features:
            values, lengths, known["future_time_features"] = split_future(
                values, lengths, options.get("horizon", self.horizon), config.num_input_channels
            )

        ends = np.cumsum(lengths)
        gaps = np.zeros_like(ends)
        if self.other is None and not self._needed_beyond():
            gaps = gaps_at_ends(values[:, : config.num_input_channels], lengths, context_length)
        if context_length is not None:
            longest = context_length + gaps
            kept = np.repeat(ends, lengths) - np.arange(len(values)) <= np.repeat(longest, lengths)
            values, lengths = values[kept], np.minimum(lengths, longest)

        past = np.full((len(lengths), lengths.max(), self.feature_size), np.nan, dtype=values.dtype)
        past[np.arange(past.shape[1]) >= past.shape[1] - lengths[:, np.newaxis]] = values
        if config.num_time_features:
            past, known["past_time_features"] = np.split(past, [config.num_input_channels], axis=2)

        check_observed(past, lengths, config.prediction_channel_indices)
        if self.other is None:
            tell_other_scale(config, past)
        # Apple's GPUs have no float64.
        dtype = torch.float32 if self.device.type == "mps" else None
        tensors = {"past_values": past} | known
        batch = {name: torch.from_numpy(array).to(dtype) for name, array in tensors.items()}

        times = [getattr(sequence, "times", None) for sequence in named]
        beside = ({TIMES: times} if any(times) else {}) | ({_GAPS: gaps.tolist()} if gaps.any() else {})
        return BatchFeature(batch | beside)

    def get_iterator(
        self,
        inputs: Any,
        num_workers: int,
        batch_size: int,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Any:
        """Return an iterable over the results; their bands follow the errors within a list or a table."""
        options = dict(forward_params)
        wanted = {"update_bands": options.pop("update_bands", None)}
        if self.band is not None and "context_length" not in preprocess_params:
            # The errors are in units of a past as long as the model reads.
            longest = {"context_length": self.described.chain_length}
            if self.follows(wanted) and isinstance(inputs, list):
                steps = preprocess_params.get("horizon", self.horizon)
                options["model"], options[NEW_ORIGINS] = followed_by(self.model, self.band, inputs, steps)
            preprocess_params, options = preprocess_params | longest, options | longest
        return super().get_iterator(
            inputs, num_workers, batch_size, preprocess_params, options, postprocess_params
        )

    def _forward(
        self,
        model_inputs: Any,
        steps: int | None = None,
        context_length: int | None = None,
        model: Any = None,
        new_origins: int | None = None,
    ) -> dict[str, Any]:
        times, gaps = model_inputs.pop(TIMES, None), model_inputs.pop(_GAPS, None)
        run = ForecastRun(self.model if model is None else model, self.other, context_length)
        if steps is None and gaps is None:
            point, quantiles = run.once(model_inputs)
        else:
            point, quantiles = run.rolled(model_inputs, steps or self.horizon, gaps)
        beside = {"quantiles": quantiles, TIMES: times, NEW_ORIGINS: new_origins}
        return {"forecast": point} | {name: value for name, value in beside.items() if value is not None}

    def postprocess(
        self,
        model_outputs: dict[str, Any],
        prediction_length: int | None = None,
        quantiles: list[float] | None = None,
    ) -> list[dict[str, Any]]:
        """Split forecasts ``[batch, prediction_length, targets]`` into a dict for every series."""
        levels = self.described.quantiles
        times, origins = model_outputs.pop(TIMES, None), model_outputs.pop(NEW_ORIGINS, None)
        finite = torch.stack([values.isfinite().flatten(1).all(1) for values in model_outputs.values()]).all(
            0
        )
        if not finite.all():
            raise ValueError(
                f"sequence {int(finite.int().argmin())} has forecasts that are not finite: its values overflow the "
                "model, rescale them"
            )
        shown = {name: values[:, :prediction_length] for name, values in model_outputs.items()}
        if self.described.num_input_channels == 1:
            shown = {name: values.squeeze(2) for name, values in shown.items()}
        results: list[dict[str, Any]] = [{"forecast": row.tolist()} for row in shown["forecast"]]
        if levels:
            for result, row in zip(results, shown["quantiles"], strict=True):
                result["quantiles"] = {
                    level: row[..., levels.index(level)].tolist()
                    for level in (levels if quantiles is None else quantiles)
                }
        for result, steps in zip(results, times or (), strict=False):
            if steps is not None:
                result[TIMES] = steps[:prediction_length]
        if origins is not None:
            for result in results:
                result[NEW_ORIGINS] = origins
        return results
