"""Users' own recipes: checks before training, training, and the commands that run them."""

import json
import re
import sys
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from nobody import as_nobody
from recipe_writing import write_arrays, write_recipe
from transformers import AutoModelForSequenceClassification, TrainingArguments, pipeline
from typer.testing import CliRunner

import registry
from chainhead_plugin.cli import app
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.candidates.peers import candidates
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.fields.training_arguments import ALLOWED, SET_BY_TRAINER
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.results.output import check_output
from chainhead_plugin.recipes.task import PEERS
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs

CONTENT = {
    "name": "rising",
    "task": "time-series-classification",
    "data": {"train": "train.npz", "test": "test.npz"},
    "model": {"n": 6, "channel_hops": [0, 1], "enable_bias": True, "pooling": "max"},
    "training": {"num_train_epochs": 4, "per_device_train_batch_size": 16},
    "learning_rates": [0.02, 0.05],
    "validation_folds": 2,
    "seeds": [0, 1],
    "threads": 1,
}

# Names of arguments that could reach a network, a token or another folder.
REACHING = re.compile(r"hub|report|log|dir|run_name|resume|fsdp|deepspeed|accelerator|trackio|project")


def series(count, seed):
    """Steps up or down: which, only the order of nodes tells."""
    rng = np.random.default_rng(seed)
    y = np.array(["down", "up"])[np.arange(count) % 2]
    x = rng.normal(0, 0.1, (count, 8))
    x[y == "up", 4:] += 1
    x[y == "down", :4] += 1
    return x, y


@pytest.fixture
def folder(tmp_path):
    write_arrays(tmp_path / "train.npz", series(48, 0))
    write_arrays(tmp_path / "test.npz", series(20, 1))
    return tmp_path


def write(folder, **changes):
    return write_recipe(folder, CONTENT, changes)


def recipe_of(folder, **changes):
    return load_recipe(write(folder, **changes))


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


class TestChecks:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"sedes": [0, 1]}, "no 'sedes': did you mean 'seeds'"),
            ({"training": None}, "a recipe needs training"),
            ({"task": "regression"}, "task must be one of"),
            ({"name": "a/b"}, "without slashes"),
            ({"seeds": []}, "a list of integers"),
            ({"seeds": 0}, "a list of integers"),
            ({"seeds": [-1, True]}, "a list of integers"),
            ({"seeds": [1, 1]}, "names a seed twice"),
            ({"learning_rates": ["1e-2"]}, "is a text in YAML"),
            ({"learning_rates": [-1.0]}, "above 0"),
            ({"learning_rates": 0.1}, "list of numbers"),
            ({"validation_share": 0.2}, "either validation_folds or validation_share"),
            ({"validation_folds": 1}, "validation_folds must be"),
            ({"validation_folds": None, "validation_share": 1.5}, "between 0 and 1"),
            ({"early_stopping": 3}, "early_stopping needs validation_share"),
            ({"peers": ["rnn"]}, "no peer 'rnn'"),
            ({"overrides": {"lstm": {"depth": 2}}}, "may hold learning_rates and width"),
            ({"tokenizer": {"vocab_size": 9}}, "tokenizer has no effect"),
            ({"threads": 0}, "threads must be"),
            ({"training": {"learning_rate": 0.1}}, "training: learning_rate is set by the trainer"),
            ({"training": {"num_epochs": 3}}, "training: .* num_epochs, did you mean num_train_epochs"),
            (
                {"training": {"push_to_hub": True}},
                "training: recipes have no argument push_to_hub: expected adam_",
            ),
            ({"model": [1]}, "model must be a mapping"),
        ],
    )
    def test_recipe(self, folder, changes, message):
        with pytest.raises(RecipeError, match=message):
            recipe_of(folder, **changes)

    def test_no_training_argument_reaches_a_network_or_another_folder(self, folder):
        known = {entry.name for entry in fields(TrainingArguments)}
        assert known | {"warmup_ratio"} >= ALLOWED | SET_BY_TRAINER
        reaching = {name for name in known if REACHING.search(name)}
        assert reaching >= {"push_to_hub", "hub_token", "hub_model_id", "report_to", "output_dir"}
        assert not ALLOWED & reaching
        for name in reaching:
            with pytest.raises(RecipeError, match=f"training: .*{name}"):
                recipe_of(folder, training={"num_train_epochs": 1, name: "me/x"})

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"data": "unknown"}, "no data set 'unknown'"),
            ({"data": {"train": "train.npz"}}, "one of test and test_share"),
            ({"data": {"train": "none.npz", "test_share": 0.2}}, "no file"),
            ({"data": {"train": "recipe.yaml", "test_share": 0.2}}, "unknown format"),
            ({"data": {"train": "train.npz", "test": "test.npz", "labels": "y"}}, "data has no 'labels'"),
            ({"task": "image-classification"}, "has x"),
        ],
    )
    def test_data(self, folder, changes, message):
        with pytest.raises(RecipeError, match=message):
            load_data(recipe_of(folder, **changes))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"model": {"with_hops": 3}}, "model: .*no field 'with_hops'"),
            ({"model": {"n": 4, "h": 3}}, "h=3 has no effect"),
            ({"training": {"optim": "best"}}, "training: .*best"),
            (
                {"validation_folds": 40},
                "of the label .* there are only 24 examples to train on: give more, or use 24",
            ),
        ],
    )
    def test_training(self, folder, changes, message):
        with pytest.raises(RecipeError, match=message):
            measure(recipe_of(folder, **changes), folder / "runs", [])

    def test_file(self, tmp_path):
        with pytest.raises(
            RecipeError, match="is no recipe, and no file or folder here: expected a YAML file, or one of"
        ):
            load_recipe("nothing")
        (tmp_path / "a.yaml").write_text("a: [")
        with pytest.raises(RecipeError, match="is no YAML"):
            load_recipe(tmp_path / "a.yaml")


