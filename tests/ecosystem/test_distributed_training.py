"""Two processes train what a single process trains, in every way of distribution, and save what any number loads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fresh_processes import run_script
from ports import free_port
from safetensors.torch import load_file
from torch.distributed import checkpoint

from chainhead_plugin import ChainHeadForSequenceClassification

SCRIPT = Path(__file__).parents[1] / "support" / "distributed_training.py"
WAYS = ["ddp", "fsdp1", "fsdp1 flat", "fsdp2"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folders that the script writes, as a single process and as two that accelerate launches."""
    folder = tmp_path_factory.mktemp("trained")
    # Without an MPI, `--cpu` starts a single process; the launcher for several devices starts them on any.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"]
    launch += ["--num_processes", "2", "--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["--num_cpu_threads_per_process", "1", "--main_process_port", str(free_port())]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true"}
    alone = run_script(SCRIPT, folder, environment=environment, offline=True)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    together = subprocess.run(
        [*launch, str(SCRIPT), str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert together.returncode == 0, together.stdout + together.stderr
    return folder


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-6, msg=name)


def weights(folder):
    return ChainHeadForSequenceClassification.from_pretrained(folder).state_dict()


@pytest.mark.parametrize("name", ["normalised", "accumulated"])
@pytest.mark.parametrize("way", WAYS)
def test_two_processes_are_one_with_the_same_global_batch(trained, way, name):
    """Statistics of BatchNorm are over both; or each process accumulates the gradients of two batches."""
    folder = trained / "2" / f"{way} {name}"
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 2
    assert_close(weights(folder), weights(trained / "1" / f"ddp {name}"))


def test_trainer_has_the_losses_and_weights_of_one_process(trained):
    one, two = (trained / count for count in "12")
    losses = [json.loads((folder / "losses.json").read_text()) for folder in (one, two)]
    assert len(losses[0]) == 6
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert_close(*(load_file(folder / "trainer" / "model.safetensors") for folder in (one, two)))


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")
def test_distributed_checkpoints_load_on_other_numbers_of_processes(trained):
    expected = weights(trained / "2" / "fsdp2 accumulated")
    found = {name: torch.zeros_like(value) for name, value in expected.items()}
    checkpoint.load(found, checkpoint_id=trained / "2" / "parts", no_dist=True)
    torch.testing.assert_close(found, dict(expected), rtol=0, atol=0)

    found = weights(trained / "2" / "parts of 1")
    torch.testing.assert_close(found, weights(trained / "1" / "ddp accumulated"), rtol=0, atol=0)
