"""What has to stay true of every model of this distribution."""

import subprocess
import sys

import pytest
import registry
import torch
from my_zoo.digits import TEST, images, pixel_values
from my_zoo.plugin import plugin

NAMES = [model.name for model in plugin.models]


def test_the_zoo_finds_it_without_torch():
    code = "import registry, sys; print(*registry.list_models('my-zoo-*')); assert 'torch' not in sys.modules"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_the_pinned_ones(name):
    info = registry.model_info(name)
    model = registry.create_model(name, pretrained=True)
    assert sum(weights.numel() for weights in model.parameters()) == info.parameters
    assert info.card.read_text("utf-8").startswith("---\n")


def test_it_reads_digits():
    pytest.importorskip("sklearn")
    pixels, classes = images()
    model = registry.create_model("my-zoo-digits", pretrained=True)
    with torch.no_grad():
        output = model(pixel_values(pixels[-TEST:]))
    found = getattr(output, "logits", output).argmax(-1)
    accuracy = (found == torch.from_numpy(classes[-TEST:])).double().mean().item()
    assert accuracy == pytest.approx(registry.model_info("my-zoo-digits").metrics["test_accuracy"], abs=1e-4)


def test_training_gives_the_stated_accuracy():
    pytest.importorskip("sklearn")
    from my_zoo.training import train

    stated = registry.model_info("my-zoo-digits").metrics["test_accuracy"]
    assert train()[1] == pytest.approx(stated, abs=0.02)  # other processors round otherwise
