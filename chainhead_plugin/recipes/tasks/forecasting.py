"""The future of time series."""

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RecipeError
from ..metrics.forecast_parts import by_series, by_stretch, check_backtest, stretches, summarised
from ..metrics.forecasts import MASE, POINT_METRICS, quantile_metrics
from ..task import PEERS, CardWords, Task

if TYPE_CHECKING:
    from torch import nn

    from ...config.configuration_chainhead import ChainHeadConfig
    from ..candidates.inputs.inputs import Inputs
    from ..candidates.peer_models import PooledEncoder
    from ..data.examples import Data, Examples
    from ..data.in_time.windows import Windows
    from ..recipe import Recipe
    from ..training.measuring import Measured
    from ..training.report import Baseline


_READ_WINDOWS = """\
# [windows, past + future steps, columns], NaN where the future is unknown
rows = torch.tensor(np.array([sample["rows"] for sample in samples], np.float32))
steps, channels = model.config.prediction_length, model.config.num_input_channels
inputs = {"past_values": rows[:, :-steps, :channels]}
inputs["past_time_features"] = rows[:, :-steps, channels:]{time_features}
inputs["future_time_features"] = rows[:, -steps:, channels:]{time_features}"""


class Forecasting(Task):
    """Windows of series, each with a past and a future."""

    name = "time-series-forecasting"
    metrics = POINT_METRICS
    loss = "loss, in units of the window's scale"
    targets = "future_values"
    outputs = "prediction_outputs"
    samples = "forecasts"
    options = ("calibrate", "backtest")
    peers = (*PEERS, "nlinear", "dlinear", "autoarima", "autoets", "theta", "mstl")
    default_peers = (*PEERS, "nlinear", "dlinear")
    words = CardWords(
        summary="A forecaster.",
        samples="windows of the test part",
        input_imports="import numpy as np\n",
        inputs=_READ_WINDOWS,
        output="prediction_outputs",
        answer="forecasts",
        answers="""\
for sample, forecast in zip(samples, forecasts.tolist(), strict=True):
    print("forecast", forecast, "happened", sample["happened"])""",
        pipeline="forecaster",
        pipeline_answers='print(forecaster(samples[0]["rows"])["forecast"])',
        picture_above="![Forecasts of the last steps of the test part, and what happened]({pictures}forecast.png)",
    )

    def of_model(self, options: Mapping[str, Any]) -> Task:
        """Return the task with the metrics of quantiles, if a model forecasts quantiles."""
        levels = options.get("quantiles")
        # The configuration raises the errors about wrong quantiles.
        if not isinstance(levels, list) or 0.5 not in levels:
            return self
        if not all(isinstance(level, float) for level in levels) or sorted({*levels}) != levels:
            return self
        measured = copy(self)
        measured.outputs, measured.place = "quantile_outputs", 1
        measured.metrics = quantile_metrics(levels)
        return measured

    def led_by(self, name: str) -> Task:
        """Return the task with another metric as the first, which cannot be MASE or the share within a band."""
        if name.startswith("coverage"):
            raise RecipeError(
                f"metric: more values within a band are not better, so {name} cannot choose among models"
            )
        if name == MASE.name:
            raise RecipeError(
                "metric: mase is in units of errors before the test part, so it measures that part alone: choose "
                "models by mae"
            )
        return super().led_by(name)

    def measure(self, predictions: NDArray[Any], targets: NDArray[Any]) -> dict[str, float]:
        """Return every metric by its name, except MASE, which only `measure_on` returns."""
        return {
            metric.name: metric.of(predictions, targets) for metric in self.metrics if not metric.of_scale
        }

    def measure_on(self, predictions: NDArray[Any], examples: "Examples") -> dict[str, float]:
        """Return every metric of forecasts of windows, by its name."""
        from ..data.in_time.windows import windows_of

        windows = windows_of(examples)
        return {
            metric.name: metric.of(
                predictions, windows.labels, *((windows.scales,) if metric.of_scale else ())
            )
            for metric in self.metrics
        }

    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return values [windows, future steps, targets]."""
        return np.asarray(targets)

    def check(self, recipe: "Recipe") -> None:
        """Check that validation is the last part in time, and the options of calibration and backtests."""
        if recipe.validation_share is None:
            raise RecipeError(
                "forecasts are validated on the last part of the training: set validation_share"
            )
        if recipe.calibrate not in (None, True, False):
            raise RecipeError(f"calibrate must be true or false, got {recipe.calibrate!r}")
        if recipe.calibrate and not recipe.model.get("quantiles"):
            raise RecipeError("calibrate has no effect on a model without quantiles")
        check_backtest(recipe.backtest)

    def check_data(self, recipe: "Recipe", data: "Data") -> None:
        """Check that the test part has windows in each of the stretches that the recipe asks for."""
        from ..data.in_time.windows import windows_of

        if recipe.backtest:
            stretches(windows_of(data.test), check_backtest(recipe.backtest))

    def finishing(self, recipe: "Recipe") -> str:
        """Return "calibrated" if quantiles are calibrated after training, else ""."""
        return "calibrated" if recipe.model.get("quantiles") and recipe.calibrate is not False else ""

    def finish(
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", validation: "Examples | None"
    ) -> None:
        """Calibrate quantiles on the validation part."""
        if not self.finishing(recipe):
            return
        from ..training.calibrating import calibrate

        assert validation is not None
        calibrate(model, inputs, validation)

    def load(self, recipe: "Recipe") -> "Data":
        """Load series, and cut them into windows."""
        from ..data.in_time.series import load_series, load_shipped_series

        if isinstance(recipe.data, str):
            return load_shipped_series(recipe, recipe.data)
        return load_series(recipe)

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Split windows into past and future; the model scales them itself."""
        from ..candidates.inputs.windows import prepare_windows

        return prepare_windows(recipe, training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Read the windows' columns from the configuration."""
        from ..candidates.inputs.windows import load_windows

        return load_windows(folder)

    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return no fields, as forecasts have no labels."""
        return {}

    def check_model(self, config: "ChainHeadConfig", test: "Examples", recipe: "Recipe") -> None:
        """Check that model and data have the same number of columns of each kind, and of steps to forecast."""
        from ..data.in_time.windows import windows_of

        layout = windows_of(test).layout
        found = (config.num_targets, config.num_input_channels, config.num_time_features)
        expected = (len(layout.targets), layout.channels, len(layout.known))
        if found != expected:
            raise RecipeError(
                "the model has {} targets, {} channels and {} known covariates; the data {}, {} and {}".format(
                    *found, *expected
                )
            )
        if config.prediction_length != recipe.model["prediction_length"]:
            raise RecipeError(
                f"the model forecasts {config.prediction_length} steps, the recipe "
                f"{recipe.model['prediction_length']}"
            )

    def as_peer(self, config: "ChainHeadConfig", encoder: "PooledEncoder") -> "nn.Module":
        """Return a forecaster with the encoder in place of its chain heads."""
        from ..candidates.peer_models import ForecastPeer

        return ForecastPeer(config, encoder)

    def baselines(self, recipe: "Recipe", data: "Data") -> "dict[str, Baseline]":
        """Return the results of forecasts without weights. MASE is NaN if series repeat exactly in training."""
        from ..data.in_time.windows import naive_forecasts, windows_of
        from ..metrics.metric import Outcome
        from ..training.report import Baseline

        test, held_out = windows_of(data.test), _validation_windows(recipe, data)
        validation = naive_forecasts(held_out)
        return {
            title: Baseline(
                self.metric.of(validation[title], held_out.labels),
                {name: Outcome((value,)) for name, value in self.measure_on(forecasts, test).items()},
            )
            for title, forecasts in naive_forecasts(test).items()
        }

    def findings(self, recipe: "Recipe", data: "Data") -> dict[str, Any]:
        """Return the columns' names, the season, and the number of windows that quantiles are calibrated on."""
        from ..data.in_time.windows import windows_of

        test = windows_of(data.test)
        layout = test.layout
        columns = {"targets": layout.targets, "past": layout.past, "known": layout.known}
        told: dict[str, Any] = {
            "columns": {name: list(found) for name, found in columns.items()},
            "season": test.whole.season,
        }
        if self.finishing(recipe):
            told["calibrated_on"] = len(_validation_windows(recipe, data).labels)
        return told

    def inspect(
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", test: "Examples"
    ) -> dict[str, Any]:
        """Return the published model's metrics by series, and for each stretch of a backtest if the recipe has one."""
        from ..data.in_time.windows import naive_forecasts, windows_of
        from ..training.fitting.predicting import predict

        windows = windows_of(test)
        forecasts = predict(model, inputs, test.inputs, self).numpy()
        told: dict[str, Any] = {}
        if parts := by_series(self.measure_on, forecasts, windows):
            told["by_series"] = parts
        if count := check_backtest(recipe.backtest):
            models = {"chain head": forecasts, **naive_forecasts(windows)}
            stretched = {
                title: by_stretch(self.measure_on, found, windows, count) for title, found in models.items()
            }
            told["backtest"] = {
                title: {"origins": parts, "summary": summarised(parts)} for title, parts in stretched.items()
            }
        return told

    def draw(self, recipe: "Recipe", measured: "Measured", prefix: str) -> None:
        """Draw the published model's forecasts of the test part beside the observed values."""
        from ..data.in_time.windows import windows_of
        from ..results.forecast_picture import draw_forecast
        from ..training.fitting.predicting import predict

        test, quantiles = windows_of(measured.data.test), None
        levels = tuple(recipe.model.get("quantiles") or ())
        forecasts = predict(measured.model, measured.inputs, test.inputs, Forecasting()).numpy()
        if levels:
            quantiles = predict(measured.model, measured.inputs, test.inputs, self).numpy()
        file = Path(f"{prefix}forecast.png")
        draw_forecast(forecasts, test, recipe.card.get("unit"), file, quantiles, levels)


def _validation_windows(recipe: "Recipe", data: "Data") -> "Windows":
    from ..data.in_time.windows import windows_of
    from ..data.splits import split

    assert recipe.validation_share is not None
    return windows_of(split(data.train, recipe.validation_share, recipe.seeds[0])[1])
