"""`chainhead evaluate --data` for forecasting models: rolling origins in new files."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import invoke

from chainhead_plugin.estimators import ChainHeadForecaster
from chainhead_plugin.forecasts.metrics import forecast_scores


def series(seed, count=80):
    days = pd.date_range("2025-01-01", periods=count, name="day")
    values = 50 + 10 * (np.arange(count) % 4) + np.random.default_rng(seed).normal(0, 1, count)
    return pd.Series(values, days, name="sales")


def test_scores_are_those_of_the_forecasts_at_every_origin(tmp_path):
    forecaster = ChainHeadForecaster(quantiles=(0.1, 0.5, 0.9), seasons=(4,)).fit(series(0), horizon=3)
    forecaster.save_pretrained(tmp_path / "model")
    past = forecaster.model_.config.chain_length
    new = series(1, past + 20)
    new.to_csv(tmp_path / "new.csv")
    output = invoke("evaluate", tmp_path / "model", "--data", tmp_path / "new.csv", "--json")
    told = json.loads(output[output.index("{") :])

    origins = range(past, len(new) - 3 + 1)
    values = new.to_numpy()[:, np.newaxis]
    quantiles = forecaster.forecast_from([values[:origin] for origin in origins])[:, :, 0]
    futures = np.stack([values[origin : origin + 3, 0] for origin in origins])
    expected = forecast_scores(quantiles, futures, [0.1, 0.5, 0.9])
    found = told["metrics"]
    assert told["examples"] == len(origins) == 18
    for name in ("mae", "rmse", "wql", "smape", "wape"):
        assert found[name] == pytest.approx(expected[name], rel=1e-4), name
    assert found["coverage_80"] == pytest.approx(expected["coverage"])
    assert found["mase"] > 0
    shown = invoke("evaluate", tmp_path / "model", "--data", tmp_path / "new.csv")
    assert "MASE" in shown
    assert "forecasts from 18 origins" in " ".join(shown.split())


def test_origins_within_the_training_are_counted(tmp_path):
    """The forecaster is trained on the first 60 of 80 days."""
    sales = series(0)
    forecaster = ChainHeadForecaster(quantiles=(0.1, 0.5, 0.9), seasons=(4,)).fit(sales[:60], horizon=3)
    forecaster.save_pretrained(tmp_path / "model")
    past = forecaster.model_.config.chain_length
    for first, origins, known in (
        (0, 80 - past - 2, 60 - past),
        (60 - past, 18, 0),
        (60 - past - 1, 19, 1),
    ):
        sales[first:].to_csv(tmp_path / "sales.csv")
        shown = " ".join(invoke("evaluate", tmp_path / "model", "--data", tmp_path / "sales.csv").split())
        assert f"forecasts from {origins} origins, each 3 steps from {past}" in shown
        assert ("values that the model was trained on" in shown) == (known > 0)
        assert not known or f"; {known} of these forecast values that the model was trained on" in shown


def test_gaps_before_origins_are_forecast_too(tmp_path):
    forecaster = ChainHeadForecaster(quantiles=(0.1, 0.5, 0.9), seasons=(4,)).fit(series(0), horizon=3)
    forecaster.save_pretrained(tmp_path / "model")
    past = forecaster.model_.config.chain_length
    new = series(1, past + 20)
    new.iloc[past + 5 : past + 7] = np.nan
    new.to_csv(tmp_path / "new.csv")
    output = invoke("evaluate", tmp_path / "model", "--data", tmp_path / "new.csv", "--json")
    values = new.to_numpy()[:, np.newaxis]
    origins = range(past, len(new) - 3 + 1)
    forecasts = forecaster.forecast_from([values[:origin] for origin in origins])[:, :, 0, 1]
    futures = np.stack([values[origin : origin + 3, 0] for origin in origins])
    expected = np.nanmean(np.abs(forecasts - futures))
    assert json.loads(output[output.index("{") :])["metrics"]["mae"] == pytest.approx(expected, rel=1e-4)


def test_too_short_files_are_told(tmp_path):
    forecaster = ChainHeadForecaster(seasons=(4,)).fit(series(0), horizon=3)
    forecaster.save_pretrained(tmp_path / "model")
    series(1, 4).to_csv(tmp_path / "new.csv")
    result = invoke("evaluate", tmp_path / "model", "--data", tmp_path / "new.csv", code=1)
    assert "no series has" in " ".join(result.split())
