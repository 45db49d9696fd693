"""Every option is kept when a model is saved and loaded, gathered for a push with its card, or exported.

`test_cards.py` checks that the tables of options are complete.
"""

import pytest
import torch
from option_tables import FIELDS, FORECAST, OPTIONS, UNTOLD

import chainhead_plugin as c
from registry.hub.publication import gather

ALL = {
    **{name: given for name, (given, *_) in {**OPTIONS, **FIELDS}.items()},
    **UNTOLD,
}


def inputs_of(model):
    config = model.config
    if model.main_input_name == "input_ids":
        return {"input_ids": torch.ones(2, 6, dtype=torch.long)}
    if model.main_input_name == "pixel_values":
        height, width = (
            config.image_size if isinstance(config.image_size, list) else (config.image_size or 8,) * 2
        )
        return {"pixel_values": torch.randn(2, config.image_channels, height, width)}
    if model.main_input_name == "past_values":
        steps = {"past": 6, "future": config.prediction_length}
        covariates = {
            f"{when}_time_features": torch.randn(2, count, config.num_time_features)
            for when, count in steps.items()
            if config.num_time_features
        }
        return {"past_values": torch.randn(2, 6, config.num_input_channels)} | covariates
    return {"input_features": torch.randn(2, 6, config.m)}


def build(given):
    torch.manual_seed(0)
    config = c.ChainHeadConfig(**given)
    if config.prediction_length is not None:
        return c.ChainHeadForTimeSeriesPrediction(config).eval()
    if config.image_size is not None or config.patch_size is not None:
        return c.ChainHeadForImageClassification(config).eval()
    return c.ChainHeadForSequenceClassification(config).eval()


def outputs(model, inputs):
    with torch.no_grad():
        return [value for value in model(**inputs).values() if isinstance(value, torch.Tensor)]


@pytest.mark.filterwarnings("ignore:Note that .* is not compatible:UserWarning")
@pytest.mark.parametrize("name", ALL)
def test_an_option(name, tmp_path, pytestconfig):
    model = build(ALL[name])
    inputs = inputs_of(model)
    expected = outputs(model, inputs)

    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    assert {key: getattr(loaded.config, key) for key in ALL[name] if key != "backbone_config"} == {
        key: getattr(model.config, key) for key in ALL[name] if key != "backbone_config"
    }
    torch.testing.assert_close(outputs(loaded, inputs), expected, rtol=0, atol=0)

    files = gather(tmp_path, tmp_path / "README.md", "me/model")
    assert {"README.md", "config.json", "model.safetensors"} <= files.keys()

    # Every kind of chain is exported in test_export.py; an export of every option takes a minute.
    if pytestconfig.getoption("--full", False):
        program = torch.export.export(model, (), inputs, strict=False)
        found = [value for value in program.module()(**inputs).values() if isinstance(value, torch.Tensor)]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_forecaster_is_among_them():
    assert build(FORECAST).main_input_name == "past_values"
