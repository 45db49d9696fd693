"""Forecasting models with covariates of the future, and the units of series."""

import numpy as np
import pytest
import torch
from forecasters import CONFIGS, NAN, build, future
from transformers import AutoModelForTimeSeriesPrediction

from chainhead_plugin.models.forecasting.series_scaling import scale_series

every_scaling = pytest.mark.parametrize("scaling", ["std", "mean", None])
COVARIATES = {"m": 5, "n": 6, "with_observed_indicator": True, "num_time_features": 1, "pooling": "flatten"}


class TestCovariates:
    def inputs(self, length=10):
        return {
            "past_values": torch.randn(3, length, 2),
            "past_time_features": torch.randn(3, length, 1),
            "future_time_features": torch.randn(3, 4, 1),
        }

    def test_against_the_parts(self):
        model = build(COVARIATES)
        inputs = self.inputs(length=12)
        past = inputs["past_values"]
        output = model(**inputs)
        scaled = (past - output.loc) / output.scale
        nodes = torch.cat([scaled, torch.ones_like(past), inputs["past_time_features"]], -1)
        known = [
            model.chainhead(nodes).last_hidden_state.flatten(1),
            inputs["future_time_features"].flatten(1),
        ]
        expected = model.forecaster(torch.cat(known, -1)).view(3, 4, 2) * output.scale + output.loc
        torch.testing.assert_close(output.prediction_outputs, expected)

    def test_what_is_known_before_a_series_starts_does_not_matter(self):
        model = build(COVARIATES)
        inputs = self.inputs()
        inputs["past_values"][:, :4] = NAN
        inputs["past_time_features"][:, :4] = NAN
        output = model(**inputs, future_values=future(model))
        output.loss.backward()
        assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
        for name in ("past_values", "past_time_features"):
            inputs[name] = inputs[name][:, 4:]
        torch.testing.assert_close(
            model(**inputs).prediction_outputs, output.prediction_outputs, rtol=1e-6, atol=1e-6
        )

    def test_half_precision_and_checkpoints(self, tmp_path):
        model, inputs = build(COVARIATES), self.inputs()
        model.save_pretrained(tmp_path)
        loaded = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path)
        assert torch.equal(loaded(**inputs).prediction_outputs, model(**inputs).prediction_outputs)
        assert model.to(torch.bfloat16)(**inputs).prediction_outputs.dtype == torch.float32

    def test_inputs_that_do_not_fit(self):
        model, inputs = build(COVARIATES), self.inputs()
        with pytest.raises(ValueError, match=r"future_time_features are needed, of shape \(3, 4, 1\)"):
            model(**inputs | {"future_time_features": None})
        with pytest.raises(
            ValueError, match=r"past_time_features has shape \(3, 10, 2\), expected \(3, 10, 1\)"
        ):
            model(**inputs | {"past_time_features": torch.ones(3, 10, 2)})
        with pytest.raises(ValueError, match="past_time_features have no effect"):
            build(CONFIGS["channels"])(torch.ones(3, 10, 3), past_time_features=torch.ones(3, 10, 1))


class TestScaling:
    @every_scaling
    def test_against_numpy(self, scaling):
        values, observed = torch.randn(4, 20, 3).double() * 5 + 7, torch.rand(4, 20, 3) < 0.8
        scaled, loc, scale = scale_series(values.where(observed, NAN), observed, scaling)
        for row in range(4):
            for channel in range(3):
                known = values[row, observed[row, :, channel], channel].numpy()
                expected = {
                    "std": (known.mean(), known.std()),
                    "mean": (0.0, np.abs(known).mean()),
                    None: (0.0, 1.0),
                }[scaling]
                assert (loc[row, 0, channel], scale[row, 0, channel]) == pytest.approx(expected)
        torch.testing.assert_close((scaled * scale + loc)[observed], values[observed])
        assert not scaled[~observed].any()

    @pytest.mark.parametrize("value", [0.1, 0.0, -1e7, 1e-30])
    def test_a_constant_is_forecast_exactly(self, value):
        model = build(CONFIGS["quantiles"])
        output = model(torch.full((2, 9), value), future_values=torch.randn(2, 4))
        assert (output.quantile_outputs == torch.tensor(value)).all()
        assert (output.scale == 0).all()
        assert output.loss == 0

    def test_one_value_is_a_constant(self):
        assert (build(CONFIGS["quantiles"])(torch.tensor([[4.2]])).prediction_outputs == 4.2).all()

    @pytest.mark.parametrize("size", [1e-35, 1e-20, 1e20, 1e35])
    def test_tiny_and_huge_values(self, size):
        values = torch.randn(2, 30, 1)
        seen = torch.ones_like(values, dtype=torch.bool)
        expected, _, _ = scale_series(values, seen, "std")
        scaled, _, _ = scale_series(values * size, seen, "std")
        torch.testing.assert_close(scaled, expected, rtol=1e-4, atol=1e-4)
