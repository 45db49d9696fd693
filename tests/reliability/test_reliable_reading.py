"""Promise 3, while another process saves: a load returns the old or the new model, complete."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
import transformers

import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadModel,
)
from chainhead_plugin.storage.whole_reading import read_whole
from registry.plugins.catalogue import installed_catalogue


@pytest.mark.skipif(sys.platform != "linux", reason="forks processes as Linux does")
def test_a_writer_that_saves_all_the_time_is_never_mixed_up(full, run_program, tmp_path):
    loads = 500 if full else 3
    report = run_program("replaced_checkpoints.py", tmp_path, loads, 0.004, timeout=3000)
    outcomes = {outcome.rpartition(": ")[2] for outcome in report["loads"]}
    assert outcomes == {"first", "second"}, report["loads"]
    assert sum(report["loads"].values()) >= 10 * loads


@pytest.fixture
def replaced(monkeypatch, tmp_path):
    """An embedded checkpoint of the zoo's, in a folder where it can be replaced."""
    catalogue, name = installed_catalogue(), "chainhead-digits"
    entry = registry.model_info(name)
    folder = Path(shutil.copytree(entry.path, tmp_path / name))
    object.__setattr__(entry, "path", folder)
    monkeypatch.setitem(catalogue.models, name, entry)
    return name, folder


def test_the_zoo_loads_what_it_verified(replaced, monkeypatch):
    name, folder = replaced
    registry.create_model(name, pretrained=True)
    load = transformers.AutoModelForImageClassification.from_pretrained

    def load_late(path, **options):
        shutil.copyfile(folder / "model.safetensors", folder / "new")
        (folder / "new").replace(folder / "model.safetensors")
        return load(path, **options)

    monkeypatch.setattr(transformers.AutoModelForImageClassification, "from_pretrained", load_late)
    with pytest.raises(registry.CheckpointError, match=f"'{name}' was changed while it was loaded"):
        registry.create_model(name, pretrained=True)


def test_a_configuration_that_its_caller_changed_stays(tmp_path):
    ChainHeadModel(ChainHeadConfig(m=3, n=4)).save_pretrained(tmp_path)
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    ChainHeadModel(ChainHeadConfig(m=3, n=4, bi_directional=True)).save_pretrained(tmp_path)
    assert transformers.AutoModel.from_pretrained(tmp_path, config=config).config.bi_directional
    config.pooling = "max"
    model = transformers.AutoModel.from_pretrained(tmp_path, config=config)
    assert (model.config.pooling, model.config.bi_directional) == ("max", False)


def test_a_pipeline_of_a_folder_has_model_and_feature_extractor_of_one_save(tmp_path, monkeypatch):
    def save(number):
        model = ChainHeadForSequenceClassification(ChainHeadConfig(m=1, hidden_sizes=[2], num_labels=2))
        torch.nn.init.constant_(model.classifier.weight, number)
        model.save_pretrained(tmp_path)
        ChainHeadFeatureExtractor(1, mean=[number], std=[1]).save_pretrained(tmp_path)

    save(1)
    read = transformers.AutoFeatureExtractor.from_pretrained
    saved = []

    def read_late(*args, **options):
        if not saved:
            saved.append(save(2))
        return read(*args, **options)

    monkeypatch.setattr(transformers.AutoFeatureExtractor, "from_pretrained", read_late)
    options = {"model_kwargs": {"pooling": "max"}, "dtype": torch.float64}
    made = transformers.pipeline("time-series-classification", model=tmp_path, **options)
    assert (made.model.classifier.weight[0, 0], made.feature_extractor.mean[0]) == (2, 2)
    assert (made.model.config.pooling, made.model.dtype) == ("max", torch.float64)


def test_a_folder_that_changes_all_the_time_is_an_error_at_last(tmp_path, monkeypatch):
    monkeypatch.setattr("chainhead_plugin.storage.whole_reading._PAUSE", 0)
    folder = tmp_path / "model"
    ChainHeadModel(ChainHeadConfig(m=3, n=4)).save_pretrained(folder)
    seen = []

    def read():
        seen.append(ChainHeadConfig.from_pretrained(folder))
        (folder / "other.json").write_text("{}" * len(seen))

    with pytest.raises(OSError, match=r"model was changed 20 times while it was read"):
        read_whole(folder, read)
    assert len(seen) == 20
