"""Recipes for labels of nodes: their data, their peers, and a model from a table to its segments."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from recipe_writing import write_recipe
from transformers import AutoModelForTokenClassification, pipeline
from typer.testing import CliRunner

import registry
from chainhead_plugin.cli import app
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.candidates.peers import candidates
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.data.node_labels import IGNORED
from chainhead_plugin.recipes.data.splits import folds, split
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe

CONTENT = {
    "name": "after-a-click",
    "task": "time-series-segmentation",
    "data": {"train": "train.csv", "test": "test.csv", "series": "id"},
    "model": {"n": 12, "channel_hops": [-1, 0, 1], "bi_directional": True, "enable_bias": True},
    "training": {"num_train_epochs": 8, "per_device_train_batch_size": 8},
    "learning_rates": [0.05],
    "validation_folds": 2,
    "seeds": [0, 1],
    "threads": 1,
}


def table(count, seed):
    """Chains of noise with clicks: a node's label is whether its predecessor clicked."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(count):
        clicks = rng.random(rng.integers(6, 15)) < 0.4
        label = np.where(np.roll(clicks, 1), "after", "rest")
        label[0] = "rest"
        parts.append(
            pd.DataFrame(
                {
                    "id": f"s{number}",
                    "x": clicks + rng.normal(0, 0.1, len(clicks)),
                    "y": rng.random(len(clicks)),
                    "label": label,
                }
            )
        )
    return pd.concat(parts).assign(machine=lambda rows: rows["id"].str[1:].astype(int) // 4)


@pytest.fixture
def folder(tmp_path):
    table(32, 0).drop(columns="machine").to_csv(tmp_path / "train.csv", index=False)
    table(12, 1).drop(columns="machine").to_csv(tmp_path / "test.csv", index=False)
    return tmp_path


def write(folder, **changes):
    return write_recipe(folder, CONTENT, changes)


def recipe_of(folder, **changes):
    return load_recipe(write(folder, **changes))


def lengths(examples):
    return [len(chain) for chain in examples.inputs]


class TestData:
    def test_rows_are_nodes(self, folder):
        rows = pd.DataFrame(
            {"id": [7, 7, 3, 3, 3], "kind": ["a", "b", "b", "b", "a"], "x": range(5), "y": range(5, 10)}
        )
        for name in ("long.csv", "other.csv"):
            rows.to_csv(folder / name, index=False)
        files = {"train": "long.csv", "test": "other.csv", "series": "id", "label": "kind"}
        train = load_data(recipe_of(folder, data=files)).train
        assert [one.tolist() for one in train.inputs] == [[[0, 5], [1, 6]], [[2, 7], [3, 8], [4, 9]]]
        assert train.labels.tolist() == [[0, 1, IGNORED], [1, 1, 0]]
        assert train.names == ("a", "b")

    @pytest.mark.parametrize("features", [(), (2,)])
    def test_arrays(self, folder, features):
        x, y = np.arange(24.0).reshape(-1, 3, *features), np.array([[2, 5, IGNORED], [5, 5, 2]] * 2)
        x = x[:4]
        for name in ("a.npz", "b.npz"):
            np.savez(folder / name, x=x, y=y)
        train = load_data(recipe_of(folder, data={"train": "a.npz", "test": "b.npz"})).train
        assert np.array_equal(np.stack(train.inputs), x.reshape(4, 3, -1))
        assert train.labels[:2].tolist() == [[0, 1, IGNORED], [1, 1, 0]]
        assert train.names == ("2", "5")

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                {"train": "a.npz", "test_share": 0.2},
                "row 1, field label has no label for each of the 3 nodes",
            ),
            (
                {"train": "train.csv", "test_share": 0.2, "series": "id", "group": "who"},
                "no column who for group; it has id, x, y, label",
            ),
            ({"train": "b.npz", "test_share": 0.2, "group": "who"}, "no field who for group; it has label"),
        ],
    )
    def test_what_does_not_fit(self, folder, data, message):
        np.savez(folder / "a.npz", x=np.zeros((4, 3)), y=np.zeros(4, int))
        np.savez(folder / "b.npz", x=np.zeros((4, 3)), y=np.zeros((4, 3), int))
        with pytest.raises(RecipeError, match=message):
            load_data(recipe_of(folder, data=data))


GROUPED = {"train": "grouped.csv", "test_share": 0.3, "series": "id", "group": "machine"}


class TestGroups:
    @pytest.fixture
    def grouped(self, folder):
        table(32, 0).to_csv(folder / "grouped.csv", index=False)
        return folder

    def test_stay_together(self, grouped):
        data = load_data(recipe_of(grouped, data=GROUPED))
        cuts = [(data.train, data.test), split(data.train, 0.4, 3), *folds(data.train, 3)]
        for kept, held_out in cuts:
            assert len(held_out.inputs) > 0
            assert not {*kept.groups} & {*held_out.groups}
            assert {*np.bincount(np.concatenate([kept.groups, held_out.groups]))} <= {0, 4}
        with pytest.raises(RecipeError, match="validation_folds=9, but there are only"):
            folds(data.train, 9)

    def test_of_labelled_series(self, grouped):
        rows = table(32, 0).assign(label=lambda rows: rows["id"].str[1:].astype(int) % 2)
        rows.to_csv(grouped / "grouped.csv", index=False)
        data = load_data(recipe_of(grouped, data=GROUPED, task="time-series-classification"))
        assert data.train.labels.ndim == 1
        for kept, held_out in [split(data.train, 0.4, 3), *folds(data.train, 3)]:
            assert not {*kept.groups} & {*held_out.groups}

    def test_in_both_parts(self, grouped):
        files = {**GROUPED, "test": "other.csv"}
        (grouped / "other.csv").write_bytes((grouped / "grouped.csv").read_bytes())
        del files["test_share"]
        with pytest.raises(RecipeError, match=r"the group \d is in both parts"):
            load_data(recipe_of(grouped, data=files))

    def test_several_of_a_series(self, grouped):
        table(8, 0).assign(machine=range(len(table(8, 0)))).to_csv(grouped / "grouped.csv", index=False)
        with pytest.raises(RecipeError, match="row 3, column machine, series s0 holds '1', but '0'"):
            load_data(recipe_of(grouped, data=GROUPED))


