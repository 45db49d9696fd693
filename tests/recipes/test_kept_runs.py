"""Finished runs are kept, and used again only if they belong to the recipe and are complete."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from recipe_writing import write_arrays, write_recipe

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.results.output import write_output
from chainhead_plugin.recipes.training.fitting.checkpoints import last_complete_checkpoint
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.records import in_use
from chainhead_plugin.recipes.training.runs import Runs

CONTENT = {
    "name": "kept",
    "task": "time-series-classification",
    "data": {"train": "train.npz", "test": "test.npz"},
    "model": {"n": 6, "channel_hops": [0, 1], "pooling": "max"},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 8},
    "learning_rates": [0.05],
    "validation_folds": 2,
    "seeds": [0],
    "threads": 1,
}


def arrays(count=16, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return rng.normal(0, 1, (count, 6)) + labels[:, None], np.array(["low", "high"])[labels]


@pytest.fixture
def folder(tmp_path):
    write_arrays(tmp_path / "train.npz", arrays())
    write_arrays(tmp_path / "test.npz", arrays(8, 1))
    return tmp_path


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, CONTENT, changes))


def runs_of(folder, **changes):
    recipe = recipe_of(folder, **changes)
    return Runs(recipe, load_data(recipe), folder / "runs")


@pytest.mark.parametrize("name", ["weights.safetensors", "run.json"])
@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[:-9], lambda content: b"[]"])
def test_a_damaged_run_is_set_aside_by_name_and_made_anew(folder, name, damage, caplog):
    first = runs_of(folder).final("chain", 0.05, 0)
    file, whole = first.folder / name, (first.folder / "weights.safetensors").read_bytes()
    file.write_bytes(damage(file.read_bytes()))
    again = runs_of(folder).final("chain", 0.05, 0)
    assert (again.folder / "weights.safetensors").read_bytes() == whole
    aside = again.folder.with_name(f"{again.folder.name}.damaged-1")
    assert (aside / name).is_file()
    assert f"set aside as {aside.name}" in caplog.text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"measured": 3}'])
def test_damaged_results_are_measured_anew(folder, content):
    runs = runs_of(folder)
    run = runs.final("chain", 0.05, 0)
    found = runs.test(run)
    (run.folder / "test.json").write_text(content, "utf-8")
    assert runs.test(run).values["accuracy"] == found.values["accuracy"]


def test_a_damaged_description_of_the_runs_is_set_aside(folder):
    first = runs_of(folder).final("chain", 0.05, 0)
    (folder / "runs" / "recipe.json").write_text("", "utf-8")
    assert runs_of(folder).final("chain", 0.05, 0).history == first.history
    assert (folder / "runs" / "recipe.json.damaged-1").exists()


def test_a_peer_with_other_options_is_another_run(folder):
    names = {"peers": ["lstm"]}
    wide = runs_of(folder, **names, overrides={"lstm": {"width": 9}}).final("lstm", 0.05, 0)
    narrow = runs_of(folder, **names, overrides={"lstm": {"width": 3}}).final("lstm", 0.05, 0)
    assert sum(weight.numel() for weight in wide.model().parameters()) > sum(
        weight.numel() for weight in narrow.model().parameters()
    )
    again = runs_of(folder, **names, overrides={"lstm": {"width": 9}}).final("lstm", 0.05, 0)
    assert (again.folder, again.history) == (wide.folder, wide.history)


def test_rows_that_move_between_series_are_other_data(folder):
    recipe = recipe_of(folder)
    data = load_data(recipe)
    Runs(recipe, data, folder / "runs")
    (folder / "runs" / "a-run").mkdir()
    chains = list(data.train.inputs)
    # The last row of the third becomes the first of the fifth: the same bytes in the same order.
    flat = np.concatenate(chains[:2])
    chains[:2] = [flat[:4], flat[4:]]
    moved = replace(data, train=replace(data.train, inputs=chains))
    with pytest.raises(RecipeError, match=r"\(data changed\)"):
        Runs(recipe, moved, folder / "runs")


def test_other_versions_are_another_recipe(folder):
    runs_of(folder)
    (folder / "runs" / "a-run").mkdir()
    file = folder / "runs" / "recipe.json"
    content = json.loads(file.read_text("utf-8"))
    content["versions"]["torch"] = "1.0"
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(RecipeError, match=r"\(versions changed\)"):
        runs_of(folder)


def test_another_test_part_is_measured_anew_and_nothing_is_trained_anew(folder):
    runs = runs_of(folder)
    run = runs.final("chain", 0.05, 0)
    stamp = (run.folder / "run.json").stat().st_mtime_ns
    before = runs.test(run)
    write_arrays(folder / "test.npz", (arrays(8, 1)[0], arrays(8, 1)[1][::-1]))
    other = runs_of(folder)
    assert other.test(other.final("chain", 0.05, 0)).values["accuracy"] == pytest.approx(
        1 - before.values["accuracy"]
    )
    assert (run.folder / "run.json").stat().st_mtime_ns == stamp


def test_a_checkpoint_that_is_not_sealed_or_has_other_files_does_not_count(tmp_path):
    for number in (1, 2, 3):
        (tmp_path / f"checkpoint-{number}").mkdir()
    (tmp_path / "checkpoint-1" / "trainer_state.json").write_text('{"best_model_checkpoint": null}')
    digest = "b1a2a51e9e2a3f5a7b7b7e6f9a1cf9b3a8d2e4c9b6a0f3d1e8c7b5a49382716f"
    (tmp_path / "checkpoint-2" / "complete.json").write_text(json.dumps({"files": {"gone": digest}}))
    assert last_complete_checkpoint(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_two_trainings_in_one_folder(folder):
    runs = folder / "out" / ".runs"
    runs.mkdir(parents=True)
    hold = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print(flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(runs / "in-use.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(RecipeError, match="another process is training in"), in_use(runs):
            pass
        other.stdin.close()
    with in_use(runs):
        pass
    assert not (folder / "out").exists()  # nothing was kept


def test_a_card_that_was_edited_stays(folder, caplog):
    recipe, out = recipe_of(folder), folder / "out"
    measured = measure(recipe, out / ".runs", [])
    write_output(recipe, measured, out)
    generated = (out / "README.md").read_text("utf-8")
    write_output(recipe, measured, out)
    assert not (out / "README.new.md").exists()
    (out / "README.md").write_text("mine", "utf-8")
    write_output(recipe, measured, out)
    assert (out / "README.md").read_text("utf-8") == "mine"
    assert (out / "README.new.md").read_text("utf-8") == generated
    assert "was edited, and stays" in caplog.text
