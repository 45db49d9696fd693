"""Bands that follow the errors within the past that is given: of the estimator, the pipeline and the command."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForTimeSeriesPrediction, pipeline
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.estimators import ChainHeadForecaster

DAYS = pd.date_range("2024-01-01", periods=160, name="day")
LEVELS = [0.1, 0.5, 0.9]
END, HORIZON, NEW = 120, 4, 30
TASK = "time-series-forecasting"


def sales(seed=0):
    """Sales whose noise is four times as strong after the training part."""
    noise = np.random.default_rng(seed).normal(0, np.where(np.arange(len(DAYS)) < END, 2, 8))
    return pd.Series(100 + 20 * (DAYS.dayofweek >= 5) + noise, DAYS, name="sales")


def fit(y, X=None):
    return ChainHeadForecaster(seasons=[7], quantiles=LEVELS).fit(y, X, horizon=HORIZON)


def widths(quantiles):
    values = quantiles.to_numpy()
    return (values[:, -1] - values[:, 0]).mean()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("forecaster")
    fit(sales()[:END]).save_pretrained(path)
    return path


@pytest.fixture
def loaded(folder):
    return ChainHeadForecaster.from_pretrained(folder)


class TestEstimator:
    def test_it_is_an_update_that_leaves_no_trace(self, loaded):
        y = sales()[: END + NEW]
        expected = fit(y[:END]).update(y[END:]).predict_quantiles()
        before = loaded.predict_quantiles(y=y[:END])
        found = loaded.predict_quantiles(y=y)
        pd.testing.assert_frame_equal(found, expected, check_freq=False)
        assert (found.attrs["new_origins"], before.attrs["new_origins"]) == (NEW, 0)
        assert widths(found) > 2 * widths(before)
        pd.testing.assert_frame_equal(loaded.predict_quantiles(y=y[:END]), before)
        # Beyond the horizon the median goes on from the wider band too.
        pd.testing.assert_series_equal(
            loaded.predict(9, y=y), fit(y[:END]).update(y[END:]).predict(9), check_freq=False
        )

    def test_no_value_is_read_before_its_forecast(self, loaded):
        """The error from each step is that of a forecast from the values before it alone."""
        y = sales()[: END + 3]
        scale = loaded.model_.config.fixed_scale[0]
        medians = [loaded.predict(y=y[:step]).to_numpy() for step in range(END, END + 3)]
        updated = fit(y[:END]).update(y[END:]).record_
        for place, median in enumerate(medians):
            count = 3 - place
            errors = (y[END + place :].to_numpy() - median[:count]) / scale
            np.testing.assert_allclose(updated.errors[place - 3][:count], errors, atol=1e-6)
            assert np.isnan(updated.errors[place - 3][count:]).all()

    def test_a_later_update_goes_on_from_there(self, loaded):
        y = sales()[: END + NEW]
        loaded.update(y[END : END + 10], past=y[:END])
        expected = fit(y[:END]).update(y[END:]).predict_quantiles()
        found = loaded.predict_quantiles(y=y)
        pd.testing.assert_frame_equal(found, expected, check_freq=False)
        assert found.attrs["new_origins"] == NEW - 10 + HORIZON - 1

    def test_a_past_that_begins_later(self, loaded):
        y = sales()[: END + NEW]
        length = loaded.model_.config.chain_length
        found = loaded.predict_quantiles(y=y[END - length + 5 :])
        assert found.attrs["new_origins"] == NEW - 5
        short = loaded.predict_quantiles(y=y[END + NEW - length :])
        assert short.attrs["new_origins"] == 0
        fixed = loaded.set_params(update_bands=False).predict_quantiles(y=y[END + NEW - length :])
        pd.testing.assert_frame_equal(short, fixed)

    def test_missing_values(self, loaded):
        y = sales()[: END + NEW]
        y.iloc[[END + 3, END + 4, END + 20]] = np.nan
        found = loaded.predict_quantiles(y=y)
        pd.testing.assert_frame_equal(
            found, fit(y[:END]).update(y[END:]).predict_quantiles(), check_freq=False
        )

    def test_off_by_parameter_or_without_times(self, loaded):
        y = sales()[: END + NEW]
        plain = loaded.predict_quantiles(y=y.to_numpy())
        fixed = loaded.set_params(update_bands=False).predict_quantiles(y=y)
        np.testing.assert_array_equal(plain, fixed.to_numpy())
        assert fixed.attrs["new_origins"] == 0
        elsewhere = loaded.set_params(update_bands=True).predict_quantiles(y=y.tz_localize("Asia/Tokyo"))
        assert elsewhere.attrs["new_origins"] == 0

    def test_a_folder_without_times_forecasts_as_before(self, folder, tmp_path):
        """A folder as versions before wrote it: steps and memory in the estimator's state, no times."""
        old = shutil.copytree(folder, tmp_path / "old")
        errors, state = old / "forecast_errors.safetensors", old / "estimator.json"
        save_file(load_file(errors), errors)
        memory = fit(sales()[:END]).record_.memory
        fields = json.loads(state.read_text()) | {"memory": memory, "until": [END, END]}
        del fields["params"]["update_bands"]
        state.write_text(json.dumps(fields))
        y = sales()[: END + NEW]
        again = ChainHeadForecaster.from_pretrained(old)
        found = again.predict_quantiles(y=y)
        assert found.attrs["new_origins"] == 0
        result = pipeline(TASK, model=str(old))(y)
        np.testing.assert_allclose(result["quantiles"][0.9], found["sales", 0.9], rtol=1e-6)
        assert "new_origins" not in result
        updated = again.update(y[END:], past=y[:END]).predict_quantiles()
        pd.testing.assert_frame_equal(
            updated, fit(y[:END]).update(y[END:]).predict_quantiles(), check_freq=False
        )


