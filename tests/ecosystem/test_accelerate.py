"""accelerate: several processes, and models larger than the available memory."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import accelerate
import pytest
import torch
from safetensors.torch import load_file

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification

SCRIPT = Path(__file__).parents[1] / "support" / "distributed_training.py"
CONFIGS = {
    "channels": {"channel_num": 2, "enable_bias": True, "with_residual": True, "with_batch_norm": True},
    "lorr": {"with_lorr": True, "r": 5, "channel_num": 2},
    "lorr-thin": {"with_lorr": True, "r": 1},
    "dual-lphm": {"with_dual_lphm": True, "channel_num": 2},
}
DISK_IN_PART = {"chainhead.layers.0": "cpu", "chainhead.layers.1": "disk", "classifier": "disk"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.slow
def test_two_processes_are_one_with_the_same_global_batch(tmp_path):
    # Without an MPI, `--cpu` starts a single process; the launcher for several devices starts them on any.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"]
    launch += ["--num_processes", "2", "--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["--num_cpu_threads_per_process", "1", "--main_process_port", str(free_port())]
    for command in ([sys.executable], launch):
        done = subprocess.run(
            [*command, str(SCRIPT), str(tmp_path)],
            env=os.environ | {"ACCELERATE_USE_CPU": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("loop", "trainer"):
        one, two = (load_file(tmp_path / f"{kind}-{n}" / "model.safetensors") for n in (1, 2))
        assert one.keys() == two.keys()
        for name in one:
            torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-6, msg=f"{kind} {name}")


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
