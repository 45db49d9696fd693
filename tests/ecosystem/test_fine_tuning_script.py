"""A fine-tuning script of Hugging Face's TRL, from the package index and unchanged, trains a chainhead model.

Without an index the test is skipped. The packages are kept in the cache of the Hub's client, out of the environment.
"""

import json
import os
import subprocess
import sys

import huggingface_hub
import pytest
from filled_once import filled_once
from huggingface_hub import cached_assets_path
from packaging.version import Version
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

import registry

# With their dependencies, as far as these are not installed.
PACKAGES = ("trl==1.16.0", "datasets==5.2.0", "dill==0.4.1", "multiprocess==0.70.19", "xxhash==4.1.0")
THINGS = ("book", "song", "car", "phone", "film", "meal", "room", "game")
OPTIONS = {
    "num_train_epochs": 3,
    "per_device_train_batch_size": 8,
    "learning_rate": 0.02,
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "report_to": "none",
    "use_cpu": "true",
    "bf16": "false",
    "gradient_checkpointing": "false",
    "disable_tqdm": "true",
}


def packages():
    """Return a folder with the packages, filled by the first process that needs it."""

    def fill(new):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary", ":all:", "--target", str(new), *PACKAGES]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        except subprocess.SubprocessError as error:
            pytest.skip(f"TRL is not to be had here: {getattr(error, 'stderr', None) or error}")

    cache = cached_assets_path("chainhead", namespace="trl")
    return filled_once(cache / "-".join(PACKAGES).replace("==", "-"), fill)


def pairs(start, stop):
    return "\n".join(
        json.dumps({"chosen": f"a good {thing}, {number}.", "rejected": f"a bad {thing}, {number}."})
        for number in range(start, stop)
        for thing in THINGS
    )


@pytest.mark.skipif(
    Version(huggingface_hub.__version__) < Version("1.31"), reason="datasets needs huggingface-hub 1.31"
)
def test_a_reward_model_is_trained_and_evaluated(tmp_path):
    source = registry.checkpoint_path("chainhead-sentiment")
    config = AutoConfig.from_pretrained(
        source, num_labels=1, id2label={0: "reward"}, label2id={"reward": 0}, problem_type="regression"
    )
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path / "model")
    AutoTokenizer.from_pretrained(source, eos_token=".").save_pretrained(tmp_path / "model")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text(pairs(0, 8))
    (tmp_path / "data" / "test.jsonl").write_text(pairs(8, 10))
    folder = packages()
    script = folder / "trl" / "scripts" / "reward.py"
    where = {"model_name_or_path": "model", "dataset_name": "data", "output_dir": "tuned"}
    command = [sys.executable, "-m", "registry", "run", str(script)]
    command += [part for name, value in (where | OPTIONS).items() for part in (f"--{name}", str(value))]
    environment = os.environ | {"PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    state = json.loads((tmp_path / "tuned" / "checkpoint-24" / "trainer_state.json").read_text())
    evaluated = [entry for entry in state["log_history"] if "eval_accuracy" in entry]
    assert evaluated[-1]["eval_loss"] < evaluated[0]["eval_loss"]
    assert evaluated[-1]["eval_accuracy"] > 0.9
    reward = pipeline("text-classification", model=str(tmp_path / "tuned"), function_to_apply="none")
    good, bad = reward(["a good book, 11.", "a bad book, 11."])
    assert good["score"] > bad["score"]
