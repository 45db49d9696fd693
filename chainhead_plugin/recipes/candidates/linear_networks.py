"""NLinear and DLinear (Zeng and others 2023), as networks, and as forecasters with scaling and quantiles."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from ...config.configuration_chainhead import ChainHeadConfig
from ...models.forecasting.quantiles import ascending, shifted
from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction

LINEAR_PEERS = {"nlinear": False, "dlinear": True}


class LinearNetwork(nn.Module):
    """NLinear or DLinear, with several outputs for each step, such as an output for every quantile.

    Parameters
    ----------
    past, steps, outputs : int
        Steps of the past, steps to forecast, and outputs for each of these.
    is_decomposed : bool
        True for DLinear, which maps the moving mean and the rest separately; false for NLinear, which maps
        differences from the last value.
    """

    def __init__(self, past: int, steps: int, outputs: int, *, is_decomposed: bool) -> None:
        super().__init__()
        self.steps = steps
        self.map = nn.Linear(past, steps * outputs)
        self.trend_map = nn.Linear(past, steps * outputs) if is_decomposed else None
        self.window = 25 if past > 25 else 13

    def forward(self, past: Tensor) -> Tensor:
        """Map [batch, past] to [batch, steps, outputs]."""
        return self.around_level(past) + self.level(past)

    def level(self, past: Tensor) -> Tensor:
        """Return the level [batch, 1, 1] that forecasts are added to: the last value for NLinear, 0 for DLinear."""
        last = past[:, -1:, None]
        return last if self.trend_map is None else last.new_zeros(last.shape)

    def around_level(self, past: Tensor) -> Tensor:
        """Return the forecast minus its level, [batch, steps, outputs]."""
        if self.trend_map is None:
            found: Tensor = self.map(past - past[:, -1:])
        else:
            half = self.window // 2
            padded = F.pad(past.unsqueeze(1), (half, half), mode="replicate")
            trend = F.avg_pool1d(padded, self.window, 1).squeeze(1)
            found = self.map(past - trend) + self.trend_map(trend)
        return found.reshape(len(past), self.steps, -1)


class LinearForecastPeer(ChainHeadForTimeSeriesPrediction):
    """A forecaster that applies the same linear network to the past of each target.

    Scaling and loss are those of the chainhead model.

    Parameters
    ----------
    config : ChainHeadConfig
        The configuration of the model to compare with.
    is_decomposed : bool
        True for DLinear, false for NLinear.
    """

    def __init__(self, config: ChainHeadConfig, *, is_decomposed: bool) -> None:
        super().__init__(config)
        assert config.chain_length is not None
        assert config.prediction_length is not None
        del self.chainhead, self.forecaster, self.linear_path
        outputs = max(1, len(config.quantiles))
        self.network = LinearNetwork(
            config.chain_length, config.prediction_length, outputs, is_decomposed=is_decomposed
        )

    def _forecast(
        self, scaled: Tensor, observed: Tensor, past: Tensor | None, future: Tensor | None, **kwargs: Any
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """Return forecasts [batch, prediction_length, targets, quantiles or 1] in scaled units; no hidden states."""
        own = self._of_targets(scaled).to(self.network.map.weight)
        targets = own.size(-1)
        rows = own.movedim(-1, 1).flatten(0, 1)  # [batch · targets, past]
        raw = self.network.around_level(rows)
        if self.config.quantiles:
            median = self.config.quantiles.index(0.5)
            raw = ascending(raw, median)
            if self.config.quantile_offsets:
                raw = shifted(raw, self.config.quantile_offsets, median)
        forecasts = raw + self.network.level(rows)
        # [batch, targets, steps, quantiles] → [batch, steps, targets, quantiles]
        return forecasts.reshape(len(own), targets, *forecasts.shape[1:]).movedim(1, 2), None