def test_covariates(tmp_path):
    """Forecasts whose covariates are not in the file are left out, and none is asked for."""
    y = sales()
    X = pd.DataFrame({"open": (np.arange(len(DAYS)) % 9 > 0).astype(float)}, DAYS)
    y = y + 30 * X["open"]
    y.name = "sales"
    end = END + NEW
    fitted = fit(y[:END], X[:END])
    fitted.save_pretrained(tmp_path)
    known = X[: end + HORIZON]
    found = ChainHeadForecaster.from_pretrained(tmp_path).predict_quantiles(y=y[:end], X=known)
    frame = pd.concat([y[:end].to_frame(), known], axis=1)
    result = pipeline(TASK, model=str(tmp_path))(frame)
    assert result["new_origins"] == found.attrs["new_origins"] == NEW
    expected = fitted.update(y[END:end], X[END:end]).predict_quantiles(X=known[end:])
    pd.testing.assert_frame_equal(found, expected, check_freq=False)
    np.testing.assert_allclose(result["quantiles"][0.1], expected["sales", 0.1], rtol=1e-6)


class TestSeveralSeries:
    @pytest.fixture
    def panel(self):
        """Two shops, the second of which reports three days later, and a third that opens in between."""
        parts = {"a": sales()[: END + NEW - 3], "b": sales(1)[: END + NEW], "c": 3 * sales(2)[40 : END + NEW]}
        return pd.concat({shop: part.to_frame() for shop, part in parts.items()}, names=["shop"])

    def test_all_ways_agree_with_an_update(self, panel, tmp_path):
        is_new = panel.index.get_level_values("day") >= DAYS[END]
        fitted = fit(panel[~is_new])
        fitted.save_pretrained(tmp_path)
        loaded = ChainHeadForecaster.from_pretrained(tmp_path)
        found = loaded.predict_quantiles(y=panel)
        assert found.attrs["new_origins"] == NEW
        pd.testing.assert_frame_equal(
            found, fitted.update(panel[is_new]).predict_quantiles(), check_freq=False
        )
        results = pipeline(TASK, model=str(tmp_path))(panel)
        for shop, result in zip("abc", results, strict=True):
            expected = found.loc[shop]["sales", 0.9]
            np.testing.assert_allclose(result["quantiles"][0.9], expected, rtol=1e-6)


