"""Models that are not classes of transformers: a plugin's factory builds them, and the host loads their weights."""

import hashlib
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import registry
from registry import ModelEntry, creation
from registry.description import as_json, table_of_model
from registry.resolving import folder_of


def build(inputs, outputs=3):
    return nn.Sequential(nn.Linear(inputs, outputs), nn.Dropout())


def wrong_type(**_):
    return {}


def raising(**_):
    raise KeyError("no")


def pinned(entry):
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in entry.path.iterdir()}
    return replace(entry, files=files)


@pytest.fixture
def weights():
    return build(4).state_dict()


@pytest.fixture
def entry(tmp_path, weights):
    save_file(weights, tmp_path / "model.safetensors")
    return pinned(
        ModelEntry(
            name="plain",
            task="tabular-classification",
            factory=build,
            summary="A model",
            data="none",
            license="MIT",
            metrics={},
            parameters=15,
            config={"inputs": 4, "outputs": 3},
            path=tmp_path,
            files={"model.safetensors": ""},
        )
    )


def test_pretrained(entry, install, weights):
    registered = install(entry)
    model = registry.create_model("plain", pretrained=True)
    assert registered == ["p"]
    assert not model.training
    torch.testing.assert_close(model.state_dict(), weights, rtol=0, atol=0)
    half = registry.create_model("plain", pretrained=True, dtype="bfloat16", device="cpu", token=False)
    assert half[0].weight.dtype == torch.bfloat16


def test_untrained(entry, install):
    install(entry)
    assert registry.create_model("plain", outputs=7)[0].weight.shape == (7, 4)


@pytest.mark.parametrize(
    ("fields", "options", "error", "message"),
    [
        ({}, {"output": 7}, TypeError, "no field 'output'; it has inputs, outputs"),
        ({}, {"pretrained": True, "outputs": 7}, TypeError, "fit only its own configuration"),
        ({}, {"pretrained": True, "device_map": "auto"}, ValueError, "is for models of transformers"),
        ({}, {"dtype": "float61"}, TypeError, "dtype is 'float61'"),
        ({"factory": wrong_type}, {}, registry.PluginError, "as a dict, not a torch.nn.Module"),
        ({"factory": raising}, {}, registry.PluginError, "cannot build 'plain': KeyError: 'no'"),
        (
            {"config": {"inputs": 5}},
            {"pretrained": True},
            registry.CheckpointError,
            "does not hold the weights of 'plain'.*size mismatch",
        ),
    ],
)
def test_mistakes(entry, install, fields, options, error, message):
    install(replace(entry, **fields))
    with pytest.raises(error, match=f"(?s){message}"):
        registry.create_model("plain", **options)


def test_a_checkpoint_without_weights(entry, install, tmp_path):
    (tmp_path / "model.safetensors").rename(tmp_path / "other.safetensors")
    install(pinned(entry))
    with pytest.raises(registry.CheckpointError, match=r"has no model\.safetensors"):
        registry.create_model("plain", pretrained=True)


def test_it_is_described(entry, install, monkeypatch):
    install(entry)
    catalogue = creation.installed_catalogue()
    monkeypatch.setattr("registry.description.installed_catalogue", lambda: catalogue)
    monkeypatch.setattr("registry.resolving.installed_catalogue", lambda: catalogue)
    assert as_json(entry)["factory"].endswith("test_factory.build")
    table = table_of_model(entry)
    facts = dict(zip(table.columns[0].cells, table.columns[1].cells, strict=True))
    assert facts["factory"].endswith("test_factory.build")
    with pytest.raises(OSError, match=r"create_model\('plain', pretrained=True\) builds it"):
        folder_of("plain")