class TestTables:
    def test_wide_rows_end_where_cells_are_empty(self, folder):
        table = pd.DataFrame(
            {"label": ["a", "b", "a", "b"], "t0": [1.0, 2, 3, 4], "t1": [5, np.nan, 6, np.nan]}
        )
        for name in ("wide.csv", "test.csv"):
            table.to_csv(folder / name, index=False)
        train = load_data(recipe_of(folder, data={"train": "wide.csv", "test": "test.csv"})).train
        assert [one.ravel().tolist() for one in train.inputs] == [[1, 5], [2], [3, 6], [4]]
        assert [train.names[label] for label in train.labels] == ["a", "b", "a", "b"]

    def test_long_rows_are_nodes(self, folder):
        table = pd.DataFrame(
            {"id": [7, 7, 3, 3, 3], "kind": ["a", "a", "b", "b", "b"], "x": range(5), "y": range(5, 10)}
        )
        for name in ("long.csv", "test.csv"):
            table.to_csv(folder / name, index=False)
        files = {"train": "long.csv", "test": "test.csv", "series": "id", "label": "kind"}
        train = load_data(recipe_of(folder, data=files)).train
        assert [one.tolist() for one in train.inputs] == [[[0, 5], [1, 6]], [[2, 7], [3, 8], [4, 9]]]
        assert train.names == ("a", "b")

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"x": [1.0]}, "bad.csv has no column of labels: name it as label .its other columns: x"),
            ({"label": ["a", None], "x0": [1.0, 2], "x1": [3.0, 4]}, "row 3, column label is empty"),
            (
                {"label": ["a", "b"], "x0": ["p", "q"], "x1": [3.0, 4]},
                "row 2, column x0 holds 'p', expected a number",
            ),
            (
                {"label": ["a", "a"], "x0": [1.0, 2], "x1": [3.0, 4]},
                "all 2 examples to train on have the label 'a'",
            ),
        ],
    )
    def test_errors(self, folder, table, message):
        for name in ("bad.csv", "test.csv"):
            pd.DataFrame(table).to_csv(folder / name, index=False)
        with pytest.raises(RecipeError, match=message):
            load_data(recipe_of(folder, data={"train": "bad.csv", "test": "test.csv"}))

    def test_texts(self, folder):
        texts = pd.DataFrame({"text": ["good film", "bad film"] * 8, "label": [1, 0] * 8})
        texts.to_csv(folder / "texts.csv", index=False)
        recipe = recipe_of(
            folder,
            task="text-classification",
            data={"train": "texts.csv", "test_share": 0.25},
            model={"m": 4, "n": 4, "pooling": "max"},
            training={"num_train_epochs": 6},
            learning_rates=[0.1],
        )
        measured = measure(recipe, folder / "runs", ["gru"])
        assert measured.results["examples"] == {"train": 12, "test": 4}
        assert measured.results["models"]["gru"]["test_accuracy_mean"] == 1


