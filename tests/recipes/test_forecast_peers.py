"""Linear networks and classical forecasters, which a forecast recipe compares its model with."""

import sys

import numpy as np
import pandas as pd
import pytest
from recipe_writing import write_recipe

from chainhead_plugin.recipes import load_recipe, measure
from chainhead_plugin.recipes.results.card import render_card

CONTENT = {
    "name": "sales",
    "task": "time-series-forecasting",
    "data": {"train": "sales.csv", "test_share": 0.2, "target": "sales", "time": "day", "season": 4},
    "model": {
        "n": 4,
        "chain_length": 8,
        "prediction_length": 2,
        "pooling": "flatten",
        "quantiles": [0.1, 0.5, 0.9],
    },
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 32},
    "validation_share": 0.2,
    "seeds": [0],
    "threads": 1,
}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-01-01", periods=80).strftime("%Y-%m-%d")
    sales = 5 * (np.arange(80) % 4) + rng.normal(0, 0.5, 80)
    pd.DataFrame({"day": days, "sales": sales}).to_csv(tmp_path / "sales.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("name", ["nlinear", "dlinear"])
def test_linear_networks_are_trained_and_calibrated(folder, name):
    recipe = load_recipe(write_recipe(folder, CONTENT, {"learning_rates": [0.05]}))
    assert recipe.peers[-2:] == ["nlinear", "dlinear"]
    found = measure(recipe, folder / "runs", [name]).results["models"][name]
    maps = 1 + (name == "dlinear")
    assert found["parameters"] == maps * (8 + 1) * 2 * 3
    assert found["test_mase"][0] > 0
    assert 0 <= found["test_coverage_80_mean"] <= 1


def test_what_is_not_installed_is_said(folder, monkeypatch):
    for name in ("statsforecast", "statsforecast.models"):
        monkeypatch.setitem(sys.modules, name, None)
    recipe = load_recipe(write_recipe(folder, CONTENT, {}))
    measured = measure(recipe, folder / "runs", ["theta"])
    assert measured.results["models"].keys() == {"chain"}
    assert measured.results["not_run"] == {
        "Theta": 'it needs statsforecast: pip install statsforecast, or this project\'s extra "forecast"'
    }
    card = render_card(recipe, measured.report, measured.model.config.to_dict())
    assert "Not run, so that nothing is said of them: Theta: it needs statsforecast" in card


def test_classical_forecasters(folder):
    pytest.importorskip("statsforecast", reason="the extra forecast is not installed")
    recipe = load_recipe(write_recipe(folder, CONTENT, {}))
    names = ["autoarima", "autoets", "theta", "mstl"]
    measured = measure(recipe, folder / "runs", names)
    models = measured.results["models"]
    assert models.keys() == {"chain", *names}
    for name in names:
        assert models[name]["test_mase"][0] < 1.2
        assert 0.5 < models[name]["test_coverage_80"][0] <= 1
    card = render_card(recipe, measured.report, measured.model.config.to_dict())
    assert "AutoARIMA, AutoETS, Theta, MSTL, from statsforecast" in card
    assert "the best of AutoARIMA, AutoETS, Theta and MSTL" in card
