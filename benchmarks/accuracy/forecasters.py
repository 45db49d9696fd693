"""Forecasters as the comparison takes them: the default, statsforecast's, and two linear networks."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from chainhead_plugin.recipes.candidates.classical_peers import classical_model, classical_quantiles
from chainhead_plugin.recipes.candidates.linear_networks import LinearNetwork

from .forecast_sets import LEVELS, SeriesToForecast

Array = NDArray[np.float64]

OURS = "ChainHeadForecaster"
_SECONDS = 120
OURS_WITH_TIME = f"{OURS}, {_SECONDS} s"
_EPOCHS, _PATIENCE, _RATES = 60, 8, (1e-3, 3e-3)

# A function of a series and a seed that fits, and returns a function from origins to quantiles [origins, steps,
# levels].
Forecasts = Callable[[], Array]
Fitting = Callable[[], Forecasts]


def ours(series: SeriesToForecast, seed: int, seconds: float | None = None) -> Fitting:
    """Return the default forecaster, which is told nothing but the horizon, and takes up what came before an origin."""
    from chainhead_plugin.estimators import ChainHeadForecaster

    def fit() -> Forecasts:
        forecaster = ChainHeadForecaster(seconds=seconds).fit(
            series.values[: series.test_start], horizon=series.horizon
        )
        places = [list(forecaster.quantiles).index(level) for level in LEVELS]

        def forecast() -> Array:
            found = []
            known = series.test_start
            for origin in series.origins:
                if origin > known:
                    forecaster.update(series.values[known:origin])
                    known = origin
                found.append(np.asarray(forecaster.predict_quantiles())[:, places])
            return np.stack(found)

        return forecast

    return fit


def _classical(make: Callable[[SeriesToForecast], Any]) -> Callable[[SeriesToForecast, int], Fitting]:
    def contestant(series: SeriesToForecast, seed: int) -> Fitting:
        def fit() -> Forecasts:
            model = make(series)
            model.fit(series.values[: series.test_start])

            def forecast() -> Array:
                found = [
                    classical_quantiles(model, series.values[:origin], series.horizon, LEVELS)
                    for origin in series.origins
                ]
                return np.stack(found)

            return forecast

        return fit

    return contestant


def _of_package(name: str) -> Callable[[SeriesToForecast], Any]:
    def make(series: SeriesToForecast) -> Any:
        # For MSTL a season has to be named: the sunspots' cycle is some eleven years.
        seasons = series.seasons or ((11,) if name == "mstl" else ())
        return classical_model(name, seasons)

    return make


def _seasonal_naive(series: SeriesToForecast) -> Any:
    from statsforecast.models import Naive, SeasonalNaive

    return SeasonalNaive(season_length=max(series.seasons)) if series.seasons else Naive()


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
    network = LinearNetwork(past, series.horizon, len(LEVELS), is_decomposed=is_decomposed)
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
    OURS_WITH_TIME: partial(ours, seconds=_SECONDS),
    "AutoARIMA": _classical(_of_package("autoarima")),
    "AutoETS": _classical(_of_package("autoets")),
    "Theta": _classical(_of_package("theta")),
    "MSTL": _classical(_of_package("mstl")),
    "seasonal naive": _classical(_seasonal_naive),
    "NLinear": _network(is_decomposed=False),
    "DLinear": _network(is_decomposed=True),
}
# Those that chance has a part in.
SEEDED = ("NLinear", "DLinear")
