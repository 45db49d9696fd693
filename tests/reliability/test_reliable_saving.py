"""Promise 6: an interrupted save over a checkpoint leaves the old or the new checkpoint, complete."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from chainhead_plugin import ChainHeadConfig, ChainHeadModel
from chainhead_plugin.storage.saving import complete_interrupted_save
from chainhead_plugin.storage.whole_files import whole_file

linux = pytest.mark.skipif(sys.platform != "linux", reason="forks and limits processes as Linux does")


def build(seed=0, **fields):
    torch.manual_seed(seed)
    return ChainHeadModel(ChainHeadConfig(**{"m": 64, "hidden_sizes": [64] * 4, **fields})).eval()


def is_loaded_from(folder, model):
    loaded = AutoModel.from_pretrained(folder)
    pairs = zip(loaded.state_dict().values(), model.state_dict().values(), strict=True)
    return loaded.config.h == model.config.h and all(torch.equal(one, other) for one, other in pairs)


@pytest.fixture(scope="module")
def outcomes(full, run_program, tmp_path_factory):
    """What the folder loaded as, in every mode, and the number of trials."""
    trials = 200 if full else 20
    # In memory where possible: it is the order of the steps that counts, and a disk is slow to wait for.
    parent = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path_factory.mktemp("saves")
    folder = parent / f"interrupted-saves-{os.getpid()}"
    try:
        return trials, run_program("interrupted_saves.py", folder, trials, timeout=3000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@linux
@pytest.mark.parametrize("mode", ["calls", "times"])
def test_killed_at_any_point_it_is_the_old_or_the_new_one(outcomes, mode):
    trials, found = outcomes
    assert found[mode].keys() <= {"killed: old", "killed: new", "saved: new"}
    assert sum(found[mode].values()) >= trials
    # The test has seen both sides of the step that decides.
    assert found[mode]["killed: old"] > trials / 10
    if mode == "calls":
        assert found[mode]["killed: new"] > trials / 10


@linux
def test_an_error_at_any_point_leaves_one_of_the_two(outcomes):
    trials, found = outcomes
    assert found["errors"].keys() <= {"raised: old", "raised: new", "saved: new"}
    assert found["errors"]["raised: old"] > trials / 10


@linux
def test_a_file_that_cannot_be_written_leaves_the_old_one(outcomes):
    trials, found = outcomes
    assert found["file-size"] == {"raised: old": trials}


def test_a_file_that_cannot_be_made_is_named(tmp_path):
    file = tmp_path / "missing" / "out.csv"
    with pytest.raises(FileNotFoundError, match=f"{file}'$"), whole_file(file):
        pass


@linux
def test_an_estimator_killed_before_any_call_is_the_old_or_the_new_one_with_all_its_files(outcomes):
    found = outcomes[1]["estimator"]
    assert found.keys() == {"killed: old", "killed: new", "saved: new"}
    assert found["saved: new"] == 1


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to mount a small disk"
)
def test_a_full_disk_is_an_error_and_leaves_the_old_one(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount a small disk here")
    try:
        old = build(1)
        old.save_pretrained(disk / "model")
        before = {file.name for file in (disk / "model").iterdir()}
        with pytest.raises(Exception, match="No space left on device"):
            build(2, hidden_sizes=[64] * 12, with_multihop=True, h=2).save_pretrained(disk / "model")
        assert {file.name for file in (disk / "model").iterdir()} == before
        assert is_loaded_from(disk / "model", old)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """A folder whose new model does not have its usual names yet, and that model."""
    build(1).save_pretrained(tmp_path)
    new = build(2, with_multihop=True, h=2)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("chainhead_plugin.storage.saving._rename", stop)
        with pytest.raises(KeyboardInterrupt):
            new.save_pretrained(tmp_path)
    assert "transformers_weights" in json.loads((tmp_path / "config.json").read_text())
    return tmp_path, new


def test_an_interrupted_save_can_be_completed(interrupted):
    folder, new = interrupted
    assert is_loaded_from(folder, new)
    complete_interrupted_save(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert is_loaded_from(folder, new)


def test_a_configuration_saved_over_an_interrupted_save_keeps_the_weights(interrupted):
    folder, new = interrupted
    new.config.save_pretrained(folder)
    assert is_loaded_from(folder, new)


def test_an_interrupted_save_loads_and_saves_elsewhere(interrupted, tmp_path_factory):
    folder, new = interrupted
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    AutoModel.from_pretrained(folder).save_pretrained(elsewhere)
    assert "transformers_weights" not in json.loads((elsewhere / "config.json").read_text())
    assert is_loaded_from(elsewhere, new)


@pytest.mark.parametrize("before", ["50GB", "20KB"])
@pytest.mark.parametrize("after", ["50GB", "20KB", "40KB"])
def test_no_weights_of_the_old_model_are_left(before, after, tmp_path):
    build(1).save_pretrained(tmp_path, max_shard_size=before)
    (tmp_path / "notes.txt").write_text("the user's own")
    build(3).save_pretrained(tmp_path, variant="other", max_shard_size="20KB")
    others = {file for file in tmp_path.iterdir() if "other" in file.name}
    new = build(2, hidden_sizes=[64] * 3)
    new.save_pretrained(tmp_path, max_shard_size=after)
    assert is_loaded_from(tmp_path, new)
    files = {file for file in tmp_path.iterdir() if file.name.startswith("model")}
    shards = {file for file in files - others if "-of-" in file.name}
    names = {file.name for file in files - others - shards}
    if after == "50GB":
        assert names == {"model.safetensors"}
        assert not shards
    else:
        assert names == {"model.safetensors.index.json"}
        index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
        assert {file.name for file in shards} == set(index["weight_map"].values())
    assert others <= files
    assert len(others) > 1
    assert (tmp_path / "notes.txt").read_text() == "the user's own"


def test_what_trainer_passes_stays_as_it_is(tmp_path):
    model = build()
    state_dict = model.state_dict()
    names = list(state_dict)
    model.save_pretrained(tmp_path, state_dict=state_dict, is_main_process=True)
    assert list(state_dict) == names
    model.save_pretrained(tmp_path / "other", is_main_process=False)
    assert not list((tmp_path / "other").iterdir())


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(FileExistsError):
        build().save_pretrained(tmp_path / "model")


@pytest.mark.parametrize(
    "name", ["../other.safetensors", "/etc/passwd", "adapter_model.bin", 3, "a/b.safetensors"]
)
def test_a_configuration_points_to_weights_in_its_own_folder_only(name):
    with pytest.raises(ValueError, match="transformers_weights"):
        ChainHeadConfig(transformers_weights=name)
