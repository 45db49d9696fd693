"""The pipeline "time-series-forecasting", from a saved model and a series to numbers."""

import datetime

import numpy as np
import pandas as pd
import pytest
import torch
from pipeline_inputs import DatasetOf
from transformers import pipeline

import chainhead_plugin
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
    TimeSeriesForecastingPipeline,
)

TASK = "time-series-forecasting"
LEVELS = [0.1, 0.5, 0.9]
NAN = float("nan")


def build(**fields):
    chainhead_plugin.register()
    config = {"m": 1, "n": 6, "chain_length": 12, "prediction_length": 4, "pooling": "flatten"} | fields
    return ChainHeadForTimeSeriesPrediction(ChainHeadConfig(**config)).eval()


def forecaster_of(model, **options):
    return pipeline(TASK, model=model, device="cpu", **options)


def numbers(length, channels=None):
    shape = (length,) if channels is None else (length, channels)
    return np.random.default_rng(length).normal(5, 2, shape).astype(np.float32)


@pytest.fixture
def model():
    return build(quantiles=LEVELS)


def assert_same(result, expected):
    assert result.keys() == expected.keys()
    assert result["forecast"] == pytest.approx(expected["forecast"], rel=1e-5)
    for level, values in expected.get("quantiles", {}).items():
        assert result["quantiles"][level] == pytest.approx(values, rel=1e-5)


def test_from_a_folder_with_nothing_else(model, tmp_path):
    model.save_pretrained(tmp_path)
    assert not (tmp_path / "preprocessor_config.json").exists()
    forecaster = pipeline(TASK, model=str(tmp_path))
    assert type(forecaster) is TimeSeriesForecastingPipeline
    series = numbers(12)
    output = model(torch.tensor(series[None]))
    result = forecaster(series)
    assert result["forecast"] == output.prediction_outputs[0].tolist()
    assert result["quantiles"] == {
        level: output.quantile_outputs[0, :, i].tolist() for i, level in enumerate(LEVELS)
    }
    assert result["forecast"] == result["quantiles"][0.5]


def test_a_point_model_gives_no_quantiles():
    assert forecaster_of(build())(numbers(8)).keys() == {"forecast"}


@pytest.mark.parametrize(
    "as_kind",
    [
        np.asarray,
        torch.tensor,
        lambda series: torch.tensor(series).bfloat16().float(),
        pd.Series,
        lambda series: series.tolist(),
        lambda series: series[:, None],
        lambda series: pd.DataFrame({"passengers": series}),
    ],
)
def test_kinds_of_series(model, as_kind):
    forecaster = forecaster_of(model)
    series = torch.tensor(numbers(9)).bfloat16().float().numpy()
    assert_same(forecaster(as_kind(series)), forecaster(series))
    several = forecaster([as_kind(series), as_kind(series)])
    assert len(several) == 2
    assert_same(several[1], forecaster(series))


def test_times_of_a_forecast(model):
    forecaster, series = forecaster_of(model), numbers(9)
    dates = pd.date_range("2020-01-30", periods=9)
    result = forecaster(pd.Series(series, index=dates), prediction_length=2)
    assert result["times"] == [datetime.datetime(2020, 2, 8), datetime.datetime(2020, 2, 9)]
    assert result["forecast"] == pytest.approx(forecaster(series, prediction_length=2)["forecast"], rel=1e-5)
    (first, plain) = forecaster([pd.Series(series, index=dates), pd.Series(series)])
    assert len(first["times"]) == 4
    assert "times" not in plain


def test_rows_are_sorted_by_their_times(model):
    forecaster = forecaster_of(model)
    series = pd.Series(numbers(9), index=pd.date_range("2020-01-30", periods=9))
    assert forecaster(series[::-1]) == forecaster(series.sample(frac=1, random_state=0)) == forecaster(series)
    with pytest.raises(ValueError, match="the same time"):
        forecaster(pd.concat([series, series[:1]]))
    with pytest.raises(ValueError, match="lacks"):
        forecaster(series.drop(series.index[4]))


def test_a_panel_is_a_batch(model):
    forecaster = forecaster_of(model)
    dates = pd.date_range("2020-01-30", periods=9)
    series = {name: pd.Series(numbers(length), index=dates[:length]) for name, length in (("b", 9), ("a", 7))}
    results = forecaster(pd.concat(series, names=["shop", "day"]).to_frame("sales"))
    assert results == [forecaster(series["b"]), forecaster(series["a"])]
    assert forecaster(pd.concat({"b": series["b"]}).to_frame("sales")) == results[:1]


