"""Forecasting: the next values of a series, as points or quantiles."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils.generic import can_return_tuple

from ..config.configuration_chainhead import ChainHeadConfig
from ..head.tensors import require_tensors
from ..head.weights import weights_dtype
from .forecasting.inputs import as_future, as_series, check_time_features, observed_values
from .forecasting.linear_path import LinearPath, SeriesNodes, seasonal_naive
from .forecasting.loss import forecast_loss
from .forecasting.output import ChainHeadForecastOutput
from .forecasting.quantiles import ascending, normal_start, shifted
from .forecasting.series_scaling import interpolate, scale_alike, scale_series
from .modeling_chainhead import ChainHeadModel
from .pooling import pool
from .pretrained import ChainHeadPreTrainedModel


class ChainHeadForTimeSeriesPrediction(ChainHeadPreTrainedModel):
    """Forecasting: a series in units of its own, the chain, pooled nodes, then a linear map to all steps at once.

    `config.pooling` is best "flatten", lined up at the end of the series: every step of the last
    `chain_length` has its own weights, and before a shorter series there are zeros. Of series of any length, "last"
    sees the part of the past that the chain brings to the last node, "mean" and "max" see everything but its order.
    """

    main_input_name = "past_values"
    # The loss is a mean over the observed values of a batch: Trainer divides by the number of batches itself.
    accepts_loss_kwargs = False

    def __init__(self, config: ChainHeadConfig) -> None:
        if config.prediction_length is None:
            raise ValueError(
                "a forecaster needs prediction_length, the number of steps to forecast: set it in the configuration, "
                "or pass it to from_pretrained"
            )
        # from_pretrained sets fields given as keyword arguments singly.
        config.validate_forecast()
        super().__init__(config)
        self.chainhead = ChainHeadModel(config)
        self.forecaster = nn.Linear(config.known_size, config.forecast_size)
        self.nodes = SeriesNodes()
        self.linear_path = None
        if config.with_linear_path:
            assert config.prediction_length is not None
            self.linear_path = LinearPath(config.chain_length, config.prediction_length)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            self.start_at_normal_quantiles()

    def start_at_normal_quantiles(self, deviations: Tensor | None = None) -> None:
        """Let the bias alone forecast the quantiles of a normal distribution around the weights' forecast.

        A point forecast's bias is left as it is, and so is a bias that a checkpoint has filled.

        Parameters
        ----------
        deviations : Tensor [prediction_length], optional
            Standard deviation of the errors at each step, in units of the series' scale; 1 by default.
        """
        if not self.config.quantiles:
            return
        steps = self.config.prediction_length
        assert steps is not None
        bias = self.forecaster.bias
        wide = bias.new_ones(steps) if deviations is None else deviations.to(bias)
        start = normal_start(self.config.quantiles, wide)  # [steps, quantiles], the same for all targets
        init.copy_(bias, start.unsqueeze(1).expand(-1, self.config.num_targets, -1).flatten())

    @can_return_tuple
    def forward(
        self,
        past_values: Tensor,
        past_observed_mask: Tensor | None = None,
        future_values: Tensor | None = None,
        future_observed_mask: Tensor | None = None,
        past_time_features: Tensor | None = None,
        future_time_features: Tensor | None = None,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> ChainHeadForecastOutput:
        """Forecast series.

        Parameters
        ----------
        past_values : Tensor [batch, length, channels], or [batch, length] for one channel
            In any units. NaN is a missing value. A shorter series of a batch has missing values before it, and is
            forecast as it is alone.
        past_observed_mask : Tensor [batch, length, channels] or [batch, length], optional
            1 where a value was observed, 0 where it is missing.
        future_values : Tensor [batch, prediction_length, targets], or [batch, prediction_length]
            The true values, of the shape of `prediction_outputs`. NaN does not count.
        future_observed_mask : Tensor, optional
            As for the past: 0 where a value does not count.
        past_time_features, future_time_features : Tensor [batch, length or prediction_length, num_time_features]
            Covariates of every step, if the configuration has some. They are not scaled, and none is missing but
            before the first observed value of a series.
        return_loss : bool
            Whether to compute the loss where `future_values` are given.

        Returns
        -------
        ChainHeadForecastOutput

        Raises
        ------
        ValueError
            If a shape does not fit, or if pooling is "flatten" and the series are longer than `chain_length`.
        """
        require_tensors(
            past_values=past_values,
            past_observed_mask=past_observed_mask,
            future_values=future_values,
            future_observed_mask=future_observed_mask,
            past_time_features=past_time_features,
            future_time_features=future_time_features,
        )

        past, univariate = as_series(past_values, self.config.num_input_channels)

        # Units are found in float32 at least: the model's own dtype may be too coarse for the data's.
        past = past.to(
            torch.promote_types(past.dtype, torch.promote_types(weights_dtype(self), torch.float32))
        )
        observed = observed_values(past, past_observed_mask, "past")
        scaled, loc, scale = self.scale(past, observed)

        steps, count = self.config.prediction_length, self.config.num_time_features
        check_time_features("past", past_time_features, (past.size(0), past.size(1), count))
        check_time_features("future", future_time_features, (past.size(0), steps, count))
        raw, hidden_states = self._forecast(
            scaled, observed, past_time_features, future_time_features, **kwargs
        )
        raw = raw.to(loc)
        loc, scale = self._of_targets(loc), self._of_targets(scale)

        loss = None
        if future_values is not None and return_loss:
            future = as_future(future_values, raw, univariate).to(loc)
            counts = observed_values(future, future_observed_mask, "future")
            loss = forecast_loss(raw, future, counts, loc, scale, self.config.quantiles, self.config.loss)

        forecasts = raw * scale.unsqueeze(-1) + loc.unsqueeze(-1)
        if univariate:
            forecasts, loc, scale = forecasts.squeeze(2), loc.squeeze(2), scale.squeeze(2)

        quantiles = self.config.quantiles
        return ChainHeadForecastOutput(
            loss=loss,
            prediction_outputs=forecasts[..., quantiles.index(0.5) if quantiles else 0],
            quantile_outputs=forecasts if quantiles else None,
            hidden_states=hidden_states,
            loc=loc,
            scale=scale,
        )

    def scale(self, past: Tensor, observed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Put every channel of every series into the units in which the model computes.

        Parameters
        ----------
        past : Tensor [batch, length, channels]
        observed : bool Tensor [batch, length, channels]

        Returns
        -------
        scaled : Tensor [batch, length, channels]
        loc, scale : Tensor [batch, 1, channels]
            ``past = scaled * scale + loc`` where it was observed.
        """
        config = self.config
        if config.scaling == "fixed":
            scaled, loc, scale = scale_alike(past, observed, config.fixed_loc, config.fixed_scale)
        else:
            scaled, loc, scale = scale_series(past, observed, config.scaling)
        return interpolate(scaled, observed) if config.interpolate_missing else scaled, loc, scale

    def _forecast(
        self, scaled: Tensor, observed: Tensor, past: Tensor | None, future: Tensor | None, **kwargs: Any
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """Forecast [batch, prediction_length, targets, quantiles or 1] in scaled units."""
        features = scaled
        if self.config.with_observed_indicator:
            features = torch.cat([features, observed.to(scaled.dtype)], -1)
        if past is not None:
            features = torch.cat([features, past.to(scaled)], -1)

        # A chain starts with its first observed value; nodes with missing values after it stay in the chain.
        started = observed.any(-1).cumsum(1) > 0
        features = self.nodes(self._without_constants(features), attention_mask=started)
        known, hidden_states = self._encode(features, started, **kwargs)
        if future is not None:
            future = self._without_constants(future, first=features.size(-1) - future.size(-1))
            known = torch.cat([known, future.flatten(1).to(known)], -1)

        raw = self.forecaster(known)
        raw = raw.unflatten(1, (self.config.prediction_length, self.config.num_targets, -1))
        if self.config.quantiles:
            median = self.config.quantiles.index(0.5)
            raw = ascending(raw, median)
            if self.config.quantile_offsets:
                raw = shifted(raw, self.config.quantile_offsets, median)

        own = self._of_targets(features[..., : self.config.num_input_channels])
        if self.linear_path is not None:
            raw = raw + self.linear_path(own.to(raw)).unsqueeze(-1)
        if self.config.seasons:
            raw = raw + seasonal_naive(own, self.config.seasons, raw.size(1)).to(raw).unsqueeze(-1)
        return raw, hidden_states

    def _of_targets(self, values: Tensor) -> Tensor:
        """Take the forecast channels of values [batch, length, channels]."""
        targets = self.config.prediction_channel_indices
        return values if targets is None else values[..., targets]

    def _without_constants(self, features: Tensor, first: int = 0) -> Tensor:
        """Put zero in the place of features that did not vary in training; `first` is the first feature's number."""
        constant = [place - first for place in self.config.constant_features if place >= first]
        if not constant:
            return features
        varies = torch.ones(features.size(-1), dtype=torch.bool, device=features.device)
        varies[constant] = False
        # Not a product: a feature that varies only later may hold anything, even infinity.
        return torch.where(varies, features, 0)

    def _encode(
        self, features: Tensor, started: Tensor, **kwargs: Any
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """Map features [batch, length, m] to the features of the past [batch, pooled]."""
        outputs: BaseModelOutput = self.chainhead(
            features, attention_mask=started, return_dict=True, **kwargs
        )
        return self._pool(outputs.last_hidden_state, started), outputs.hidden_states

    def _pool(self, nodes: Tensor, started: Tensor) -> Tensor:
        return torch.cat([self._pool_by(name, nodes, started) for name in self.config.poolings], -1)

    def _pool_by(self, name: str, nodes: Tensor, started: Tensor) -> Tensor:
        missing = self.config.chain_length - nodes.size(1)
        if name == "flatten" and missing >= 0:
            return F.pad(nodes, (0, 0, missing, 0)).flatten(1)
        return pool(nodes, started, name, self.config.chain_length)


__all__ = ["ChainHeadForTimeSeriesPrediction", "ChainHeadForecastOutput"]
