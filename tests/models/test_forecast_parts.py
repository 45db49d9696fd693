"""Parts of forecasting models: constant features, seasons, linear path and quantiles, at first and calibrated."""

from statistics import NormalDist

import numpy as np
import pytest
import torch
from forecasters import NAN, build, future, series
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoModelForTimeSeriesPrediction

from chainhead_plugin import ChainHeadConfig, ChainHeadForTimeSeriesPrediction
from chainhead_plugin.models.forecast_fitting import calibrate_quantiles, fit_linear_path
from chainhead_plugin.models.forecasting.linear_path import LinearPath, seasonal_naive
from chainhead_plugin.models.forecasting.quantiles import ascending, conformal_offsets, normal_start, shifted
from chainhead_plugin.models.forecasting.series_scaling import scale_series

LEVELS = [0.1, 0.25, 0.5, 0.9]


COVARIATES = {"m": 4, "n": 6, "num_time_features": 2, "pooling": "flatten"}


class TestConstantFeatures:
    def inputs(self):
        return {
            "past_values": torch.randn(3, 12, 2),
            "past_time_features": torch.randn(3, 12, 2),
            "future_time_features": torch.randn(3, 4, 2),
        }

    def test_what_varies_only_later_has_no_weight(self, tmp_path):
        model = build(COVARIATES, constant_features=[1, 3], prediction_channel_indices=[0])
        inputs = self.inputs()
        later = {name: values.clone() for name, values in inputs.items()}
        later["past_values"][..., 1] *= -50
        later["past_time_features"][..., 1] = 1e6
        later["future_time_features"][..., 1] = 1e6
        expected = model(**inputs).prediction_outputs
        assert torch.equal(model(**later).prediction_outputs, expected)
        model.save_pretrained(tmp_path)
        loaded = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path)
        assert torch.equal(loaded(**later).prediction_outputs, expected)
        model.config.constant_features = []
        assert not torch.allclose(model(**later).prediction_outputs, expected)

    @pytest.mark.parametrize("features", [[4], [-1], [1, 1], [2, 0]])
    def test_errors(self, features):
        with pytest.raises(StrictDataclassError, match="constant_features"):
            build(COVARIATES, constant_features=features)


class TestScaling:
    def test_by_the_last_value(self):
        values = torch.tensor([[1.0, 5.0], [3.0, NAN], [8.0, NAN]]).unsqueeze(0)
        scaled, loc, scale = scale_series(values, ~values.isnan(), "last")
        assert loc.tolist() == [[[8.0, 5.0]]]
        assert scaled[0, :, 0].tolist() == pytest.approx(((values[0, :, 0] - 8) / scale[0, 0, 0]).tolist())
        assert scale[0, 0].tolist() == pytest.approx([np.std([1, 3, 8]), 0.0])

    def test_forecasts_move_with_the_series(self):
        model = build({"m": 1, "n": 6, "pooling": "flatten", "scaling": "last", "seasons": [3]})
        past = torch.randn(2, 12)
        larger = model(10 * past + 3).prediction_outputs
        torch.testing.assert_close(larger, 10 * model(past).prediction_outputs + 3, rtol=1e-4, atol=1e-4)

    def test_high_levels_in_float64(self):
        model = build({"m": 1, "n": 6, "pooling": "flatten"})
        past = torch.randn(2, 12, dtype=torch.float64)
        high = model(past + 1e8).prediction_outputs - 1e8
        torch.testing.assert_close(high, model(past).prediction_outputs, rtol=0, atol=1e-5)