@pytest.mark.parametrize("batch_size", [1, 3, 10])
def test_ragged_batches(model, batch_size):
    series = [numbers(length) for length in (4, 30, 1, 12, 13, 7)]
    forecaster = forecaster_of(model)
    expected = [forecaster(one) for one in series]
    for inputs in (series, DatasetOf(series), (one for one in series)):
        results = list(forecaster(inputs, batch_size=batch_size))
        assert len(results) == len(series)
        for result, other in zip(results, expected, strict=True):
            assert_same(result, other)


def test_only_the_context_counts(model):
    series = numbers(30)
    forecaster = forecaster_of(model)
    assert forecaster(series) == forecaster(series[-12:])
    assert forecaster(series, context_length=5) == forecaster(series[-5:])
    whole = forecaster_of(build(pooling="mean"))
    assert whole(series) != whole(series[-12:])
    assert whole(series, context_length=12) == whole(series[-12:])


@pytest.mark.parametrize(
    "series",
    [
        np.array([1.0, NAN, 3.0, 4.0]),
        [1.0, None, 3.0, 4.0],
        pd.Series([1.0, None, 3.0, 4.0]),
        pd.Series([1, None, 3, 4], dtype="Int64"),
        pd.Series([1, pd.NA, 3, 4], dtype=object),
        torch.tensor([1.0, NAN, 3.0, 4.0]),
    ],
)
def test_missing_values(model, series):
    mask = torch.tensor([[1, 0, 1, 1]])
    expected = model(torch.tensor([[1.0, 9.0, 3.0, 4.0]]), mask).prediction_outputs[0]
    assert forecaster_of(model)(series)["forecast"] == pytest.approx(expected.tolist(), rel=1e-6)


def test_channels_and_targets():
    model = build(m=3, quantiles=[0.5, 0.8], prediction_channel_indices=[0, 2])
    series = numbers(10, 3)
    output = model(torch.tensor(series[None]))
    forecaster = forecaster_of(model)
    result = forecaster(series)
    assert result["forecast"] == output.prediction_outputs[0].tolist()
    assert np.shape(result["quantiles"][0.8]) == (4, 2)
    frame = pd.DataFrame(series, columns=["a", "b", "c"])
    assert_nested(forecaster(frame), result)
    assert_nested(forecaster([frame, series[-3:]])[0], result)
    series[:, 1] = NAN  # is not forecast
    assert np.isfinite(forecaster(series)["forecast"]).all()


def assert_nested(result, expected):
    np.testing.assert_allclose(result["forecast"], expected["forecast"], rtol=1e-5)


class TestCovariates:
    def build(self):
        return build(m=3, num_time_features=2, quantiles=LEVELS)

    def frame(self, length):
        frame = pd.DataFrame(numbers(length + 4, 3), columns=["sales", "price", "holiday"])
        frame.loc[length:, "sales"] = NAN
        return frame

    def test_rows_go_on_into_the_future(self):
        model = self.build()
        forecaster = forecaster_of(model)
        frames = [self.frame(length) for length in (12, 5, 40)]
        results = forecaster(frames, batch_size=3)
        for frame, result in zip(frames, results, strict=True):
            rows = torch.tensor(frame.to_numpy()[None, -16:])
            output = model(
                rows[:, :-4, :1], past_time_features=rows[:, :-4, 1:], future_time_features=rows[:, -4:, 1:]
            )
            expected = output.prediction_outputs[0, :, 0].tolist()
            assert result["forecast"] == pytest.approx(expected, rel=1e-5)
            assert_same(forecaster(frame), result)
        assert len(forecaster(frames[0], prediction_length=2)["forecast"]) == 2

    @pytest.mark.parametrize(
        ("cell", "value", "message"),
        [
            ((14, "sales"), 3.0, "its last 4 rows are the future to forecast"),
            ((14, "price"), NAN, "a covariate is missing, it has to be known for every row"),
            ((2, "price"), NAN, "a covariate is missing"),
        ],
    )
    def test_rows_that_do_not_fit(self, cell, value, message):
        frame = self.frame(12)
        frame.loc[cell] = value
        with pytest.raises(ValueError, match=f"sequence 1: {message}"):
            forecaster_of(self.build())([self.frame(9), frame], batch_size=2)

    def test_a_future_alone(self):
        with pytest.raises(ValueError, match="sequence 0 has 4 rows, expected a past and then 4 rows"):
            forecaster_of(self.build())(self.frame(0))


def test_fewer_steps_and_quantiles(model):
    series = numbers(12)
    whole = forecaster_of(model)(series)
    for result in (
        forecaster_of(model)(series, prediction_length=2, quantiles=[0.9, 0.1]),
        forecaster_of(model, prediction_length=2, quantiles=[0.9, 0.1])(series),
    ):
        assert result["forecast"] == whole["forecast"][:2]
        assert result["quantiles"] == {level: whole["quantiles"][level][:2] for level in (0.9, 0.1)}
    assert forecaster_of(model)(series, quantiles=[])["quantiles"] == {}


