"""Forecasting models: outputs and their units, missing values, losses, configuration and checkpoints."""

import copy
import json

import pytest
import torch
from forecasters import CONFIGS, NAN, build, every_config, future, series
from huggingface_hub.errors import StrictDataclassError
from torch.nn import functional as F
from transformers import AutoModel, AutoModelForTimeSeriesPrediction

from chainhead_plugin import ChainHeadConfig, ChainHeadForTimeSeriesPrediction, ChainHeadModel
from chainhead_plugin.models.forecasting.quantiles import ascending
from chainhead_plugin.models.forecasting.series_scaling import scale_series


class TestOutputs:
    @every_config
    def test_shapes_and_units(self, fields):
        model = build(fields)
        config = model.config
        output = model(series(model), future_values=future(model), output_hidden_states=True)
        targets = len(fields.get("prediction_channel_indices") or range(config.num_input_channels))
        assert output.loss.shape == ()
        assert output.prediction_outputs.shape == (3, 4, targets)
        assert output.loc.shape == output.scale.shape == (3, 1, targets)
        assert len(output.hidden_states) == config.num_hidden_layers + 1
        if config.quantiles:
            assert output.quantile_outputs.shape == (3, 4, targets, len(config.quantiles))
            median = output.quantile_outputs[..., config.quantiles.index(0.5)]
            assert torch.equal(output.prediction_outputs, median)
        else:
            assert output.quantile_outputs is None

    def test_a_series_without_channel_axis_is_forecast_without_one(self):
        model = build(CONFIGS["quantiles"])
        past, target = series(model), future(model)
        with_axis = model(past, future_values=target)
        without = model(past[..., 0], torch.ones(3, 10), future_values=target[..., 0])
        assert torch.equal(with_axis.loss, without.loss)
        for name in ("prediction_outputs", "quantile_outputs", "loc", "scale"):
            assert torch.equal(with_axis[name].squeeze(2), without[name]), name

    @every_config
    def test_tuples(self, fields):
        model = build(fields)
        output = model(series(model), future_values=future(model))
        as_tuple = model(series(model), future_values=future(model), return_dict=False)
        assert isinstance(as_tuple, tuple)
        assert len(as_tuple) == len(output.to_tuple()) == (5 if model.config.quantiles else 4)

    def test_a_forecast_moves_with_the_data(self):
        """Standardised series have no units: forecasts of a·x + b are a·forecast + b."""
        model = build(CONFIGS["channels"]).double()
        past = series(model).double()
        once, moved = model(past).prediction_outputs, model(1e3 * past - 50).prediction_outputs
        torch.testing.assert_close(moved, 1e3 * once - 50)

    def test_quantiles_never_cross(self):
        model = build(CONFIGS["quantiles"], quantiles=[i / 100 for i in range(1, 100)])
        for scale in (1e-6, 1.0, 1e6):
            forecast = model(series(model, batch=50) * scale).quantile_outputs
            assert (forecast.diff(dim=-1) >= 0).all()
        raw = torch.randn(5, 4)
        expected = [
            raw[:, 2] - F.softplus(raw[:, 1]) - F.softplus(raw[:, 0]),
            raw[:, 2] - F.softplus(raw[:, 1]),
            raw[:, 2],
            raw[:, 2] + F.softplus(raw[:, 3]),
        ]
        torch.testing.assert_close(ascending(raw, 2), torch.stack(expected, -1))

    @pytest.mark.parametrize("name", ["point", "quantiles", "channels", "targets"])
    def test_half_precision_keeps_the_datas_units(self, name):
        """bfloat16 has three digits, too few for the level of this series; its scaled values fit."""
        model = build(CONFIGS[name])
        past = series(model) + 10_000
        expected = model(past)
        output = copy.deepcopy(model).to(torch.bfloat16)(past)
        assert output.prediction_outputs.dtype == torch.float32
        assert torch.equal(output.loc, expected.loc)
        difference = (output.prediction_outputs - expected.prediction_outputs) / expected.scale
        assert difference.abs().max() < 0.1
        assert copy.deepcopy(model).double()(past).prediction_outputs.dtype == torch.float64
        assert model(past.double()).prediction_outputs.dtype == torch.float64

    def test_counts_are_values(self):
        model = build(CONFIGS["point"])
        counts = torch.randint(0, 9, (3, 10))
        assert torch.equal(model(counts).prediction_outputs, model(counts.float()).prediction_outputs)

    @every_config
    def test_empty_batches(self, fields):
        model = build(fields)
        output = model(series(model, batch=0), future_values=future(model, batch=0))
        assert output.prediction_outputs.shape == (0, 4, model.config.num_targets)
        assert output.loss == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"past_values": torch.ones(2, 10, 4)}, r"past_values has shape \(2, 10, 4\), expected \[batch"),
            ({"past_values": torch.ones(2, 10)}, r"past_values has shape \(2, 10\)"),
            ({"past_values": torch.ones(2, 0, 3)}, "length ≥ 1"),
            (
                {"past_observed_mask": torch.ones(2, 9)},
                r"past_observed_mask has shape \(2, 9\), expected \(2, 10",
            ),
            ({"future_values": torch.ones(2, 4)}, r"future_values has shape \(2, 4\), expected \(2, 4, 3\)"),
            (
                {"future_values": torch.ones(2, 4, 3), "future_observed_mask": torch.ones(2, 3)},
                "future_observed_mask has shape",
            ),
            (
                {"past_values": torch.ones(2, 13, 3)},
                "13 nodes, but pooling='flatten' takes at most chain_length=12",
            ),
        ],
    )
    def test_inputs_that_do_not_fit(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            build(CONFIGS["channels"])(**{"past_values": torch.ones(2, 10, 3)} | arguments)

    def test_misspelt_arguments_are_refused(self):
        with pytest.raises(TypeError, match="takes no argument 'past_mask'"):
            build(CONFIGS["point"])(torch.ones(1, 4), past_mask=torch.ones(1, 4))


class TestMissingValues:
    @every_config
    @pytest.mark.parametrize("padding", [0.0, NAN, 1e30])
    def test_a_shorter_series_gives_what_it_gives_alone(self, fields, padding):
        model = build(fields)
        past, mask = series(model), torch.ones(3, 10)
        for row, length in enumerate((10, 6, 1)):
            past[row, : 10 - length] = padding
            mask[row, : 10 - length] = 0
        together = model(past, mask, output_hidden_states=True)
        for row, length in enumerate((10, 6, 1)):
            alone = model(past[row : row + 1, 10 - length :])
            torch.testing.assert_close(
                together.prediction_outputs[row : row + 1], alone.prediction_outputs, rtol=1e-6, atol=1e-6
            )
        assert not together.hidden_states[-1][1, :4].any()

    @every_config
    def test_nan_is_a_missing_value(self, fields):
        model = build(fields)
        past = series(model)
        mask = torch.rand(past.shape) < 0.7
        expected = model(past, mask).prediction_outputs
        assert expected.isfinite().all()
        assert torch.equal(model(past.where(mask, NAN)).prediction_outputs, expected)
        assert torch.equal(model(past.where(mask, NAN), torch.ones(3, 10)).prediction_outputs, expected)
        assert torch.equal(model(past.where(mask, 7.0), mask.float()).prediction_outputs, expected)

    def test_a_hole_is_a_node_of_the_chain(self):
        model = build({"m": 1, "n": 6, "pooling": "flatten"})
        past = series(model, batch=1)
        past[0, 4] = NAN
        _, loc, scale = scale_series(past, ~past.isnan(), "std")
        scaled = ((past - loc) / scale).nan_to_num(0.0)
        nodes = F.pad(model.chainhead(scaled).last_hidden_state, (0, 0, 2, 0)).flatten(1)
        expected = model.forecaster(nodes)[..., None] * scale + loc
        torch.testing.assert_close(model(past).prediction_outputs, expected)

    def test_the_indicator_tells_a_hole_from_the_mean(self):
        past = torch.tensor([[1.0, 2, 3, 2, 1, 2, 3]])
        hole = past.clone()
        hole[0, 3] = NAN  # 2 is the mean
        told = build({"m": 2, "n": 6, "with_observed_indicator": True, "scaling": None})
        assert not torch.equal(told(hole).prediction_outputs, told(hole.nan_to_num(0)).prediction_outputs)
        untold = build({"m": 1, "n": 6, "scaling": None})
        assert torch.equal(untold(hole).prediction_outputs, untold(hole.nan_to_num(0)).prediction_outputs)

    @every_config
    def test_nothing_observed(self, fields):
        model = build(fields)
        past = series(model)
        past[1] = NAN
        output = model(past, future_values=future(model))
        assert output.prediction_outputs.isfinite().all()
        assert output.loss.isfinite()
        assert (output.loc[1] == 0).all()
        assert (output.scale[1] == 1).all()

    @every_config
    def test_gradients_are_finite(self, fields):
        model = build(fields)
        past, target = series(model), future(model)
        past[0] = NAN
        past[1] = 5.0
        past[2, :3] = NAN
        past[2, 5, 0] = NAN
        target[2, 1] = NAN
        past.requires_grad_()
        model(past, future_values=target).loss.backward()
        assert past.grad.isfinite().all()
        assert all(parameter.grad.isfinite().all() for parameter in model.parameters())

    def test_targets_that_are_missing_do_not_count(self):
        model = build(CONFIGS["channels"])
        past, target = series(model), future(model)
        mask = torch.rand(target.shape) < 0.5
        masked = model(past, future_values=target, future_observed_mask=mask).loss
        assert torch.equal(masked, model(past, future_values=target.where(mask, NAN)).loss)
        output = model(past)
        errors = (output.prediction_outputs - target) / output.scale
        expected = F.huber_loss(errors[mask], torch.zeros_like(errors[mask]))
        torch.testing.assert_close(masked, expected)
        assert model(past, future_values=torch.full_like(target, NAN)).loss == 0


class TestLosses:
    @pytest.mark.parametrize(
        ("loss", "expected"),
        [(None, F.mse_loss), ("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)],
    )
    def test_points_in_units_of_the_scale(self, loss, expected):
        model = build(CONFIGS["channels"], loss=loss)
        past, target = series(model), future(model)
        output = model(past, future_values=target)
        scaled = [(values - output.loc) / output.scale for values in (output.prediction_outputs, target)]
        torch.testing.assert_close(output.loss, expected(*scaled))
        assert model(past, future_values=target, return_loss=False).loss is None

    def test_pinball(self):
        model = build(CONFIGS["quantiles"])
        target = future(model)
        output = model(series(model), future_values=target)
        errors = (target.unsqueeze(-1) - output.quantile_outputs) / output.scale.unsqueeze(-1)
        by_hand = [
            torch.where(errors[..., i] > 0, level * errors[..., i], (level - 1) * errors[..., i]).mean()
            for i, level in enumerate(model.config.quantiles)
        ]
        torch.testing.assert_close(output.loss, torch.stack(by_hand).mean())


class TestConfiguration:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"prediction_length": 0}, "prediction_length must be a whole number between 1 and"),
            ({"prediction_length": 10**12}, "prediction_length must be a whole number between 1 and"),
            ({"prediction_length": "4"}, "prediction_length"),
            ({"prediction_length": 10**6, "m": 10**5}, "more than the 8,589,934,592 allowed"),
            ({"quantiles": [0.1]}, "must have 0.5 among them"),
            ({"quantiles": [0.5, 0.1]}, "quantiles must be ascending"),
            ({"quantiles": [0.0, 0.5]}, "each of quantiles must be a finite number above 0 and below 1"),
            ({"quantiles": [0.5, NAN]}, "each of quantiles must be a finite number above 0 and below 1"),
            ({"quantiles": [0.5] * 2000}, "2,000 levels"),
            ({"quantiles": [0.5], "loss": "mse"}, "loss='mse' contradicts quantiles"),
            ({"loss": "pinball"}, "needs quantiles"),
            ({"loss": "nll"}, "loss"),
            ({"scaling": "max"}, "scaling"),
            ({"m": 3, "with_observed_indicator": True}, "m is twice the number of channels"),
            (
                {"num_time_features": 2},
                "num_time_features must be a whole number between 0 and 1, got 2",
            ),
            ({"num_time_features": -1}, "num_time_features must be a whole number between 0 and 1"),
            (
                {"m": 10**4, "num_time_features": 9999, "prediction_length": 10**6},
                "more than the 8,589,934,592",
            ),
            ({"prediction_channel_indices": []}, "at least one and at most all of the 2 channels"),
            ({"prediction_channel_indices": [1, 0]}, "prediction_channel_indices must be ascending"),
            (
                {"prediction_channel_indices": [2]},
                "a whole number between 0 and 1, got .*: there are 2 channels",
            ),
            (
                {"prediction_channel_indices": [-1]},
                "a whole number between 0 and 1, got .*: there are 2 channels",
            ),
            ({"prediction_length": None, "quantiles": [0.5]}, "no effect without prediction_length"),
            ({"prediction_length": None, "scaling": None}, "no effect without prediction_length"),
        ],
    )
    def test_bad_fields_are_named(self, fields, message):
        with pytest.raises(StrictDataclassError, match=message):
            ChainHeadConfig(**{"m": 2, "prediction_length": 4} | fields)

    def test_a_model_needs_steps_to_forecast(self, tmp_path):
        with pytest.raises(ValueError, match="a forecaster needs prediction_length"):
            AutoModelForTimeSeriesPrediction.from_config(ChainHeadConfig())
        ChainHeadModel(ChainHeadConfig(m=1)).save_pretrained(tmp_path)
        with pytest.raises(ValueError, match="a forecaster needs prediction_length"):
            AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path)
        with pytest.raises(StrictDataclassError, match=r"must have 0\.5 among them"):
            AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path, prediction_length=3, quantiles=[0.1])
        model = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path, prediction_length=3)
        assert model(torch.randn(2, 8)).prediction_outputs.shape == (2, 3)