class TestSpeakers:
    def test_parts_are_made_of_the_official_parts(self, folder):
        data = load_data(recipe_of(folder, data="japanese-vowels-speakers"))
        vowels = load_data(load_recipe("chainhead-japanese-vowels"))
        for part, source, uses in ((data.train, vowels.train, 6), (data.test, vowels.test, 2)):
            assert sum(lengths(part)) == uses * sum(lengths(source))
            frames = {frame.tobytes(): label for one, label in _frames(source) for frame in one}
            for chain, labels in zip(part.inputs, part.labels, strict=True):
                assert [frames[frame.tobytes()] for frame in chain] == labels[: len(chain)].tolist()
                assert (labels[len(chain) :] == IGNORED).all()
        cut = [
            {frame.tobytes() for chain in part.inputs for frame in chain} for part in folds(data.train, 5)[0]
        ]
        assert not cut[0] & cut[1]


def _frames(examples):
    return zip(examples.inputs, examples.labels.tolist(), strict=True)


class TestPeers:
    def test_padding_changes_nothing_and_every_node_has_logits(self, folder):
        recipe = recipe_of(folder, model={**CONTENT["model"], "with_batch_norm": True})
        data = load_data(recipe)
        found = candidates(recipe, prepare(recipe, data.train), data.train.names, list(recipe.task.peers))
        nodes, mask = torch.randn(2, 6, 2), torch.ones(2, 6, dtype=torch.int64)
        mask[1, 4:] = 0
        for candidate in found.values():
            model = candidate.build().eval()
            logits = model(input_features=nodes, attention_mask=mask)["logits"]
            assert logits.shape == (2, 6, 2)
            alone = model(input_features=nodes[1:, :4], attention_mask=mask[1:, :4])["logits"]
            torch.testing.assert_close(logits[1:, :4], alone)

    @pytest.mark.parametrize(("bi_directional", "reach"), [(True, True), (False, False)])
    def test_recurrent_peers_look_ahead_where_the_model_does(self, folder, bi_directional, reach):
        options = {"n": 4, "bi_directional": bi_directional}
        recipe = recipe_of(folder, model=options)
        data = load_data(recipe)
        found = candidates(recipe, prepare(recipe, data.train), data.train.names, ["lstm", "mlp"])
        nodes = torch.randn(1, 6, 2, requires_grad=True)
        for name, ahead in (("lstm", reach), ("mlp", False)):
            logits = found[name].build()(input_features=nodes)["logits"]
            (gradient,) = torch.autograd.grad(logits[0, 2].sum(), nodes)
            assert bool(gradient[0, 5].any()) is ahead


def test_from_a_table_to_segments(folder):
    runner = CliRunner()
    out = folder / "out"
    write(folder, peers=["no_hops", "lstm"])
    done = runner.invoke(app, ["compare", str(folder / "recipe.yaml"), "--output", str(out)])
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text("utf-8"))["models"]
    assert results["chain"]["test_accuracy_mean"] > 0.95 > results["no_hops"]["test_accuracy_mean"]
    assert results["chain"]["test_macro_f1_mean"] > 0.9
    assert (out / "segments.png").read_bytes().startswith(b"\x89PNG")
    assert "segments.png" in (out / "README.md").read_text("utf-8")

    registry.load_plugins()
    assert AutoModelForTokenClassification.from_pretrained(out).config.id2label == {0: "after", 1: "rest"}
    segment = pipeline("time-series-segmentation", model=str(out), device="cpu")
    data = load_data(load_recipe(folder / "recipe.yaml"))
    named = [node["label"] for one in segment(list(data.test.inputs), batch_size=5) for node in one]
    true = [data.test.names[label] for row in data.test.labels for label in row if label != IGNORED]
    stated = results["chain"]["test_accuracy"][0]
    assert np.mean(np.array(named) == np.array(true)) == pytest.approx(stated)
    evaluated = runner.invoke(app, ["evaluate", str(out)])
    assert evaluated.exit_code == 0, evaluated.output
    assert f"accuracy {stated:.2%}, balanced accuracy" in evaluated.output

    nodes = pd.read_csv(folder / "test.csv").drop(columns="label")
    nodes.to_csv(folder / "new.csv", index=False)
    shown = runner.invoke(app, ["predict", str(out), str(folder / "new.csv"), "--json"])
    assert shown.exit_code == 0, shown.output
    first = json.loads(shown.output.splitlines()[0])
    assert first["id"] == "s0"
    assert first["segments"] == segment(data.test.inputs[0], aggregation_strategy="simple")
