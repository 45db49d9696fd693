"""Forecasters as the comparison takes them: the default one, statsforecast's, and two linear networks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .forecast_sets import LEVELS, SeriesToForecast

Array = NDArray[np.float64]

OURS = "ChainHeadForecaster"
# Seasons that the season of an ARIMA or ETS model may have: longer ones take hours, so that there is none then.
_LONGEST_SEASON = 24
_BANDS = (20, 40, 60, 80)
_EPOCHS, _PATIENCE, _RATES = 60, 8, (1e-3, 3e-3)

# From a series and a seed: a function that fits, and returns one from origins to quantiles [origins, steps, levels].
Forecasts = Callable[[], Array]
Fitting = Callable[[], Forecasts]


def ours(series: SeriesToForecast, seed: int) -> Fitting:
    """Return the default forecaster, which is told nothing but the horizon."""
    from chainhead_plugin.estimators import ChainHeadForecaster

    def fit() -> Forecasts:
        forecaster = ChainHeadForecaster().fit(series.values[: series.test_start], horizon=series.horizon)
        places = [list(forecaster.quantiles).index(level) for level in LEVELS]

        def forecast() -> Array:
            pasts = [series.values[:origin, np.newaxis] for origin in series.origins]
            return forecaster.forecast_from(pasts)[:, :, 0][..., places]

        return forecast

    return fit


def _classical(make: Callable[[SeriesToForecast], Any]) -> Callable[[SeriesToForecast, int], Fitting]:
    def contestant(series: SeriesToForecast, seed: int) -> Fitting:
        def fit() -> Forecasts:
            model = make(series)
            model.fit(series.values[: series.test_start])

            def forecast() -> Array:
                found = []
                for origin in series.origins:
                    answer = model.forward(series.values[:origin], series.horizon, level=list(_BANDS))
                    low = [answer[f"lo-{band}"] for band in reversed(_BANDS)]
                    high = [answer[f"hi-{band}"] for band in _BANDS]
                    found.append(np.stack([*low, answer["mean"], *high], -1))
                return np.stack(found)

            return forecast

        return fit

    return contestant


def _short_season(series: SeriesToForecast) -> int:
    season = min(series.seasons, default=1)
    return season if season <= _LONGEST_SEASON else 1


def _auto_arima(series: SeriesToForecast) -> Any:
    from statsforecast.models import AutoARIMA

    return AutoARIMA(season_length=_short_season(series))


def _auto_ets(series: SeriesToForecast) -> Any:
    from statsforecast.models import AutoETS

    return AutoETS(season_length=_short_season(series))


def _theta(series: SeriesToForecast) -> Any:
    from statsforecast.models import Theta

    return Theta(season_length=min(series.seasons, default=1))


def _mstl(series: SeriesToForecast) -> Any:
    from statsforecast.models import MSTL, AutoETS

    # A season has to be named: the sunspots' cycle is some eleven years.
    return MSTL(season_length=list(series.seasons or (11,)), trend_forecaster=AutoETS(model="ZZN"))


def _seasonal_naive(series: SeriesToForecast) -> Any:
    from statsforecast.models import Naive, SeasonalNaive

    return SeasonalNaive(season_length=max(series.seasons)) if series.seasons else Naive()


class LinearNetwork(nn.Module):
    """NLinear, or DLinear (Zeng and others 2023), with an output for every level.

    Parameters
    ----------
    past, steps : int
    is_decomposed : bool
        DLinear, which maps a moving mean and the rest; else NLinear, which maps differences from the last value.
    """

    def __init__(self, past: int, steps: int, *, is_decomposed: bool) -> None:
        super().__init__()
        self.steps, self.is_decomposed = steps, is_decomposed
        self.map = nn.Linear(past, steps * len(LEVELS))
        self.trend_map = nn.Linear(past, steps * len(LEVELS)) if is_decomposed else None
        self.window = 25 if past > 25 else 13

    def forward(self, past: Tensor) -> Tensor:
        """Map [batch, past] to [batch, steps, levels]."""
        if self.trend_map is None:
            last = past[:, -1:]
            return self.map(past - last).unflatten(1, (self.steps, -1)) + last.unsqueeze(-1)
        half = self.window // 2
        padded = functional.pad(past.unsqueeze(1), (half, half), mode="replicate")
        trend = functional.avg_pool1d(padded, self.window, 1).squeeze(1)
        return (self.map(past - trend) + self.trend_map(trend)).unflatten(1, (self.steps, -1))


def _network(*, is_decomposed: bool) -> Callable[[SeriesToForecast, int], Fitting]:
    def contestant(series: SeriesToForecast, seed: int) -> Fitting:
        def fit() -> Forecasts:
            training = series.values[: series.test_start]
            past = min(max(2 * max(series.seasons, default=0), 3 * series.horizon), len(training) // 3)
            loc, scale = training.mean(), training.std()
            scaled = (series.values - loc) / scale
            networks = [_trained(scaled, series, past, rate, seed, is_decomposed) for rate in _RATES]
            network = min(networks, key=lambda entry: entry[0])[1]

            def forecast() -> Array:
                pasts = np.stack([scaled[origin - past : origin] for origin in series.origins])
                with torch.no_grad():
                    found = network(torch.from_numpy(pasts).float()).double().numpy()
                return np.sort(found, -1) * scale + loc

            return forecast

        return fit

    return contestant


def _trained(
    scaled: Array, series: SeriesToForecast, past: int, rate: float, seed: int, is_decomposed: bool
) -> tuple[float, LinearNetwork]:
    """Return the pinball loss on the last 15 % of the training part, and the network of the best epoch there."""
    torch.manual_seed(seed)
    end = series.test_start
    begin = end - int(0.15 * end)
    training, validation = (
        _windows(scaled, past, series.horizon, first, last) for first, last in ((past, begin), (begin, end))
    )
    network = LinearNetwork(past, series.horizon, is_decomposed=is_decomposed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
    size = 64 if len(training[0]) > 500 else 16
    best, at, weights = float("inf"), 0, network.state_dict()
    for epoch in range(_EPOCHS):
        for rows in torch.randperm(len(training[0])).split(size):
            _pinball(network(training[0][rows]), training[1][rows]).backward()
            optimiser.step()
            optimiser.zero_grad()
        with torch.no_grad():
            loss = float(_pinball(network(validation[0]), validation[1]))
        if loss < best:
            best, at = loss, epoch
            weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        if epoch - at >= _PATIENCE:
            break
    network.load_state_dict(weights)
    return best, network


def _windows(values: Array, past: int, horizon: int, first: int, last: int) -> tuple[Tensor, Tensor]:
    origins = range(first, last - horizon + 1)
    pasts = np.stack([values[origin - past : origin] for origin in origins])
    futures = np.stack([values[origin : origin + horizon] for origin in origins])
    return torch.from_numpy(pasts).float(), torch.from_numpy(futures).float()


def _pinball(quantiles: Tensor, future: Tensor) -> Tensor:
    levels = torch.tensor(LEVELS, dtype=future.dtype)
    errors = future.unsqueeze(-1) - quantiles
    return torch.maximum(levels * errors, (levels - 1) * errors).mean()


FORECASTERS: Mapping[str, Callable[[SeriesToForecast, int], Fitting]] = {
    OURS: ours,
    "AutoARIMA": _classical(_auto_arima),
    "AutoETS": _classical(_auto_ets),
    "Theta": _classical(_theta),
    "MSTL": _classical(_mstl),
    "seasonal naive": _classical(_seasonal_naive),
    "NLinear": _network(is_decomposed=False),
    "DLinear": _network(is_decomposed=True),
}
# Those that chance has a part in.
SEEDED = ("NLinear", "DLinear")
