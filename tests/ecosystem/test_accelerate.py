"""accelerate: models larger than the available memory."""

import accelerate
import pytest
import torch

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification

CONFIGS = {
    "channels": {"channel_num": 2, "enable_bias": True, "with_residual": True, "with_batch_norm": True},
    "lorr": {"with_lorr": True, "r": 5, "channel_num": 2},
    "lorr-thin": {"with_lorr": True, "r": 1},
    "dual-lphm": {"with_dual_lphm": True, "channel_num": 2},
}
DISK_IN_PART = {"chainhead.layers.0": "cpu", "chainhead.layers.1": "disk", "classifier": "disk"}


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS)
def model(request):
    made = ChainHeadForSequenceClassification(
        ChainHeadConfig(m=4, hidden_sizes=[6, 5], num_labels=3, **request.param)
    ).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.uniform_(-1, 1)
    return made


@pytest.mark.parametrize(
    "options",
    [
        {"device_map": "auto"},
        {"device_map": {"": "disk"}},
        {"device_map": DISK_IN_PART},
        {"device_map": "auto", "max_memory": {"cpu": 600}},
    ],
    ids=["auto", "disk", "in-part", "max-memory"],
)
def test_device_maps_give_the_same_outputs(model, options, tmp_path):
    model.save_pretrained(tmp_path / "model")
    loaded = ChainHeadForSequenceClassification.from_pretrained(
        tmp_path / "model", offload_folder=tmp_path / "offload", **options
    )
    check(loaded, model)


@pytest.mark.parametrize("way", ["cpu", "disk", "dispatch"])
def test_offloading_gives_the_same_outputs(model, way, tmp_path):
    expected = ChainHeadForSequenceClassification(model.config).eval()
    expected.load_state_dict(model.state_dict())
    if way == "cpu":
        accelerate.cpu_offload(model, execution_device=torch.device("cpu"))
    elif way == "disk":
        accelerate.disk_offload(model, tmp_path, execution_device=torch.device("cpu"))
    else:
        accelerate.dispatch_model(
            model, DISK_IN_PART, main_device="cpu", offload_dir=tmp_path, force_hooks=True
        )
    assert any(parameter.is_meta for parameter in model.parameters())
    check(model, expected)


def check(actual, expected):
    x, mask = torch.randn(2, 9, 4), torch.tensor([[1] * 9, [0] * 4 + [1] * 5])
    with torch.no_grad():
        torch.testing.assert_close(actual(x, mask).logits, expected(x, mask).logits, rtol=1e-5, atol=1e-5)
