"""Classical forecasters from statsforecast, with its own settings."""

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks.packages import missing_package
from ...forecasts.whole_series import filled
from ..data.in_time.windows import Windows
from ..errors import RecipeError

CLASSICAL_PEERS = {"autoarima": "AutoARIMA", "autoets": "AutoETS", "theta": "Theta", "mstl": "MSTL"}
# The longest season of ARIMA and ETS models, in steps. Longer seasons take hours, so they are left out.
LONGEST_SEASON = 24
# The most forecasts that are computed, as each takes a computation of its own.
_MOST_FORECASTS = 5_000


def classical_model(name: str, seasons: Sequence[int]) -> Any:
    """Return a model of statsforecast that is not fitted yet.

    Parameters
    ----------
    name : str
        A key of `CLASSICAL_PEERS`.
    seasons : sequence of int
        The seasons of the series, in steps. AutoARIMA and AutoETS take the shortest if it has at most 24 steps, Theta
        the shortest, MSTL all.

    Raises
    ------
    RecipeError
        If statsforecast is not installed, or the model needs a season.
    """
    try:
        models: Any = importlib.import_module("statsforecast.models")
    except ModuleNotFoundError as error:
        raise RecipeError(missing_package("it", "statsforecast", "forecast")) from error
    season = min(seasons, default=1)
    if name == "mstl":
        if not seasons:
            raise RecipeError("it needs a season, and none was found: state season in data")
        return models.MSTL(season_length=list(seasons), trend_forecaster=models.AutoETS(model="ZZN"))
    if name == "theta":
        return models.Theta(season_length=season)
    kind = models.AutoARIMA if name == "autoarima" else models.AutoETS
    return kind(season_length=season if season <= LONGEST_SEASON else 1)


def classical_quantiles(model: Any, past: NDArray[np.float64], steps: int, levels: Sequence[float]) -> Any:
    """Forecast from a past with a fitted model.

    Parameters
    ----------
    model
        A model of `classical_model` that has been fitted.
    past : float64 array [length]
        Without missing values.
    steps : int
        The number of steps to forecast.
    levels : sequence of float
        The levels of quantiles, ascending, 0.5 among them; empty for the mean alone.

    Returns
    -------
    float64 array [steps, levels], or [steps]
    """
    bands = {level: _band(level) for level in levels if level != 0.5}
    if not bands:
        mean = np.asarray(model.forward(past, steps)["mean"], np.float64)
        return mean[:, np.newaxis] if levels else mean
    answer = model.forward(past, steps, level=sorted(set(bands.values())))
    names = {level: f"{'lo' if level < 0.5 else 'hi'}-{band}" for level, band in bands.items()}
    return np.stack([answer[names.get(level, "mean")] for level in levels], -1).astype(np.float64)


def _band(level: float) -> int | float:
    """Return the percentage of values in the band around the median that ends at a level."""
    band = round(200 * abs(level - 0.5), 6)
    return int(band) if band == int(band) else band


def why_not_classical(name: str, windows: Windows) -> str | None:
    """Return the reason why a peer cannot be run on windows, None if it can."""
    try:
        classical_model(name, windows.whole.seasons)
    except RecipeError as error:
        return str(error)
    count = len(windows.labels) * len(windows.layout.targets)
    if count > _MOST_FORECASTS:
        return f"it computes each of the {count:,} forecasts by itself, and at most {_MOST_FORECASTS:,} are taken"
    return None


class FittedClassicalPeer:
    """A model for each series and target, fitted to the values before a time.

    Parameters
    ----------
    name : str
        A key of `CLASSICAL_PEERS`.
    windows : Windows
        The windows to forecast. Models are fitted to the whole series that they are cut from.
    end : int
        The step that the fitted values end before, on the time axis that all series share.

    Raises
    ------
    RecipeError
        If a series has no value before that time.
    """

    def __init__(self, name: str, windows: Windows, end: int) -> None:
        self._models: dict[tuple[int, int], Any] = {}
        whole = windows.whole
        for number in np.unique(windows.of_series).tolist():
            series = whole.series[number]
            for target in range(len(windows.layout.targets)):
                known = _before(series.values[:, target], end - series.start)
                if not len(known):
                    raise RecipeError(f"series {series.name} has no value before the part to forecast begins")
                model = classical_model(name, whole.seasons)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._models[number, target] = model.fit(known)

    def predict(self, windows: Windows, levels: Sequence[float]) -> NDArray[np.float64]:
        """Return forecasts [windows, steps, targets], or [windows, steps, targets, levels] if there are levels.

        Each forecast is made from all values before its window's future.
        """
        steps, targets = windows.labels.shape[1], len(windows.layout.targets)
        found = np.empty((len(windows.labels), steps, targets, *([len(levels)] if levels else [])))
        for row, (number, time) in enumerate(
            zip(windows.of_series.tolist(), windows.times.tolist(), strict=True)
        ):
            series = windows.whole.series[number]
            for target in range(targets):
                past = _before(series.values[:, target], time - series.start)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    forecast = classical_quantiles(self._models[number, target], past, steps, levels)
                found[row, :, target] = forecast
        return found


def _before(values: NDArray[Any], count: int) -> NDArray[np.float64]:
    return filled(values[: max(0, count)].astype(np.float64))