class TestSeasonsAndLinearPath:
    def test_seasonal_naive(self):
        values = torch.arange(10.0).view(1, 10, 1)
        assert seasonal_naive(values, [3], 5).flatten().tolist() == [7, 8, 9, 7, 8]
        assert seasonal_naive(values, [1, 4], 2).flatten().tolist() == [(9 + 6) / 2, (9 + 7) / 2]
        assert seasonal_naive(values, [12], 3).flatten().tolist() == [0, 0, 0]

    def test_a_chain_that_adds_nothing_repeats_the_season(self):
        model = build({"m": 1, "n": 6, "pooling": "flatten", "seasons": [4]})
        torch.nn.init.zeros_(model.forecaster.weight)
        torch.nn.init.zeros_(model.forecaster.bias)
        past = torch.randn(2, 12)
        torch.testing.assert_close(model(past).prediction_outputs, past[:, -4:])

    def test_parts_add_up(self):
        fields = {"m": 2, "n": 6, "pooling": "flatten", "prediction_channel_indices": [1]}
        model = build(fields, with_linear_path=True, seasons=[2, 3])
        past = torch.randn(3, 10, 2)
        output = model(past)
        own = ((past - past.mean(1, keepdim=True)) / past.std(1, keepdim=True, correction=0))[..., 1:]
        chain = build(fields)
        chain.load_state_dict({k: v for k, v in model.state_dict().items() if "linear_path" not in k})
        added = model.linear_path.map(torch.nn.functional.pad(own.squeeze(-1), (2, 0))).unsqueeze(-1)
        added = added + seasonal_naive(own, [2, 3], 4)
        expected = chain(past).prediction_outputs + added * output.scale
        torch.testing.assert_close(output.prediction_outputs, expected, rtol=1e-4, atol=1e-5)

    def test_the_linear_path_is_of_channels_alone(self):
        model = build({"m": 3, "n": 6, "pooling": "flatten", "num_time_features": 1}, with_linear_path=True)
        output = model(
            torch.randn(2, 12, 2),
            past_time_features=torch.randn(2, 12, 1),
            future_time_features=torch.randn(2, 4, 1),
        )
        assert output.prediction_outputs.shape == (2, 4, 2)

    @pytest.mark.parametrize("windows", [9, 60])
    def test_closed_form_is_ridge_regression(self, windows):
        from sklearn.linear_model import Ridge

        path = LinearPath(12, 4)
        values, wanted = torch.randn(windows, 12, 1), torch.randn(windows, 4, 1)
        path.fit(values, wanted, torch.ones_like(wanted, dtype=torch.bool), 0.1)
        reference = Ridge(alpha=0.1 * windows).fit(values.squeeze(-1), wanted.squeeze(-1))
        torch.testing.assert_close(
            path.map.weight.double(), torch.tensor(reference.coef_).double(), atol=1e-5, rtol=1e-4
        )
        torch.testing.assert_close(
            path.map.bias.double(), torch.tensor(reference.intercept_).double(), atol=1e-5, rtol=1e-4
        )

    def test_finds_the_rule_of_a_series(self):
        wave = np.sin(np.arange(300) * 0.5) + 0.3 * np.sin(np.arange(300) * 1.7) + 1e6
        cut = torch.tensor(np.lib.stride_tricks.sliding_window_view(wave, 16).copy())
        model = build(
            {"m": 1, "n": 6, "pooling": "flatten", "quantiles": LEVELS}, with_linear_path=True, seasons=[1]
        )
        ridge = fit_linear_path(
            model, (cut[:150, :12], cut[:150, 12:]), (cut[150:200, :12], cut[150:200, 12:])
        )
        assert ridge == 1e-4
        output = model(cut[200:, :12])
        assert (output.prediction_outputs - cut[200:, 12:]).abs().max() < 0.02

    def test_windows_with_missing_values_are_left_out(self):
        path = LinearPath(3, 1)
        values, wanted = torch.randn(20, 3, 1), torch.randn(20, 1, 1)
        counts = torch.ones(20, 1, 1, dtype=torch.bool)
        counts[::2] = False
        path.fit(values, wanted, counts, 0.1)
        weight = path.map.weight.clone()
        path.fit(values[1::2], wanted[1::2], counts[1::2], 0.1)
        assert torch.equal(path.map.weight, weight)
        with pytest.raises(ValueError, match="every window lacks a value"):
            path.fit(values, wanted, torch.zeros_like(counts), 0.1)

    @pytest.mark.parametrize("seasons", [[13], [0], [3, 2]])
    def test_errors(self, seasons):
        with pytest.raises(StrictDataclassError, match="seasons"):
            build({"m": 1, "n": 6}, seasons=seasons)
        with pytest.raises(ValueError, match="has no linear path"):
            fit_linear_path(build({"m": 1, "n": 6}), (torch.zeros(1, 12), torch.zeros(1, 4)), ridges=[1.0])


