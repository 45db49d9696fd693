"""A script that knows nothing of the plugin, run as it is: loading, training, a pipeline and timm."""

import subprocess
import sys

import registry

SCRIPT = """
import sys

import numpy as np
import timm
from transformers import (
    AutoFeatureExtractor,
    AutoModelForSequenceClassification,
    Trainer,
    TrainingArguments,
    pipeline,
)

model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1])
extractor = AutoFeatureExtractor.from_pretrained(sys.argv[1])
rng = np.random.default_rng(0)
nodes = extractor([rng.normal(size=(20, 12)) for _ in range(16)], padding=False)["input_features"]
examples = [{"input_features": one, "labels": number % 9} for number, one in enumerate(nodes)]
trainer = Trainer(
    model,
    TrainingArguments("run", max_steps=2, report_to="none", use_cpu=True, disable_tqdm=True),
    train_dataset=examples,
    eval_dataset=examples,
    processing_class=extractor,
)
trainer.train()
assert trainer.evaluate()["eval_loss"] > 0
trainer.save_model("tuned")
answer = pipeline("time-series-classification", model="tuned", device="cpu")(rng.normal(size=(20, 12)))
assert answer[0]["label"] in model.config.label2id
assert timm.list_models("chainhead*")
print("trained and evaluated")
"""


def test_a_script_that_imports_transformers_and_timm_alone(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    folder = registry.checkpoint_path("chainhead-japanese-vowels")
    command = [sys.executable, "-m", "registry", "run", "script.py", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["trained and evaluated"]), done.stderr
    assert (tmp_path / "tuned" / "model.safetensors").is_file()
