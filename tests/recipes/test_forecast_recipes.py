"""Recipes for forecasts: series split by time, their metrics, their peers, and the commands that run them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from recipe_writing import write_recipe
from transformers import AutoModelForTimeSeriesPrediction, pipeline
from typer.testing import CliRunner

import registry
from chainhead_plugin.cli import app
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.candidates.peers import candidates
from chainhead_plugin.recipes.data.in_time.windows import naive_forecasts
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.data.splits import split
from chainhead_plugin.recipes.metrics.metric import Metric, Outcome
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.tasks.known import task_named
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.report import ModelReport, best_of

TASK = "time-series-forecasting"
PAST, FUTURE, ROWS = 6, 2, 60
CONTENT = {
    "name": "sales",
    "task": TASK,
    "data": {
        "train": "sales.csv",
        "test_share": 0.25,
        "target": "sales",
        "known": ["holiday"],
        "time": "day",
        "season": 3,
    },
    "model": {
        "n": 4,
        "chain_length": PAST,
        "prediction_length": FUTURE,
        "channel_hops": [0, 1],
        "pooling": "flatten",
    },
    "training": {"num_train_epochs": 2, "per_device_train_batch_size": 16},
    "validation_share": 0.2,
    "seeds": [0, 1],
    "threads": 1,
}


def table():
    """Sales that count up, so that a number tells its row."""
    return pd.DataFrame(
        {
            "day": pd.date_range("2025-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "sales": np.arange(ROWS, dtype=float),
            "visitors": np.sin(np.arange(ROWS)) + 100,
            "holiday": np.arange(ROWS) % 3,
        }
    )


@pytest.fixture
def folder(tmp_path):
    table().to_csv(tmp_path / "sales.csv", index=False)
    return tmp_path


def write(folder, **changes):
    return write_recipe(folder, CONTENT, changes)


def data_of(folder, table=None, **changes):
    if table is not None:
        table.to_csv(folder / "sales.csv", index=False)
    options = {name: value for name, value in {**CONTENT["data"], **changes}.items() if value is not None}
    return load_data(load_recipe(write(folder, data=options)))


class TestCut:
    def test_windows_hold_past_and_known_future(self, folder):
        window = data_of(folder).train.inputs[3]
        assert window.shape == (PAST + FUTURE, 3)
        assert window[:PAST, 0].tolist() == [3, 4, 5, 6, 7, 8]
        assert np.isnan(window[PAST:, :2]).all()
        assert window[:, 2].tolist() == [n % 3 for n in range(3, 11)]

    def test_no_part_forecasts_what_another_does(self, folder):
        data = data_of(folder)
        kept, held_out = split(data.train, 0.2, seed=0)
        parts = [kept, held_out, data.test]
        spans = [(part.labels.min(), part.labels.max()) for part in parts]
        assert spans[0][1] < spans[1][0] <= spans[1][1] < spans[2][0]
        assert spans[2] == (45, 59)  # the last quarter
        assert data.test.inputs[0][:PAST, 0].tolist() == [39, 40, 41, 42, 43, 44]

    def test_rows_are_sorted_by_time(self, folder):
        shuffled = table().sample(frac=1, random_state=0)
        assert np.array_equal(
            data_of(folder, shuffled).test.inputs, data_of(folder).test.inputs, equal_nan=True
        )

    def test_several_series_share_their_time(self, folder):
        long = pd.concat([table().assign(shop=0), table().iloc[30:].assign(shop=1)])
        data = data_of(folder, long, series="shop")
        assert len(data.test.labels) == 2 * 14
        assert data.test.labels.min() == 45
        assert data.test.times.tolist() == sorted(data.test.times.tolist())
        without_time = data_of(folder, long.drop(columns="day"), series="shop", time=None)
        assert np.array_equal(without_time.test.labels, data.test.labels)

    def test_test_file_goes_on(self, folder):
        whole = data_of(folder)
        table().iloc[45:].to_csv(folder / "later.csv", index=False)
        data = data_of(folder, table().iloc[:45], test="later.csv", test_share=None)
        assert np.array_equal(data.test.inputs, whole.test.inputs, equal_nan=True)
        table().iloc[40:].to_csv(folder / "later.csv", index=False)  # rows that are in both files count once
        overlapping = data_of(folder, table().iloc[:45], test="later.csv", test_share=None)
        assert np.array_equal(overlapping.test.inputs, whole.test.inputs, equal_nan=True)
        with pytest.raises(
            RecipeError, match=r"row 2, column day holds a time that later.csv, rows 2–21 lacks"
        ):
            data_of(folder, train="later.csv", test="sales.csv", test_share=None)

    def test_missing_targets(self, folder):
        gaps = table()
        gaps.loc[20:29, "sales"] = np.nan
        labels = data_of(folder, gaps).train.labels
        assert np.isnan(labels).any()
        assert not np.isnan(labels).all((1, 2)).any()

    def test_arrays(self, folder):
        np.savez(folder / "x.npz", x=np.arange(ROWS, dtype=float))
        data = data_of(folder, train="x.npz", target="x0", known=None, time=None)
        assert data.test.labels[0].ravel().tolist() == [45, 46]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"target": "revenue"}, "sales.csv has no column revenue for target; it has day, sales"),
            ({"target": None}, "needs target"),
            ({"label": "sales"}, "no 'label' for time-series-forecasting"),
            ({"season": 9}, "season=9 is longer than the past, chain_length=6"),
            ({"season": 1}, "data: season must be a whole number of at least 2"),
            ({"test_share": 1.0}, "data: test_share must be a finite number above 0 and below 1"),
            ({"test_share": 0.01}, "the test part has no window"),
            ({"train": "none.csv"}, "there is no file"),
        ],
    )
    def test_errors(self, folder, changes, message):
        with pytest.raises(RecipeError, match=message):
            data_of(folder, **changes)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"day": "2025-01-01"}, "row 2 and row 9 have the same time, 2025-01-01"),
            ({"day": None}, "row 9, column day is empty"),
            ({"day": "Wednesday"}, "row 9, column day holds 'Wednesday'"),
            ({"holiday": np.nan}, "row 9, column holiday is empty, but a known column needs a value"),
        ],
    )
    def test_errors_in_tables(self, folder, change, message):
        changed = table()
        for column, value in change.items():
            changed.loc[7, column] = value
        with pytest.raises(RecipeError, match=message):
            data_of(folder, changed)

    def test_a_step_that_only_some_series_have(self, folder):
        long = pd.concat([table().assign(shop=0), table().drop(index=20).assign(shop=1)])
        with pytest.raises(RecipeError, match="series 1: between 2025-01-20 and 2025-01-22 1 row lacks"):
            data_of(folder, long, series="shop")

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"validation_share": None, "validation_folds": 3}, "set validation_share"),
            ({"model": {"prediction_length": 2}}, "need chain_length"),
            ({"model": {**CONTENT["model"], "m": 3}}, "m follows from the data"),
            ({"model": {**CONTENT["model"], "loss": "pinball"}}, "needs quantiles"),
            ({"data": "digits"}, "no data set 'digits' for time-series-forecasting"),
        ],
    )
    def test_recipe_errors(self, folder, changes, message):
        with pytest.raises(RecipeError, match=message):
            measure(load_recipe(write(folder, **changes)), folder / "runs", [])


class TestConstantColumns:
    def test_rain_that_falls_only_later_does_not_count(self, folder):
        dry = table().assign(rain=0.0, snow=1.0)
        data = data_of(folder, dry, known=["holiday", "snow"])
        recipe = load_recipe(folder / "recipe.yaml")
        with pytest.warns(UserWarning, match="do not vary in training get no weight.*: rain, snow"):
            inputs = prepare(recipe, data.train)
        assert inputs.fields["constant_features"] == [2, 4]
        model = candidates(recipe, inputs, data.train.names, ["lstm"])
        later = [window.copy() for window in data.test.inputs]
        for window in later:
            window[:PAST, 2] = np.arange(PAST) ** 2
            window[:, 4] = 40
        for candidate in model.values():
            built = candidate.build().eval()
            dry_forecast = built(**inputs.batch(data.test.inputs)).prediction_outputs
            assert torch.equal(built(**inputs.batch(later)).prediction_outputs, dry_forecast)

    def test_indicators_of_what_is_never_missing(self, folder):
        gaps = table()
        gaps.loc[10:12, "visitors"] = np.nan
        model = {**CONTENT["model"], "with_observed_indicator": True}
        gaps.to_csv(folder / "sales.csv", index=False)
        recipe = load_recipe(write(folder, model=model))
        # sales, visitors, whether each was observed, holiday
        assert prepare(recipe, load_data(recipe).train).fields["constant_features"] == [2]


class TestHighLevels:
    @pytest.mark.parametrize("start", [1e8, 0.0])
    def test_a_meter_is_read_to_the_unit(self, folder, start):
        meter = table().assign(sales=start + np.cumsum(np.arange(ROWS) % 3) + (np.arange(ROWS) == 59) * 1e8)
        data = data_of(folder, meter)
        assert data.train.inputs[0].dtype == np.float64
        assert data.test.labels[0].ravel().tolist() == (meter.sales[45:47]).tolist()
        naive = naive_forecasts(data.test)["naive: the last value"]
        assert naive[0].ravel().tolist() == [meter.sales[44]] * FUTURE

    def test_others_stay_in_single_precision(self, folder):
        assert data_of(folder).train.inputs[0].dtype == np.float32
        assert load_data(load_recipe("chainhead-ridership")).test.inputs[0].dtype == np.float32


class TestMeasuring:
    def test_naive_forecasts(self, folder):
        test = data_of(folder).test
        found = naive_forecasts(test)
        assert found["naive: the last value"][0].ravel().tolist() == [44, 44]
        assert found["seasonal naive: the value 3 steps before"][0].ravel().tolist() == [42, 43]

    def test_naive_forecasts_of_incomplete_pasts(self, folder):
        gaps = table()
        gaps.loc[43:44, "sales"] = np.nan
        found = naive_forecasts(data_of(folder, gaps).test)
        assert found["naive: the last value"][0].ravel().tolist() == [42, 42]

    def test_metrics(self):
        forecasts, values = np.array([[[1.0]], [[2.0]], [[9.0]]]), np.array([[[4.0]], [[6.0]], [[np.nan]]])
        expected = {"rmse": 12.5**0.5, "mae": 3.5, "smape": (6 / 5 + 8 / 8) / 2, "wape": 7 / 10}
        assert task_named(TASK).measure(forecasts, values) == pytest.approx(expected)

    def test_metrics_of_quantiles(self, folder):
        levels = [0.1, 0.5, 0.9]
        task = load_recipe(write(folder, model={**CONTENT["model"], "quantiles": levels})).task
        forecasts = np.array([[[[1.0, 2, 3]]], [[[2, 3, 7]]], [[[0, 0, 0]]]])
        values = np.array([[[4.0]], [[6.0]], [[np.nan]]])
        found = task.measure(forecasts, values)
        pinball = ((0.3 + 1.0 + 0.9) / 3 + (0.4 + 1.5 + 0.1) / 3) / 2
        assert task.metric.name == "pinball"
        assert found["pinball"] == pytest.approx(pinball)
        assert found["wql"] == pytest.approx(2 * pinball / 5)
        assert found["mae"] == pytest.approx(2.5)
        assert found["coverage_80"] == 0.5
        # A forecast without quantiles counts as every one of them.
        assert task.measure(values - 1, values)["pinball"] == pytest.approx(0.5)
        with pytest.raises(RecipeError, match="coverage_80 cannot choose"):
            load_recipe(write(folder, model={**CONTENT["model"], "quantiles": levels}, metric="coverage_80"))
        by_error = load_recipe(write(folder, model={**CONTENT["model"], "quantiles": levels}, metric="mae"))
        assert by_error.task.metric.name == "mae"

    def test_quantiles_are_chosen_by_their_loss(self, folder):
        recipe = load_recipe(write(folder, model={**CONTENT["model"], "quantiles": [0.1, 0.5, 0.9]}))
        recipe = replace(recipe, training={**recipe.training, "num_train_epochs": 2}, early_stopping=2)
        results = measure(recipe, folder / "runs", []).results
        chain = results["models"]["chain"]
        assert 0 < chain["validation_pinball_mean"] < chain["test_mae_mean"] * 2
        assert 0 <= chain["test_coverage_80_mean"] <= 1
        assert results["baselines"]["naive: the last value"]["test_pinball"] > 0

    def test_lower_errors_are_better(self):
        metric = task_named(TASK).metric
        outcomes = Outcome((1.9, 2.1)), Outcome((0.95, 1.05))
        models = [ModelReport("", 0.0, {metric.name: outcome}, 1.0, 1.0) for outcome in outcomes]
        assert best_of(models, metric) is models[1]
        assert metric.better(1.0, 2.0)
        assert metric.difference(*outcomes) == ("+100.0 % RMSE", "14.1 %")

    @pytest.mark.parametrize(
        ("value", "like", "text"),
        [(1.98512, None, "1.985"), (0.02, 1.98, "0.020"), (31234.5, None, "31234"), (0, None, "0.0000")],
    )
    def test_four_significant_digits(self, value, like, text):
        assert Metric("rmse", "RMSE", False, lambda *_: 0.0).text(value, like) == text

    def test_learning_rate_of_the_lowest_error(self, folder):
        recipe = load_recipe(write(folder, learning_rates=[1e-5, 0.05]))
        recipe = replace(recipe, training={**recipe.training, "num_train_epochs": 8}, early_stopping=2)
        chain = measure(recipe, folder / "runs", []).results["models"]["chain"]
        assert chain["learning_rate"] == 0.05


class TestPeers:
    @pytest.mark.parametrize("fields", [{}, {"quantiles": [0.1, 0.5, 0.9], "with_observed_indicator": True}])
    def test_all_forecast_in_the_units_of_the_series(self, folder, fields):
        recipe = load_recipe(write(folder, model={**CONTENT["model"], **fields}))
        train = load_data(recipe).train
        inputs = prepare(recipe, train)
        found = candidates(recipe, inputs, train.names, list(recipe.task.default_peers))
        batch = inputs.batch(train.inputs[:5])
        larger = {**batch, "past_values": 10 * batch["past_values"] + 3}
        weights = {name: candidate.count() for name, candidate in found.items()}
        sized = {name: count for name, count in weights.items() if name not in ("nlinear", "dlinear")}
        assert min(sized.values()) == weights["chain"]
        for candidate in found.values():
            model = candidate.build().eval()
            forecasts = model(**batch).prediction_outputs
            assert forecasts.shape == (5, FUTURE, 1)
            torch.testing.assert_close(
                model(**larger).prediction_outputs, 10 * forecasts + 3, rtol=1e-4, atol=1e-3
            )

    def test_convolutions_of_causal_models_look_back_alone(self, folder):
        recipe = load_recipe(write(folder, model={**CONTENT["model"], "pooling": "last"}))
        train = load_data(recipe).train
        inputs = prepare(recipe, train)
        model = candidates(recipe, inputs, train.names, ["conv1d"])["conv1d"].build().eval()
        nodes, mask = torch.randn(1, PAST, 3), torch.ones(1, PAST, 1)
        changed = nodes.clone()
        changed[:, -1] += 1
        before, after = (model.encoder.encoder(x, mask)[0] for x in (nodes, changed))
        assert torch.equal(before[:-1], after[:-1])
        assert not torch.equal(before[-1], after[-1])


class TestCommands:
    def test_compare_evaluate_and_predict(self, folder):
        out = folder / "out"

        def invoke(*arguments):
            result = CliRunner().invoke(app, [str(argument) for argument in arguments])
            assert result.exit_code == 0, result.output
            return " ".join(result.output.split())

        file = write(folder, peers=["no_hops", "gru"], card={"unit": "thousand"})
        shown = invoke("compare", file, "--output", out)
        assert "test RMSE in thousand" in shown
        assert "Against the best forecast without weights (naive: the last value) it has" in shown
        results = json.loads((out / "results.json").read_text("utf-8"))
        assert results["baselines"]["naive: the last value"]["test_rmse"] == pytest.approx(2.5**0.5)
        chain = results["models"]["chain"]
        card = (out / "README.md").read_text("utf-8")
        assert "| naive: the last value | 0 | – |" in card
        for name in ("learning-curve.png", "comparison.png", "chain-matrix.png", "forecast.png"):
            assert (out / name).read_bytes().startswith(b"\x89PNG")
            assert name in card
        evaluated = invoke("evaluate", out)
        rmse, mae = (f"{chain[f'test_{name}'][0]:.4g}" for name in ("rmse", "mae"))
        assert evaluated.count(rmse) == evaluated.count(mae) == 2

        registry.load_plugins()
        model = AutoModelForTimeSeriesPrediction.from_pretrained(out)
        assert (model.config.num_input_channels, model.config.num_time_features) == (2, 1)
        rows = table().drop(columns="day").iloc[-PAST - FUTURE :]
        rows.iloc[-FUTURE:, :2] = np.nan
        rows.to_csv(folder / "rows.csv", index=False)
        predicted = json.loads(
            invoke("predict", out, folder / "rows.csv", "--json", "--drop", "day")
            .partition("{")[2]
            .join("{ ")
        )
        forecast = pipeline(TASK, model=str(out), device="cpu")(rows.to_numpy())
        assert np.array(predicted["forecast"]) == pytest.approx(np.array(forecast["forecast"]))
