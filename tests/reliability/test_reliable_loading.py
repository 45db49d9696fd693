"""Promise 3: a loaded model equals the saved model bit for bit, and missing weights are reported.

tests/models/test_modeling_chainhead.py shows for every class that weights missing in a checkpoint are initialised.
"""

import io
import json
import logging

import pytest
import torch

import chainhead_plugin
from chainhead_plugin import ChainHeadConfig

CONFIG = {"m": 4, "hidden_sizes": [6, 5], "enable_bias": True, "with_residual": True, "with_batch_norm": True}
# Models of videos have no nodes without an encoder.
VIDEOS = {
    "model_type": "videomae",
    "image_size": 16,
    "patch_size": 8,
    "num_frames": 2,
    "hidden_size": 4,
    "intermediate_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
# tests/models/test_modeling_chainhead_image.py does the same for images, which need a size.
CLASSES = [
    getattr(chainhead_plugin, name)
    for name in chainhead_plugin.__all__
    if name.startswith("ChainHead")
    and "Image" not in name
    and hasattr(getattr(chainhead_plugin, name), "base_model_prefix")
]


@pytest.fixture
def poisoned_memory():
    """Memory that torch allocates holds NaN until it is written."""
    torch.use_deterministic_algorithms(True)  # fills what is allocated, by torch.utils.deterministic
    try:
        assert torch.empty(3).isnan().all()
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.fixture
def load_report():
    """What transformers logs of loading."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("transformers.modeling_utils")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def build(model_class):
    extra = {"prediction_length": 2} if "Prediction" in model_class.__name__ else {"num_labels": 3}
    if "Video" in model_class.__name__:
        extra["backbone_config"] = VIDEOS
    model = model_class(ChainHeadConfig(**CONFIG, **extra)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1, 1)
    return model


def equal(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(first == second and torch.equal(a, b) for (first, a), (second, b) in pairs)


@pytest.mark.parametrize("model_class", CLASSES)
def test_twenty_of_twenty_loads_into_poisoned_memory_are_bit_equal(model_class, tmp_path, poisoned_memory):
    model = build(model_class)
    model.save_pretrained(tmp_path)
    assert sum(equal(model_class.from_pretrained(tmp_path), model) for _ in range(20)) == 20


@pytest.mark.parametrize("model_class", CLASSES)
def test_what_is_missing_is_initialised_in_poisoned_memory_and_named(
    model_class, tmp_path, poisoned_memory, load_report
):
    model = build(model_class)
    state_dict = {name: tensor for name, tensor in model.state_dict().items() if "layers.1" not in name}
    missing = model.state_dict().keys() - state_dict.keys()
    model.save_pretrained(tmp_path, state_dict=state_dict)
    loaded, info = model_class.from_pretrained(tmp_path, output_loading_info=True)
    assert set(info["missing_keys"]) == missing
    assert all(tensor.double().isfinite().all() for tensor in loaded.state_dict().values())
    report = load_report.getvalue()
    assert "MISSING" in report
    for part in ("perceptron", "head"):
        assert f"layers.1.{part}" in report


@pytest.mark.parametrize("model_class", CLASSES)
def test_sizes_that_differ_are_an_error_that_names_both(model_class, tmp_path):
    build(model_class).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {"hidden_sizes": [6, 7], "n": 7}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        RuntimeError, match=r"is \[5, 6\] in the checkpoint and \[7, 6\] by the configuration"
    ):
        model_class.from_pretrained(tmp_path)
    loaded = model_class.from_pretrained(tmp_path, ignore_mismatched_sizes=True)
    assert all(tensor.double().isfinite().all() for tensor in loaded.state_dict().values())
