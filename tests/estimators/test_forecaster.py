"""`ChainHeadForecaster`, and `chainhead train` of tables with times and no labels."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from transformers import pipeline
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.estimators import ChainHeadForecaster

DAYS = pd.date_range("2024-01-01", periods=120, name="day")


def sales(seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * (100 + 20 * (DAYS.dayofweek >= 5) + rng.normal(0, 2, len(DAYS)))


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == code, result.output + repr(result.exception)
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def fitted():
    return ChainHeadForecaster().fit(pd.Series(sales(), DAYS, name="sales"), horizon=7)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecaster")
    pd.DataFrame({"day": DAYS, "sales": sales().round(2)}).to_csv(folder / "sales.csv", index=False)
    said = invoke("train", folder / "sales.csv", "-o", folder / "model", "--test-share", "0.2")
    return folder, said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("horizon_", None),
        ("until", [1, float("inf")]),
        ("effects_", {"a": 3}),
        ("seasons_", ["7"]),
        ("memory", "long"),
    ],
)
def test_a_state_that_holds_anything_is_told(fitted, tmp_path, name, value):
    fitted.save_pretrained(tmp_path)
    file = tmp_path / "estimator.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {name: value}))
    with pytest.raises(ValueError, match=rf"estimator\.json is damaged: its {name} is"):
        ChainHeadForecaster.from_pretrained(tmp_path)


def test_errors_that_do_not_fit_are_told(fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    file = tmp_path / "forecast_errors.safetensors"
    arrays = load_file(file)
    with safe_open(file, framework="np") as opened:
        state = opened.metadata()
    save_file({**arrays, "steps": arrays["steps"][:-1]}, file, state)
    for load in (
        ChainHeadForecaster.from_pretrained,
        lambda folder: pipeline("time-series-forecasting", model=str(folder)),
    ):
        with pytest.raises(ValueError, match="record of errors does not fit together: "):
            load(tmp_path)


class TestForms:
    def test_a_series_with_dates(self, fitted):
        found = fitted.predict()
        assert isinstance(found, pd.Series)
        assert found.index.equals(pd.date_range(DAYS[-1] + DAYS.freq, periods=7))
        assert np.abs(found - (100 + 20 * (found.index.dayofweek >= 5))).max() < 5
        assert (fitted.seasons_, fitted.horizon_) == ([7], 7)

    def test_a_last_season_without_values(self, fitted, tmp_path):
        y = sales()
        y[-7:] = np.nan
        found = fitted.predict(y=y)
        later = pd.date_range(DAYS[-1] + DAYS.freq, periods=7)
        assert np.abs(found - (100 + 20 * (later.dayofweek >= 5))).max() < 5
        fitted.save_pretrained(tmp_path)
        ahead = pipeline("time-series-forecasting", model=str(tmp_path))
        together = ahead([y, sales(), y[:-1]], batch_size=3)
        np.testing.assert_allclose(together[0]["forecast"], found, rtol=1e-5)
        np.testing.assert_allclose(together[1]["forecast"], fitted.predict(y=sales()), rtol=1e-5)
        np.testing.assert_allclose(together[2]["forecast"][1:], found[:-1], rtol=1e-5)

    def test_quantiles_and_bands(self, fitted):
        found = fitted.predict_quantiles(alpha=[0.1, 0.5, 0.9])
        assert found.columns.to_list() == [("sales", 0.1), ("sales", 0.5), ("sales", 0.9)]
        np.testing.assert_array_equal(found["sales", 0.5], fitted.predict())
        assert fitted.predict_interval(coverage=0.8).equals(found[[("sales", 0.1), ("sales", 0.9)]])

    def test_arrays_and_lists_of_them(self):
        y = sales()
        assert ChainHeadForecaster().fit(y, horizon=3).predict().shape == (3,)
        table = np.stack([y, sales(1)], 1)
        forecaster = ChainHeadForecaster(quantiles=[0.1, 0.5, 0.9]).fit(table, horizon=3)
        assert forecaster.predict().shape == (3, 2)
        assert forecaster.predict_quantiles().shape == (3, 2, 3)
        several = ChainHeadForecaster().fit([y, sales(1, 10)[:90]], horizon=3).predict()
        assert [one.shape for one in several] == [(3,), (3,)]

    def test_a_panel(self):
        frame = pd.concat(
            {name: pd.DataFrame({"sales": sales(i)}, DAYS) for i, name in enumerate("ab")}, names=["shop"]
        )
        found = ChainHeadForecaster().fit(frame, horizon=2).predict()
        assert found.index.names == ["shop", "day"]
        assert found.index.get_level_values("shop").to_list() == ["a", "a", "b", "b"]

    def test_shuffled_rows_and_gaps(self, fitted):
        y = pd.Series(sales(), DAYS, name="sales")
        shuffled = ChainHeadForecaster().fit(y.sample(frac=1, random_state=0), horizon=7)
        pd.testing.assert_series_equal(shuffled.predict(), fitted.predict(), check_freq=False)
        with_gap = y.drop(y.index[[50, 51]])
        empty = y.copy()
        empty.iloc[[50, 51]] = np.nan
        pd.testing.assert_series_equal(
            *(ChainHeadForecaster().fit(one, horizon=7).predict() for one in (with_gap, empty))
        )

    def test_beyond_the_horizon_bands_do_not_shrink(self, fitted):
        band = fitted.predict_interval(21)
        width = (band.iloc[:, 1] - band.iloc[:, 0]).to_numpy()
        assert len(band) == 21
        assert width[14:].mean() > 0.95 * width[:7].mean()


@pytest.fixture(scope="module")
def thresholds():
    """What follows a value is its size alone: no linear map forecasts it."""
    rng = np.random.default_rng(0)
    y = np.zeros(700)
    for step in range(1, 700):
        y[step] = 3 - abs(1.8 * y[step - 1]) + 0.05 * rng.normal()
    return y


class TestTrainedChain:
    """A trained chain beside the map of the past."""

    def test_it_is_taken_where_it_is_better(self, thresholds, tmp_path):
        y, origins = thresholds[:340], range(340, 699)
        plain = ChainHeadForecaster().fit(y, horizon=1)
        chain = ChainHeadForecaster(seconds=60).fit(y, horizon=1)
        assert "no time was given" in plain.reason_
        assert chain.reason_.startswith("a trained chain was chosen")
        pasts = [thresholds[:origin, np.newaxis] for origin in origins]
        future = thresholds[origins]
        errors = [np.abs(one.forecast_from(pasts)[:, 0, 0, 6] - future).mean() for one in (plain, chain)]
        assert errors[1] < 0.7 * errors[0]

        low, high = np.moveaxis(chain.forecast_from(pasts)[:, 0, 0][:, [2, 10]], 1, 0)
        assert 0.6 < ((low <= future) & (future <= high)).mean() < 0.95
        chain.save_pretrained(tmp_path)
        again = ChainHeadForecaster.from_pretrained(tmp_path)
        np.testing.assert_array_equal(again.predict_quantiles(y=y), chain.predict_quantiles())
        assert again.reason_ == chain.reason_
        median = chain.predict()
        assert np.ptp(chain.update(thresholds[340:360]).predict_interval()) > 0
        np.testing.assert_allclose(chain.predict(y=y), median, rtol=1e-6)

    def test_the_map_is_kept_where_it_is_as_good(self):
        kept = ChainHeadForecaster(seconds=5).fit(sales(), horizon=7)
        assert kept.reason_.startswith("the map of the past was kept: at")
        np.testing.assert_array_equal(kept.predict(), ChainHeadForecaster().fit(sales(), horizon=7).predict())
        wide = ChainHeadForecaster(seconds=5).fit(np.stack([sales(), sales(1)], 1), horizon=7)
        assert "for a single column alone" in wide.reason_
        with pytest.raises(ValueError, match="seconds"):
            ChainHeadForecaster(seconds=0).fit(sales(), horizon=7)


class TestFiles:
    def test_saved_and_loaded(self, fitted, tmp_path):
        fitted.save_pretrained(tmp_path)
        again = ChainHeadForecaster.from_pretrained(tmp_path)
        y = pd.Series(sales(), DAYS, name="sales")
        pd.testing.assert_series_equal(again.predict(y=y), fitted.predict())
        assert again.get_params() == fitted.get_params() | {"quantiles": list(fitted.quantiles)}
        with pytest.raises(ValueError, match="pass the past as y"):
            again.predict()
        result = pipeline("time-series-forecasting", model=str(tmp_path))(y, prediction_length=10)
        np.testing.assert_allclose(result["forecast"], fitted.predict(10), rtol=1e-5)
        assert len(result["times"]) == 10

    def test_clone(self, fitted):
        with pytest.raises(NotFittedError):
            clone(fitted).predict()


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (np.arange(5.0), {"horizon": 4}, "the longest series has 5 steps, expected at least 9"),
        (np.full(50, np.nan), {}, "has no value"),
        (np.zeros((3, 3, 3)), {}, r"expected \[length\] or \[length, targets\]"),
        ("abc", {}, "no plain numbers"),
        (np.arange(50.0), {"X": np.arange(40)}, "expected a row for each step"),
        (pd.Series(np.arange(9.0), DAYS[[0, 1, 2, 3, 3, 4, 5, 6, 7]]), {}, "the same time"),
    ],
)
def test_what_cannot_be_fitted(y, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ChainHeadForecaster().fit(y, **options)


def test_what_cannot_be_predicted(fitted):
    with pytest.raises(ValueError, match=r"and not \[0.33\]"):
        fitted.predict_quantiles(alpha=0.33)
    with pytest.raises(ValueError, match="horizon"):
        fitted.predict(0)
    with pytest.raises(ValueError, match="nothing to forecast from"):
        fitted.predict(y=pd.Series(np.full(60, np.nan), DAYS[:60], name="sales"))


class TestCommand:
    def test_everything_is_told(self, trained):
        folder, said = trained
        assert "task: forecasting, as there are times and no labels" in said
        assert "horizon: 14 steps" in said
        assert "seasons: 7 steps" in said
        assert "test: MAE" in said
        results = json.loads((folder / "model" / "results.json").read_text())
        assert results["test"]["mase"] < 1
        assert results["test_origins"] == 11
        card = (folder / "model" / "README.md").read_text()
        assert f"| MASE | {results['test']['mase']:.4g} |" in card

    def test_predict_with_dates_and_beyond(self, trained):
        folder, _ = trained
        invoke(
            "predict", folder / "model", folder / "sales.csv", "--horizon", 20, "--quantiles", "0.1,0.9",
            "-o", folder / "out.csv",
        )  # fmt: skip
        found = pd.read_csv(folder / "out.csv")
        assert found["time"].to_list() == [
            str(day.date()) for day in pd.date_range(DAYS[-1] + DAYS.freq, periods=20)
        ]
        assert (found["quantile 0.1"] < found["forecast"]).all()

    def test_the_plan_runs_again(self, trained):
        folder, _ = trained
        before = (folder / "model" / "model.safetensors").read_bytes()
        plan = folder / "model" / "training.yaml"
        assert "horizon: 14" in plan.read_text()
        invoke("train", plan)
        assert (folder / "model" / "model.safetensors").read_bytes() == before

    def test_columns_that_leave_it_open(self, trained):
        folder, _ = trained
        shutil.copy(folder / "sales.csv", folder / "two.csv")
        table = pd.read_csv(folder / "two.csv")
        table.assign(price=1 + table.index % 5).to_csv(folder / "two.csv", index=False)
        said = invoke("train", folder / "two.csv", "-o", folder / "two", code=1)
        assert "Name them with --target" in said
        said = invoke("train", folder / "two.csv", "-o", folder / "two", "--target", "sales", code=1)
        assert "--drop price" in said
        assert not (folder / "two").exists()
        said = invoke(
            "train",
            folder / "two.csv",
            "-o",
            folder / "two",
            "--target",
            "sales",
            "--drop",
            "price",
            "--horizon",
            3,
        )
        assert "target sales" in said

    @pytest.mark.parametrize(
        ("options", "message", "code"),
        [
            (("--task", "regression", "--horizon", 3), "has no effect on regression", 2),
            (("--horizon", 100), "expected at least 201", 1),
            (("--test", "other.csv"), "there is no file other.csv", 1),
        ],
    )
    def test_options_that_cannot_be(self, trained, options, message, code):
        folder, _ = trained
        assert message in invoke("train", folder / "sales.csv", "-o", folder / "none", *options, code=code)
        assert not (folder / "none").exists()


def test_rows_in_order_without_times(tmp_path):
    pd.DataFrame({"sales": sales().round(2)}).to_csv(tmp_path / "sales.csv", index=False)
    assert "--task forecasting" in invoke("train", tmp_path / "sales.csv", code=1)
    said = invoke(
        "train", tmp_path / "sales.csv", "--task", "forecasting", "--horizon", 7, "-o", tmp_path / "m"
    )
    assert "target sales; time by the order of rows" in said
    invoke("predict", tmp_path / "m", tmp_path / "sales.csv", "-o", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["step"].to_list() == [*range(1, 8)]
    later = pd.date_range(DAYS[-1] + DAYS.freq, periods=7)
    assert np.abs(found["forecast"] - (100 + 20 * (later.dayofweek >= 5))).max() < 5


def test_a_column_for_each_series(tmp_path):
    frame = pd.DataFrame({"day": DAYS, "north": sales().round(2), "south": sales(1, 0.1).round(2)})
    frame.to_csv(tmp_path / "wide.csv", index=False)
    assert "as --target north,south;" in invoke("train", tmp_path / "wide.csv", code=1)
    invoke("train", tmp_path / "wide.csv", "--target", "north,south", "--horizon", 7, "-o", tmp_path / "m")
    turned = frame[["south", "day", "north"]]
    turned.to_csv(tmp_path / "turned.csv", index=False)
    invoke("predict", tmp_path / "m", tmp_path / "turned.csv", "-o", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    later = pd.date_range(DAYS[-1] + DAYS.freq, periods=7)
    assert found["time"].to_list() == [str(day.date()) for day in later]
    expected = 100 + 20 * (later.dayofweek >= 5)
    assert np.abs(found["forecast, north"] - expected).max() < 5
    assert np.abs(found["forecast, south"] - expected / 10).max() < 0.5
    assert json.loads(invoke("predict", tmp_path / "m", tmp_path / "turned.csv", "--json"))["targets"] == [
        "north",
        "south",
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            ["00:00", "01:00"],
            "its columns are hours, but a table to forecast has a row for each time: turn it",
        ),
        (["year", "hour"], "If year, hour are parts of the time, name them as such"),
    ],
)
def test_tables_that_are_to_be_turned(tmp_path, columns, message):
    rows = "".join(f"{2020 + number // 12},{number % 12 + 1}\n" for number in range(20))
    (tmp_path / "t.csv").write_text(f"{','.join(columns)}\n{rows}")
    assert message in invoke("train", tmp_path / "t.csv", "--task", "forecasting", code=1)


def test_a_later_file_is_the_test_part(trained):
    folder, _ = trained
    table = pd.read_csv(folder / "sales.csv")
    table[:96].to_csv(folder / "first.csv", index=False)
    scores = {}
    for name, later in {
        "goes-on": table[96:],
        "overlaps": table[80:],
        "other-order": table[96:][::-1][["sales", "day"]],
    }.items():
        later.to_csv(folder / "later.csv", index=False)
        said = invoke("train", folder / "first.csv", "--test", folder / "later.csv", "-o", folder / name)
        assert "1 series of 24 steps" in said
        scores[name] = json.loads((folder / name / "results.json").read_text())
    shared = json.loads((folder / "model" / "results.json").read_text())
    assert all(found["test"] == shared["test"] for found in scores.values())
    assert scores["goes-on"]["test_origins"] == shared["test_origins"]
    card = (folder / "goes-on" / "README.md").read_text()
    assert "what goes on in later.csv" in card
    again = invoke("train", folder / "goes-on" / "training.yaml", "-o", folder / "again")
    assert "1 series of 80 steps" not in again


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[98:], None),
        (
            lambda table: table[80:].assign(sales=1),
            r"row 2, column sales holds 1, but first.csv, row 82, column sales",
        ),
        (lambda table: table[:50], "nothing of it comes later"),
        (lambda table: table[96:].rename(columns={"sales": "sold"}), "missing sales; unknown sold"),
        (lambda table: table[96:].drop(columns="day"), "missing day"),
        (
            lambda table: table[96:].assign(day=table.day + " 12:00"),
            "not begin a whole number of steps of 1 day",
        ),
    ],
)
def test_later_files_that_do_not_go_on(trained, change, message):
    folder, _ = trained
    table = pd.read_csv(folder / "sales.csv")
    table[:96].to_csv(folder / "first.csv", index=False)
    change(table).to_csv(folder / "odd.csv", index=False)
    arguments = ("train", folder / "first.csv", "--test", folder / "odd.csv", "-o", folder / "odd")
    said = invoke(*arguments, code=0 if message is None else 1)
    shutil.rmtree(folder / "odd", ignore_errors=True)
    assert message is None or message in said