class TestPipeline:
    def test_it_follows_as_the_estimator(self, folder, loaded):
        y = sales()[: END + NEW]
        ahead = pipeline(TASK, model=str(folder))
        weights = {name: tensor.clone() for name, tensor in ahead.model.state_dict().items()}
        result = ahead(y, prediction_length=9)
        expected = loaded.predict_quantiles(9, y=y)
        for level in LEVELS:
            np.testing.assert_allclose(result["quantiles"][level], expected["sales", level], rtol=1e-5)
        assert result["new_origins"] == NEW
        assert all(torch.equal(weights[name], tensor) for name, tensor in ahead.model.state_dict().items())
        fixed = loaded.set_params(update_bands=False).predict_quantiles(y=y)
        for values, options in (
            (y, {"update_bands": False}),
            (y.to_numpy(), {}),
            (y, {"context_length": 60}),
        ):
            plain = ahead(values, **options)
            np.testing.assert_allclose(plain["quantiles"][0.9], fixed["sales", 0.9], rtol=1e-5)
            assert plain.get("new_origins", 0) == 0
        single = next(iter(ahead(one for one in [y])))
        np.testing.assert_allclose(single["quantiles"][0.9], fixed["sales", 0.9], rtol=1e-5)

    def test_the_saved_parameter_is_its_default(self, folder, loaded, tmp_path):
        loaded.set_params(update_bands=False).save_pretrained(tmp_path)
        y = sales()[: END + NEW]
        ahead = pipeline(TASK, model=str(tmp_path))
        assert "new_origins" not in ahead(y)
        assert ahead(y, update_bands=True)["new_origins"] == NEW

    def test_other_weights_have_no_errors(self, folder):
        model = AutoModelForTimeSeriesPrediction.from_pretrained(folder)
        with torch.no_grad():
            model.linear_path.map.weight.mul_(0.5)
        ahead = pipeline(TASK, model=model)
        assert "new_origins" not in ahead(sales())
        with pytest.raises(ValueError, match="update_bands needs a model that ChainHeadForecaster saved"):
            ahead(sales(), update_bands=True)
        with pytest.raises(ValueError, match="and no context_length"):
            pipeline(TASK, model=str(folder))(sales(), update_bands=True, context_length=50)


def test_the_command(folder, loaded, tmp_path):
    y = sales()[: END + NEW]
    y.to_csv(tmp_path / "sales.csv")
    expected = loaded.predict_quantiles(y=y)

    def run(*options):
        found = CliRunner().invoke(app, ["predict", str(folder), str(tmp_path / "sales.csv"), *options])
        assert found.exit_code == 0, found.output
        return found.output

    assert f"errors of forecasts from {NEW} steps after the training" in " ".join(run().split())
    line = json.loads(run("--json"))
    assert line["new_origins"] == NEW
    assert line["quantiles"]["0.9"] == pytest.approx(expected["sales", 0.9].tolist(), rel=1e-5)
    written = run("--output", str(tmp_path / "ahead.csv"))
    assert "quantiles are adjusted" in written
    table = pd.read_csv(tmp_path / "ahead.csv")
    np.testing.assert_allclose(table["quantile 0.9"], expected["sales", 0.9], rtol=1e-5)
    fixed = loaded.set_params(update_bands=False).predict_quantiles(y=y)
    line = json.loads(run("--json", "--no-update-bands"))
    assert line["quantiles"]["0.9"] == pytest.approx(fixed["sales", 0.9].tolist(), rel=1e-5)


def test_updates_are_placed_by_the_clock():
    """Rows before the first row so far move no step, and rows of the past alone are no update."""
    y = sales()
    expected = fit(y[20:END]).update(y[END : END + NEW]).predict_quantiles()
    found = fit(y[20:END]).update(pd.concat([y[:20], y[END : END + NEW]])).predict_quantiles()
    assert found.index.equals(expected.index)
    assert widths(found) == pytest.approx(widths(expected), rel=0.05)
    with pytest.raises(ValueError, match="y has no step after the values so far"):
        fit(y[40:END]).update(y[:40])


def test_new_rows_have_the_columns_of_the_rows_before():
    both = pd.DataFrame({"a": sales(), "b": sales(1)})
    with pytest.raises(ValueError, match="other columns than the rows before: missing b; unknown none"):
        fit(both[:END]).update(both[["a"]][END:])
    with pytest.raises(ValueError, match="missing b; unknown c"):
        fit(sales()[:END], both[:END]).predict(X=both[END:].rename(columns={"b": "c"}))


def test_values_in_other_units_are_told(loaded, folder):
    """The band of a single series keeps the units of the training."""
    y = 1000 * sales()[:END]
    with pytest.warns(UserWarning, match="vary about 1,000 times as much as in the training"):
        loaded.predict(y=y)
    with pytest.warns(UserWarning, match="far too narrow: give values in the units of the training"):
        pipeline(TASK, model=str(folder))(y)
