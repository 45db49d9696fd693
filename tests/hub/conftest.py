"""Fixtures for tests that talk to a loopback Hub."""

import pytest
from hub_samples import MODEL, SMALL, noise
from loopback_hub import LoopbackHub


@pytest.fixture
def hub():
    with LoopbackHub() as running:
        yield running


@pytest.fixture
def home(tmp_path):
    """An empty `HF_HOME`."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path):
    """A checkpoint with a card."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name, data in MODEL.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def weights():
    return noise(64 * 1024)


@pytest.fixture
def published(hub, weights):
    """A Hub with a public model, and its commit."""
    return hub.publish("me/model", SMALL | {"model.safetensors": weights})


@pytest.fixture
def model(hub):
    """A Hub with a chain head whose weights are in large file storage, and its commit."""
    hub.state.lfs_threshold = 10_000
    return hub.publish("me/chain", MODEL)