class TestPeers:
    @pytest.mark.parametrize("length", [5, 8])
    def test_padding_changes_nothing(self, folder, length):
        recipe = recipe_of(folder, model={**CONTENT["model"], "with_batch_norm": True})
        data = load_data(recipe)
        for candidate in candidates(
            recipe, prepare(recipe, data.train), data.train.names, [*PEERS, "dilated", "inception"]
        ).values():
            model = candidate.build().eval()
            nodes, mask = torch.randn(2, length, 1), torch.ones(2, length, dtype=torch.int64)
            padded = torch.cat([nodes, torch.zeros(2, 3, 1)], 1)
            padded_mask = torch.cat([mask, mask.new_zeros(2, 3)], 1)
            torch.testing.assert_close(
                model(input_features=padded, attention_mask=padded_mask)["logits"],
                model(input_features=nodes, attention_mask=mask)["logits"],
            )

    def test_nodes_without_hops_do_not_see_each_other(self, folder):
        recipe = recipe_of(folder)
        data = load_data(recipe)
        found = candidates(recipe, prepare(recipe, data.train), data.train.names, ["no_hops"])
        nodes, order = torch.randn(2, 6, 1), torch.tensor([3, 1, 5, 0, 4, 2])
        for name, blind in (("chain", False), ("no_hops", True)):
            model = found[name].build().eval()
            logits = [model(input_features=x).logits for x in (nodes, nodes[:, order])]
            assert torch.allclose(*logits) is blind

    def test_none_has_fewer_weights_nor_many_more(self, folder):
        recipe = recipe_of(folder, model={**CONTENT["model"], "n": 40})
        data = load_data(recipe)
        models = candidates(recipe, prepare(recipe, data.train), data.train.names, list(PEERS))
        weights = {name: model.count() for name, model in models.items()}
        assert min(weights.values()) == weights["chain"]
        assert max(weights.values()) < 1.25 * weights["chain"]


class TestRuns:
    def test_a_run_that_was_cut_off_gives_the_same_weights(self, folder):
        recipe = recipe_of(folder)
        data = load_data(recipe)
        whole = Runs(recipe, data, folder / "whole").final("chain", 0.05, 0)
        epochs = 0

        def cut_off(_):
            nonlocal epochs
            epochs += 1
            if epochs == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Runs(recipe, data, folder / "cut", cut_off).final("chain", 0.05, 0)
        assert list((folder / "cut").rglob("checkpoint-*"))
        counted = []
        resumed = Runs(recipe, data, folder / "cut", counted.append).final("chain", 0.05, 0)
        assert sum(counted) == 4
        assert (resumed.folder / "weights.safetensors").read_bytes() == (
            whole.folder / "weights.safetensors"
        ).read_bytes()
        assert not list((folder / "cut").rglob("checkpoint-*"))

    def test_a_finished_run_is_not_done_again(self, folder):
        recipe = recipe_of(folder)
        data = load_data(recipe)
        first = Runs(recipe, data, folder / "runs").final("chain", 0.05, 0)
        stamp = (first.folder / "weights.safetensors").stat().st_mtime_ns
        again = Runs(recipe, data, folder / "runs").final("chain", 0.05, 0)
        assert (again.folder, again.history, again.seconds) == (first.folder, first.history, first.seconds)
        assert (first.folder / "weights.safetensors").stat().st_mtime_ns == stamp

    @pytest.mark.parametrize(
        "change",
        [{"model": {**CONTENT["model"], "n": 7}}, {"data": {"train": "train.npz", "test_share": 0.5}}],
    )
    def test_runs_of_another_recipe_or_of_other_data(self, folder, change):
        recipe = recipe_of(folder)
        Runs(recipe, load_data(recipe), folder / "runs")
        (folder / "runs" / "a-run").mkdir()
        other = recipe_of(folder, **change)
        with pytest.raises(RecipeError, match="another version of this recipe or of other data"):
            Runs(other, load_data(other), folder / "runs")


