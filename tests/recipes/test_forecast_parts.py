"""Forecast recipes: calibrated quantiles, MASE, scores by series, and the test part in stretches of time."""

import numpy as np
import pandas as pd
import pytest
from recipe_writing import write_recipe

from chainhead_plugin.models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from chainhead_plugin.recipes import RecipeError, load_recipe, measure
from chainhead_plugin.recipes.data.in_time.windows import naive_forecasts
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.results.card import render_card
from chainhead_plugin.recipes.results.output import save_checkpoint
from chainhead_plugin.recipes.training.fitting.predicting import quality

LEVELS = [0.1, 0.5, 0.9]
MODEL = {
    "n": 4,
    "chain_length": 6,
    "prediction_length": 2,
    "channel_hops": [0, 1],
    "pooling": "flatten",
    "quantiles": LEVELS,
}
CONTENT = {
    "name": "sales",
    "task": "time-series-forecasting",
    "data": {
        "train": "sales.csv",
        "test_share": 0.3,
        "target": "sales",
        "time": "day",
        "series": "shop",
        "season": 3,
    },
    "model": MODEL,
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 32},
    "validation_share": 0.3,
    "seeds": [0],
    "threads": 1,
}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-01-01", periods=70).strftime("%Y-%m-%d")
    shops = [
        pd.DataFrame(
            {"shop": name, "day": days, "sales": size * (np.arange(70) % 3 + rng.normal(0, 0.3, 70))}
        )
        for name, size in (("north", 1.0), ("south", 100.0))
    ]
    pd.concat(shops).to_csv(tmp_path / "sales.csv", index=False)
    return tmp_path


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, CONTENT, changes))


def test_mase_is_in_units_of_each_series_in_training(folder):
    recipe = recipe_of(folder)
    test = load_data(recipe).test
    table = pd.read_csv(folder / "sales.csv")
    cut = 70 - round(0.3 * 70)
    assert int(test.times.min()) == cut
    scales = [
        np.mean(np.abs(part.sales.to_numpy()[3:cut] - part.sales.to_numpy()[: cut - 3]))
        for _, part in table.groupby("shop")
    ]
    np.testing.assert_allclose(test.whole.scales.ravel(), scales, rtol=1e-6)
    naive = naive_forecasts(test)["seasonal naive: the value 3 steps before"]
    found = recipe.task.measure_on(naive, test)
    errors = np.abs(naive - test.labels)[..., 0] / np.asarray(scales)[test.of_series][:, np.newaxis]
    assert found["mase"] == pytest.approx(errors.mean())
    with pytest.raises(RecipeError, match="choose models by mae"):
        recipe_of(folder, metric="mase")


def test_the_season_is_found_where_none_is_stated(folder):
    data = {name: value for name, value in CONTENT["data"].items() if name != "season"}
    test = load_data(recipe_of(folder, data=data)).test
    assert test.whole.seasons[0] == 3
    assert list(naive_forecasts(test)) == ["naive: the last value"]


def test_quantiles_are_calibrated_on_validation(folder):
    measured = measure(recipe_of(folder, backtest={"origins": 3}), folder / "runs", [])
    raw = measure(recipe_of(folder, calibrate=False), folder / "runs", [])
    offsets = measured.model.config.quantile_offsets
    assert offsets[0] != 0 == offsets[1]
    assert raw.model.config.quantile_offsets == []
    assert raw.results["history"] == measured.results["history"]  # the same run

    # The kept run is measured anew, and what is saved is the calibrated model.
    chain, plain = measured.results["models"]["chain"], raw.results["models"]["chain"]
    assert chain["test_rmse"] == pytest.approx(plain["test_rmse"])
    assert chain["test_wql"] != plain["test_wql"]
    save_checkpoint(recipe_of(folder), measured, folder / "saved")
    saved = ChainHeadForTimeSeriesPrediction.from_pretrained(folder / "saved").eval()
    task = recipe_of(folder).task
    test = measured.data.test
    assert quality(saved, measured.inputs, test, task)["wql"] == pytest.approx(chain["test_wql"][0])
    assert measured.results["calibrated_on"] > 0
    assert "calibrated_on" not in raw.results

    parts = measured.results["by_series"]
    assert [part["series"] for part in parts] == ["north", "south"]
    mean = sum(part["mase"] * part["windows"] for part in parts) / len(test.labels)
    assert mean == pytest.approx(chain["test_mase"][0])

    backtest = measured.results["backtest"]
    origins = backtest["chain head"]["origins"]
    assert sum(part["windows"] for part in origins) == len(test.labels)
    assert backtest["chain head"]["summary"]["mase"]["mean"] == pytest.approx(
        np.mean([part["mase"] for part in origins])
    )
    assert "seasonal naive: the value 3 steps before" in backtest

    config = measured.model.config.to_dict()
    card = render_card(recipe_of(folder, backtest={"origins": 3}), measured.report, config)
    assert "Quantiles were calibrated after training on the" in card
    assert "the value 3 steps before" in card
    assert "| south, sales |" in card
    assert "in 3 successive stretches of time" in card
    assert "calibrated" not in render_card(recipe_of(folder), raw.report, config)


def test_peers_are_calibrated_each_for_itself(folder):
    recipe = recipe_of(folder)
    results = measure(recipe, folder / "runs", ["gru"]).results["models"]
    assert 0 <= results["gru"]["test_coverage_80_mean"] <= 1
    assert results["gru"]["test_wql"] != results["chain"]["test_wql"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"calibrate": "yes"}, "calibrate must be true or false"),
        ({"calibrate": True, "model": {**MODEL, "quantiles": []}}, "no effect on a model without quantiles"),
        ({"backtest": {"windows": 3}}, "backtest holds origins alone"),
        ({"backtest": {"origins": 1}}, "backtest: origins must be a whole number of at least 2"),
        ({"backtest": {"origins": 90}}, "not enough for 90 origins"),
    ],
)
def test_errors(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        measure(recipe_of(folder, **changes), folder / "runs", [])


def test_no_effect_on_labels(folder):
    content = {
        **CONTENT,
        "task": "time-series-classification",
        "validation_share": None,
        "validation_folds": 2,
    }
    for name, value in (("calibrate", False), ("backtest", {"origins": 3})):
        with pytest.raises(RecipeError, match=f"{name} has no effect for time-series-classification"):
            load_recipe(write_recipe(folder, {**content, "model": {"n": 4}}, {name: value}))