def test_half_precision_is_in_the_datas_units(model):
    series = numbers(12) + 10_000
    expected = forecaster_of(model)(series)["forecast"]
    assert forecaster_of(model.to(torch.bfloat16))(series)["forecast"] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("series", "options", "error", "message"),
    [
        (
            [1.0, 2.0],
            {"prediction_length": 2**20 + 1},
            ValueError,
            "prediction_length must be a whole number between 1 and 1,048,576",
        ),
        (
            [1.0, 2.0],
            {"prediction_length": 0},
            ValueError,
            "prediction_length must be a whole number between 1 and 1,048,576",
        ),
        ([1.0, 2.0], {"prediction_length": 2.0}, TypeError, "prediction_length must be a whole number"),
        ([1.0, 2.0], {"context_length": 13}, ValueError, "must be a whole number between 1 and 12, got 13"),
        (
            [1.0, 2.0],
            {"quantiles": [0.2, 0.5]},
            ValueError,
            r"no quantiles \[0.2\], it has \[0.1, 0.5, 0.9\]",
        ),
        ([1.0, 2.0], {"horizon": 3}, TypeError, "unknown pipeline options: horizon"),
        ([1.0, float("inf")], {}, ValueError, "sequence 0, node 1, feature 0: got inf"),
        ([NAN, NAN], {}, ValueError, "sequence 0, channel 0: all of its last 2 values are missing"),
        ([[1.0, 2.0], [NAN] * 3], {"batch_size": 2}, ValueError, "sequence 1, channel 0: all of its last 3"),
        ([1.0] + [NAN] * 12, {}, ValueError, "all of its last 12 values are missing"),
        ([], {}, ValueError, "empty list"),
        (np.ones((3, 2)), {}, ValueError, "2 features per node, expected 1"),
        (["a", "b"], {}, TypeError, "expected real numbers"),
        (["a", None], {}, TypeError, "expected real numbers"),
        ("series.csv", {}, TypeError, "got str"),
    ],
)
def test_what_cannot_be_forecast(model, series, options, error, message):
    with pytest.raises(error, match=message):
        forecaster_of(model)(series, **options)


def test_models_and_parts_that_do_not_fit(model):
    classifier = ChainHeadForSequenceClassification(ChainHeadConfig(m=1))
    with pytest.raises(TypeError, match="needs a ChainHeadForTimeSeriesPrediction, got ChainHeadForSequence"):
        forecaster_of(classifier)
    with pytest.raises(ValueError, match="takes no feature_extractor"):
        forecaster_of(model, feature_extractor=ChainHeadFeatureExtractor(1))


def test_beyond_the_horizon_it_goes_on_from_its_own_forecasts():
    forecaster = forecaster_of(build())
    series = numbers(12)
    first = forecaster(series)["forecast"]
    found = forecaster(series, prediction_length=6)["forecast"]
    assert found[:4] == pytest.approx(first)
    assert found[4:] == pytest.approx(forecaster([*series, *first])["forecast"][:2], rel=1e-5)


def with_future(model, past, future):
    """Rows of a past and of a future, in which the channel is missing."""
    rows = numbers(past + future, model.config.num_input_channels + model.config.num_time_features)
    rows[past:, 0] = NAN
    return rows


def test_known_covariates_lead_beyond_the_horizon():
    model = build(m=2, num_time_features=1)
    forecaster = forecaster_of(model)
    rows = with_future(model, 20, 6)
    first = forecaster(rows[:24])["forecast"]
    # The last two steps of the horizon of four are those that are left.
    further = rows.copy()
    further[20:22, 0] = first[:2]
    found = forecaster(rows, prediction_length=6)["forecast"]
    assert found == pytest.approx(first + forecaster(further)["forecast"][2:], rel=1e-5)
    with pytest.raises(ValueError, match="its last 6 rows are the future to forecast"):
        forecaster(rows[:24], prediction_length=6)


def test_a_gap_before_the_future_is_forecast_too():
    for fields in ({}, {"quantiles": LEVELS}):
        model = build(m=2, num_time_features=1, **fields)
        forecaster = forecaster_of(model)
        rows = with_future(model, 20, 6)  # the first two of the six are a gap
        whole = forecaster(rows, prediction_length=6)
        assert forecaster(rows)["forecast"] == pytest.approx(whole["forecast"][2:], rel=1e-5)


def test_other_channels_are_unknown_beyond_the_horizon():
    forecaster = forecaster_of(build(m=3, num_time_features=1, prediction_channel_indices=[0]))
    with pytest.raises(
        ValueError, match=r"5 steps cannot be forecast: .* 4 at once, .* values of 1 channel for"
    ):
        forecaster(np.zeros((17, 3)), prediction_length=5)