class TestQuantiles:
    def test_start_is_normal(self):
        deviations = torch.tensor([0.01, 1.0, 30.0])
        found = ascending(normal_start(LEVELS, deviations), LEVELS.index(0.5))
        points = torch.tensor([NormalDist().inv_cdf(level) for level in LEVELS])
        torch.testing.assert_close(found, deviations.unsqueeze(-1) * points, rtol=1e-4, atol=1e-5)

    def test_a_new_model_forecasts_normal_bands(self):
        torch.manual_seed(0)
        config = ChainHeadConfig(m=1, n=8, chain_length=12, prediction_length=4, quantiles=[0.1, 0.5, 0.9])
        model = ChainHeadForTimeSeriesPrediction(config).eval()
        past, new = torch.randn(4000, 16).split([12, 4], dim=1)
        output = model(past)
        inside = (output.quantile_outputs[..., 0] <= new) & (new <= output.quantile_outputs[..., 2])
        # A window of 12 knows its mean and deviation roughly alone: the band is a little narrow.
        assert inside.float().mean().item() == pytest.approx(0.77, abs=0.04)

    def test_a_checkpoint_keeps_its_bias(self, tmp_path):
        model = build({"m": 1, "n": 6, "quantiles": LEVELS})
        model.save_pretrained(tmp_path)
        loaded = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path)
        assert torch.equal(loaded.forecaster.bias, model.forecaster.bias)

    def test_shifted_stay_in_order(self):
        quantiles = torch.tensor([-1.0, -0.5, 0.0, 2.0])
        assert shifted(quantiles, [0.2, -0.1, 0.0, 1.0], 2).tolist() == pytest.approx([-0.8, -0.6, 0.0, 3.0])
        assert shifted(quantiles, [2.0, 0.1, 0.0, -9.0], 2).tolist() == pytest.approx([-0.4, -0.4, 0.0, 0.0])

    def test_offsets_are_corrected_quantiles_of_the_errors(self):
        errors = torch.arange(1.0, 20.0).unsqueeze(1).expand(-1, 3)  # 1 … 19
        assert conformal_offsets(errors, [0.1, 0.5, 0.9]) == [2.0, 0.0, 18.0]
        with pytest.raises(ValueError, match="no observed value"):
            conformal_offsets(torch.zeros(0, 3), [0.1, 0.5, 0.9])

    def test_calibrated_bands_cover(self, tmp_path):
        model = build({"m": 1, "n": 6, "pooling": "last", "quantiles": [0.1, 0.5, 0.9]})
        values = torch.randn(3000, 16) * torch.rand(3000, 1) * 100 + 1000
        past, new = values.split([12, 4], dim=1)

        def coverage(own):
            with torch.no_grad():
                bands = own(past[2000:]).quantile_outputs
            below, above = new[2000:] < bands[..., 0], new[2000:] > bands[..., 2]
            return below.float().mean().item(), above.float().mean().item()

        assert max(abs(share - 0.1) for share in coverage(model)) > 0.1
        median = model(past).prediction_outputs
        batches = [
            {"past_values": past[i : i + 500], "future_values": new[i : i + 500]} for i in range(0, 2000, 500)
        ]
        offsets = calibrate_quantiles(model, batches)
        assert model.config.quantile_offsets == offsets
        assert coverage(model) == pytest.approx((0.1, 0.1), abs=0.02)
        assert torch.equal(model(past).prediction_outputs, median)
        assert calibrate_quantiles(model, batches) == offsets  # from the quantiles as they were trained
        model.save_pretrained(tmp_path)
        assert coverage(AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path)) == coverage(model)

    def test_several_targets_and_missing_values(self):
        model = build({"m": 2, "n": 6, "pooling": "flatten", "quantiles": LEVELS})
        new = future(model)
        new[0, :, 1] = NAN
        offsets = calibrate_quantiles(model, [{"past_values": series(model), "future_values": new}])
        assert offsets[2] == 0
        with pytest.raises(ValueError, match="no observed value"):
            calibrate_quantiles(model, [{"past_values": series(model), "future_values": new * NAN}])
        assert model.config.quantile_offsets == offsets

    def test_errors(self):
        with pytest.raises(ValueError, match="points, not quantiles"):
            calibrate_quantiles(build({"m": 1, "n": 6}), [])
        with pytest.raises(StrictDataclassError, match="2 numbers for 4 quantiles"):
            build({"m": 1, "n": 6, "quantiles": LEVELS}, quantile_offsets=[0.0, 1.0])
        with pytest.raises(StrictDataclassError, match="must be 0 for the median"):
            build({"m": 1, "n": 6, "quantiles": LEVELS}, quantile_offsets=[0.0, 0.0, 1.0, 0.0])