class TestCheckpoints:
    @every_config
    def test_save_and_load_are_bit_exact_also_into_poisoned_memory(self, fields, tmp_path):
        model = build(fields)
        model.save_pretrained(tmp_path)
        assert json.loads((tmp_path / "config.json").read_text())["prediction_length"] == 4
        past = series(model)
        for options in ({}, {"device_map": "cpu"}, {"dtype": "auto"}):
            poison = [torch.full((64, 64), NAN) for _ in range(50)]
            del poison
            loaded = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path, **options)
            assert type(loaded) is ChainHeadForTimeSeriesPrediction
            assert torch.equal(loaded(past).prediction_outputs, model(past).prediction_outputs)
        half = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path, dtype=torch.bfloat16)
        assert half.forecaster.weight.dtype == torch.bfloat16

    def test_a_base_checkpoint_comes_from_a_forecaster(self, tmp_path):
        model = build(CONFIGS["channels"])
        model.save_pretrained(tmp_path)
        base = AutoModel.from_pretrained(tmp_path)
        assert all(
            torch.equal(value, model.chainhead.state_dict()[key]) for key, value in base.state_dict().items()
        )

    @every_config
    def test_gradient_checkpointing_gives_the_same_gradients(self, fields):
        model = build(fields).train()
        checkpointed = copy.deepcopy(model)
        enable = getattr(
            checkpointed, "activation_checkpointing_enable", checkpointed.gradient_checkpointing_enable
        )
        enable()
        past, target = series(model), future(model)
        for one in (model, checkpointed):
            one(past, future_values=target).loss.backward()
        for first, second in zip(model.parameters(), checkpointed.parameters(), strict=True):
            torch.testing.assert_close(first.grad, second.grad)

    @every_config
    def test_compiled_in_one_graph(self, fields):
        model = build(fields)
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        past, target = series(model), future(model)
        past[1, :4] = NAN
        expected, output = model(past, future_values=target), compiled(past, future_values=target)
        torch.testing.assert_close(output.prediction_outputs, expected.prediction_outputs)
        torch.testing.assert_close(output.loss, expected.loss)

    def test_exported_for_any_batch_and_length(self):
        model = build(CONFIGS["quantiles"])
        # torch 2.7 exports slices only along with bounds for the other dimensions.
        sizes = {0: torch.export.Dim("batch", max=2**20), 1: torch.export.Dim("length", min=3, max=12)}
        exported = torch.export.export(
            model, (series(model),), dynamic_shapes=(sizes,), strict=False
        ).module()
        for batch, length in ((1, 12), (5, 7)):
            past = series(model, batch, length)
            torch.testing.assert_close(exported(past).quantile_outputs, model(past).quantile_outputs)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_config
def test_cuda(fields):
    model = build(fields)
    past, target = series(model), future(model)
    past[1, :4] = NAN
    expected = model(past, future_values=target)
    output = model.cuda()(past.cuda(), future_values=target.cuda())
    torch.testing.assert_close(
        output.prediction_outputs.cpu(), expected.prediction_outputs, rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(output.loss.cpu(), expected.loss, rtol=1e-4, atol=1e-4)
