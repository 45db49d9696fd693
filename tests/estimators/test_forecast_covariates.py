"""`ChainHeadForecaster` with covariates, and with values that came after the fit."""

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from transformers import pipeline
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.estimators import ChainHeadForecaster

DAYS = pd.date_range("2024-01-01", periods=140, name="day")
LEVELS = [0.1, 0.5, 0.9]
END, HORIZON = 120, 5


def data():
    rng = np.random.default_rng(0)
    holiday = (rng.random(len(DAYS)) < 0.12).astype(float)
    y = 1000 + 20 * (DAYS.dayofweek >= 5) + 60 * holiday + rng.normal(0, 3, len(DAYS))
    return pd.Series(y, DAYS, name="sales"), pd.DataFrame({"holiday": holiday, "rain": 0.0}, DAYS)


@pytest.fixture(scope="module")
def fitted():
    y, X = data()
    with pytest.warns(UserWarning, match="rain does not vary in the training data"):
        return ChainHeadForecaster(quantiles=LEVELS).fit(y[:END], X[:END], horizon=HORIZON)


class TestCovariates:
    def test_the_effect_is_found_and_forecast(self, fitted):
        y, X = data()
        assert fitted.effects_["holiday"][0] == pytest.approx(60, abs=4)
        assert fitted.effects_["rain"] == [0]
        ahead = X[END : END + HORIZON].copy()
        plain, special = (
            fitted.predict(X=ahead.assign(holiday=value, rain=[0, 9, 9, 9, 9])) for value in (0.0, 1.0)
        )
        np.testing.assert_allclose(special - plain, fitted.effects_["holiday"][0], rtol=1e-4)
        assert np.abs(fitted.predict(X=ahead) - y[END : END + HORIZON]).max() < 15

    def test_it_is_the_map_of_the_past_less_the_effects(self, fitted):
        """The plain reference of what the model computes."""
        y, X = data()
        config = fitted.model_.config
        (loc,), (scale,) = config.fixed_loc, config.fixed_scale
        weight = fitted.model_.linear_path.map.weight.detach().double().numpy()
        effects = X.to_numpy() @ np.concatenate(list(fitted.effects_.values()))
        effects -= effects[:END].mean()
        rest = (y.to_numpy() - effects - loc)[END - config.chain_length : END] / scale
        expected = weight @ rest * scale + loc + effects[END : END + HORIZON]
        np.testing.assert_allclose(fitted.predict(X=X[END : END + HORIZON]), expected, rtol=1e-5)

    def test_every_way_gives_the_same(self, fitted, tmp_path):
        y, X = data()
        expected = fitted.predict_quantiles(X=X[END : END + HORIZON])
        fitted.save_pretrained(tmp_path)
        loaded = ChainHeadForecaster.from_pretrained(tmp_path)
        known = X[: END + HORIZON]
        pd.testing.assert_frame_equal(loaded.predict_quantiles(y=y[:END], X=known), expected)

        frame = pd.concat([y[:END].to_frame(), known], axis=1).rename_axis("day")
        result = pipeline("time-series-forecasting", model=str(tmp_path))(frame)
        for level in LEVELS:
            np.testing.assert_allclose(result["quantiles"][level], expected["sales", level], rtol=1e-7)

    def test_beyond_the_horizon(self, fitted, tmp_path):
        """The first steps are those of the horizon; the later steps know their covariates, as the pipeline's do."""
        y, X = data()
        found = fitted.predict_quantiles(12, X=X[END : END + 12])
        first = fitted.predict_quantiles(X=X[END : END + HORIZON])
        pd.testing.assert_frame_equal(found[:HORIZON], first, check_freq=False)
        assert np.abs(found["sales", 0.5] - y[END : END + 12]).max() < 20
        fitted.save_pretrained(tmp_path)
        frame = pd.concat([y[:END].to_frame(), X[: END + 12]], axis=1).rename_axis("day")
        result = pipeline("time-series-forecasting", model=str(tmp_path))(frame, prediction_length=12)
        for level in LEVELS:
            np.testing.assert_allclose(result["quantiles"][level], found["sales", level], rtol=1e-6)

    def test_rows_between_the_past_and_a_forecast_are_told(self, fitted, tmp_path):
        y, X = data()
        fitted.save_pretrained(tmp_path / "model")
        file = tmp_path / "sales.csv"
        pd.concat([y[:END], X], axis=1).to_csv(file)
        told = "the forecast begins after 15 further rows without sales: --horizon 20 forecasts these too"
        for options in ((), ("--output", tmp_path / "out.csv")):
            assert told in " ".join(invoke("predict", tmp_path / "model", file, *options).split())
        assert "begins after" not in invoke("predict", tmp_path / "model", file, "--horizon", 20)
        pd.concat([y[:END], X[: END + HORIZON]], axis=1).to_csv(file)
        assert "begins after" not in invoke("predict", tmp_path / "model", file)

    def test_arrays_and_several_series(self):
        y, X = data()
        values, known = y.to_numpy(), X[["holiday"]].to_numpy()
        series = [values[:END], 10 * values[10:END]]
        forecaster = ChainHeadForecaster(quantiles=LEVELS).fit(series, [known, known[10:]], horizon=HORIZON)
        found = forecaster.predict(y=series, X=[known, known[10:]])
        assert np.abs(found[0] - values[END : END + HORIZON]).max() < 25
        assert np.abs(found[1] / 10 - values[END : END + HORIZON]).max() < 25

    def test_a_covariate_that_does_not_help_has_no_effect(self):
        y, _ = data()
        noise = np.random.default_rng(1).normal(size=(END, 1))
        forecaster = ChainHeadForecaster(quantiles=LEVELS).fit(y[:END].to_numpy(), noise, horizon=HORIZON)
        assert abs(forecaster.effects_["x0"][0]) < 3

    def test_mistakes(self, fitted):
        y, X = data()
        missing = X[:END].copy()
        missing.iloc[7, 0] = np.nan
        for call, message in (
            (fitted.predict, "of 0 steps after the past, but 5"),
            (lambda: fitted.predict(X=X[END : END + 2]), "of 2 steps after the past"),
            (lambda: fitted.predict(9, X=X[END : END + 8]), "of 8 steps after the past, but 9"),
            (lambda: fitted.predict(y=y[:END]), "missing holiday, rain"),
            (
                lambda: ChainHeadForecaster().fit(y[:END], X[:60], horizon=3),
                "X has no row for 60 of the 120 steps of y, the first 2024-03-01",
            ),
            (
                lambda: fitted.predict(X=X),
                f"{END} of the {len(X)} new rows are for steps that were given before",
            ),
            (
                lambda: fitted.predict(y=y[:END], X=X[END:]),
                f"X has no row for {END} of the {END} steps of y",
            ),
            (
                lambda: fitted.update(y[END - 3 :], X[END - 3 :]),
                "3 of the 23 new rows are for steps that were",
            ),
            (lambda: fitted.predict_interval(coverage=95), "coverage must be .* above 0 and below 1, got 95"),
            (lambda: fitted.predict_interval(coverage=[0.5]), "coverage must be .* of type list"),
            (
                lambda: ChainHeadForecaster().fit(y[:END], missing, horizon=3),
                "row 8, column holiday is empty",
            ),
            (
                lambda: ChainHeadForecaster().fit(y[:END].to_numpy(), missing.to_numpy(), horizon=3),
                "series 0: x0 is nan in step 7",
            ),
            (
                lambda: ChainHeadForecaster().fit(np.ones(50), np.ones(40), horizon=3),
                "X has 40 rows, expected a row for each step of y, which has 50",
            ),
            (lambda: ChainHeadForecaster().fit(y, y, horizon=3), "y and X both have the columns sales"),
            (lambda: ChainHeadForecaster().fit(y, X.to_numpy(), horizon=3), "X is not"),
            (lambda: ChainHeadForecaster().fit([1.0] * 50, X, horizon=3), "X is a table, but y is not"),
        ):
            with pytest.raises((TypeError, ValueError), match=message):
                call()


