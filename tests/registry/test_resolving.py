"""Names of the zoo in place of the name of a repository in functions of transformers."""

import json
import time

import pytest
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
    pipelines,
)
from transformers.pipelines import PIPELINE_REGISTRY

import registry
from chainhead_plugin import ChainHeadForSequenceClassification
from chainhead_plugin.cli import SAMPLES
from registry.resolving import UnknownNameError, folder_of

NAME = "chainhead-japanese-vowels"
SAMPLE = json.loads(SAMPLES.read_text("utf-8"))["samples"][0]


@pytest.mark.parametrize(
    "load",
    [
        lambda: pipeline("time-series-classification", model=NAME, device="cpu"),
        lambda: pipeline("time-series-classification", NAME, device="cpu"),
        lambda: pipeline("time-series-classification", device="cpu"),
        lambda: pipelines.pipeline("time-series-classification", device="cpu"),
        lambda: pipelines.pipeline("time-series-classification", NAME, device="cpu"),
    ],
    ids=["by name", "by position", "default", "default, imported later", "by name, imported later"],
)
def test_pipelines(load):
    assert load()(SAMPLE["nodes"])[0]["label"] == SAMPLE["label"]


@pytest.mark.parametrize(
    "task", ["time-series-forecasting", "time-series-segmentation", "chain-feature-extraction"]
)
def test_every_task_of_ours_has_a_default(task):
    name, _ = PIPELINE_REGISTRY.supported_tasks[task]["default"]["model"]
    assert pipeline(task, device="cpu").model.name_or_path == str(registry.checkpoint_path(name))


def test_auto_classes_and_models():
    folder = str(registry.checkpoint_path(NAME))
    assert AutoModelForSequenceClassification.from_pretrained(NAME).name_or_path == folder
    assert AutoModel.from_pretrained(pretrained_model_name_or_path=NAME).name_or_path == folder
    assert ChainHeadForSequenceClassification.from_pretrained(NAME).name_or_path == folder
    assert AutoConfig.from_pretrained(NAME).m == 12
    assert AutoFeatureExtractor.from_pretrained(NAME).feature_size == 12
    assert AutoTokenizer.from_pretrained("chainhead-sentiment")("good").input_ids
    assert AutoImageProcessor.from_pretrained("chainhead-digits").size


def test_a_folder_comes_first(tmp_path, monkeypatch):
    AutoConfig.from_pretrained("chainhead-gunpoint").save_pretrained(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    assert folder_of(NAME) is NAME
    assert AutoConfig.from_pretrained(NAME).m == 1


@pytest.mark.parametrize("name", ["gpt2", "me/chainhead-japanese-vowels", "./x", "", None, 3])
def test_all_other_names_stay(name):
    assert folder_of(name) is name


def test_a_repository_in_the_cache_comes_first(tmp_path):
    snapshot = tmp_path / f"models--{NAME}" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (tmp_path / f"models--{NAME}" / "refs").mkdir()
    (tmp_path / f"models--{NAME}" / "refs" / "main").write_text("abc")
    assert folder_of(NAME, cache_dir=tmp_path) is NAME


@pytest.mark.parametrize(
    "load",
    [
        lambda: ChainHeadForSequenceClassification.from_pretrained("nowhere"),
        lambda: pipelines.pipeline("time-series-classification", model="nowhere"),
        lambda: AutoModel.from_pretrained("chainhead-gunpont"),
    ],
    ids=["class", "pipeline", "typo"],
)
def test_names_that_nobody_has_are_told_at_once(load):
    start = time.perf_counter()
    with pytest.raises(
        UnknownNameError, match="is no folder here, no cached repository and no model of the zoo"
    ):
        load()
    assert time.perf_counter() - start < 1


def test_a_name_that_is_close_is_proposed():
    with pytest.raises(OSError, match="Did you mean chainhead-gunpoint"):
        folder_of("chainhead-gunpont")