class TestCommands:
    def test_compare_evaluate_and_use(self, folder, monkeypatch):
        out = folder / "out"
        result = invoke("compare", write(folder, peers=["no_hops", "conv1d"]), "--output", out)
        assert result.exit_code == 0, result.output
        assert "the same head" in result.output
        assert "Conv1d trained in" in " ".join(result.output.split())
        assert "GRU" not in result.output
        results = json.loads((out / "results.json").read_text("utf-8"))
        assert list(results["models"]) == ["chain", "no_hops", "conv1d"]
        stated = results["models"]["chain"]["test_accuracy"][0]
        for name in ("learning-curve.png", "comparison.png", "chain-matrix.png"):
            assert (out / name).read_bytes().startswith(b"\x89PNG")
            assert name in (out / "README.md").read_text("utf-8")
        registry.load_plugins()
        assert AutoModelForSequenceClassification.from_pretrained(out).config.id2label == {0: "down", 1: "up"}
        classify = pipeline("time-series-classification", model=str(out), device="cpu")
        x, y = series(20, 1)
        named = [one[0]["label"] for one in classify(list(x), top_k=1)]
        assert np.mean(np.array(named) == y) == stated
        monkeypatch.chdir(folder.parent)
        evaluated = invoke("evaluate", out)
        assert evaluated.exit_code == 0, evaluated.output
        assert f"accuracy {stated:.2%}, balanced accuracy" in evaluated.output
        assert f"on 20 test examples; stated: {stated:.2%}, " in evaluated.output

        assert str(folder) not in (out / "recipe.yaml").read_text("utf-8")
        assert load_recipe(out / "recipe.yaml").data == {"train": "train.npz", "test": "test.npz"}

    def test_errors_are_one_line_and_exit_code_1(self, folder):
        (folder / "empty").mkdir()
        for arguments, message in (
            (["train", "nothing"], "is no recipe"),
            (["train", "chainhead-gunpont"], "did you mean chainhead-gunpoint?"),
            (["evaluate", folder / "empty"], "has no recipe.yaml"),
            (["train", write(folder), "--output", folder], "is not empty"),
            (["train", write(folder), "--output", folder / "train.npz"], "train.npz: it is a file"),
            (["train", write(folder), "--output", folder / "train.npz" / "a" / "b"], "train.npz is a file"),
            (["evaluate", "chainhead-nothing"], "chainhead-nothing"),
        ):
            result = invoke(*arguments)
            assert result.exit_code == 1
            assert "Error: " in result.output
            assert message in result.output
            assert "Traceback" not in result.output

    def test_a_folder_that_this_user_may_not_write(self):
        with TemporaryDirectory() as parent:
            Path(parent).chmod(0o555)
            with as_nobody(), pytest.raises(RecipeError, match=r"takes no files: Permission denied"):
                check_output(Path(parent, "a", "b"))

    def test_missing_package(self, folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "aeon.datasets", None)
        result = invoke("train", "chainhead-gunpoint", "--output", folder / "out")
        assert result.exit_code == 1
        assert "needs aeon: pip install aeon" in result.output