class TestUpdate:
    def test_it_goes_on_and_adapts(self):
        y, _ = data()
        values = y.to_numpy()
        forecaster = ChainHeadForecaster(quantiles=LEVELS).fit(values[:END], horizon=HORIZON)
        before = forecaster.predict(y=values[: END + 10])
        width = np.ptp(forecaster.predict_interval(), axis=-1).mean()
        rough = values[END : END + 10] + np.array([0, 200, -200] * 4)[:10]
        forecaster.update(values[END : END + 10])
        np.testing.assert_array_equal(forecaster.predict(), before)
        assert np.ptp(forecaster.predict_interval(), axis=-1).mean() < 1.5 * width
        forecaster.update(rough)
        assert np.ptp(forecaster.predict_interval(), axis=-1).mean() > 1.3 * width

    def test_step_by_step_is_at_once(self):
        y, X = data()
        levels = {"quantiles": LEVELS}
        at_once, by_step = (
            ChainHeadForecaster(**levels).fit(y[:END], X[["holiday"]][:END], horizon=HORIZON)
            for _ in range(2)
        )
        at_once.update(y[END : END + 8], X[["holiday"]][END : END + 8])
        for step in range(END, END + 8):
            by_step.update(y[step : step + 1], X[["holiday"]][step : step + 1])
        ahead = X[["holiday"]][END + 8 : END + 8 + HORIZON]
        pd.testing.assert_frame_equal(by_step.predict_quantiles(X=ahead), at_once.predict_quantiles(X=ahead))

    def test_loaded_forecasters_go_on_too(self, tmp_path):
        values = data()[0].to_numpy()
        forecaster = ChainHeadForecaster(quantiles=LEVELS).fit(values[:END], horizon=HORIZON)
        forecaster.save_pretrained(tmp_path)
        loaded = ChainHeadForecaster.from_pretrained(tmp_path)
        with pytest.raises(ValueError, match="give the values before y as past"):
            loaded.update(values[END:])
        forecaster.update(values[END : END + 6]).update(values[END + 6 :])
        loaded.update(values[END : END + 6], past=values[40:END]).update(values[END + 6 :])
        np.testing.assert_allclose(loaded.predict_quantiles(), forecaster.predict_quantiles(), rtol=1e-6)
        with pytest.raises(ValueError, match="leave out past"):
            loaded.update(values[:3], past=values)
        with pytest.raises(TypeError, match="both as tables, or both as arrays"):
            loaded.update(pd.Series([1.0]))


def test_a_table_with_a_known_column(tmp_path):
    y, X = data()
    frame = pd.concat([y, X[["holiday"]]], axis=1)
    frame.iloc[END:, 0] = np.nan
    frame.to_csv(tmp_path / "sales.csv", index_label="day")
    command = ["train", str(tmp_path / "sales.csv"), "-o", str(tmp_path / "model")]
    options = ["--known", "holiday", "--horizon", "5", "--test-share", "0.2"]
    result = CliRunner().invoke(app, [*command, *options])
    assert result.exit_code == 0, result.output
    assert "holiday" in result.output
    assert "test: MAE" in result.output
    loaded = ChainHeadForecaster.from_pretrained(tmp_path / "model")
    assert loaded.effects_["holiday"][0] == pytest.approx(60, abs=6)

    frame[: END + HORIZON].to_csv(tmp_path / "ahead.csv", index_label="day")
    answers = [
        "predict",
        str(tmp_path / "model"),
        str(tmp_path / "ahead.csv"),
        "-o",
        str(tmp_path / "out.csv"),
    ]
    result = CliRunner().invoke(app, answers)
    assert result.exit_code == 0, result.output
    expected = loaded.predict(y=y[:END], X=X[["holiday"]][: END + HORIZON])
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["forecast"], expected, rtol=1e-5)
