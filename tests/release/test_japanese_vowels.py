"""The checkpoint for Japanese vowels on its data. `test_zoo.py` tests the properties of all checkpoints."""

import json
from pathlib import Path

import pytest
import torch

import registry
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.candidates.peers import candidates
from chainhead_plugin.recipes.candidates.series_peers import SERIES_PEERS
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.data.splits import folds
from chainhead_plugin.recipes.recipe_files import load_recipe

NAME = "chainhead-japanese-vowels"
SAMPLES = Path(__file__).parents[2] / "chainhead_plugin" / "checkpoints" / "japanese_vowels_samples.json"
FEATURES = 12
SPEAKERS = tuple(f"speaker {number}" for number in range(1, 10))


@pytest.fixture(scope="module")
def recipe():
    return load_recipe(NAME)


@pytest.fixture(scope="module")
def data(recipe):
    return load_data(recipe)


class TestData:
    def test_official_split(self, data):
        assert (len(data.train.inputs), len(data.test.inputs)) == (270, 370)
        lengths = [len(nodes) for nodes in [*data.train.inputs, *data.test.inputs]]
        assert (min(lengths), max(lengths)) == (7, 29)
        assert {nodes.shape[1] for nodes in data.train.inputs} == {FEATURES}
        assert data.train.names == data.test.names == SPEAKERS
        assert torch.tensor(data.train.labels).bincount().tolist() == [30] * len(SPEAKERS)

    def test_folds_are_stratified_and_apart(self, data):
        for kept, held_out in folds(data.train, 5):
            assert torch.tensor(held_out.labels).bincount().tolist() == [6] * len(SPEAKERS)
            assert not {id(nodes) for nodes in kept.inputs} & {id(nodes) for nodes in held_out.inputs}


def test_samples_are_the_first_of_every_speaker_with_their_source(data):
    shipped = json.loads(SAMPLES.read_text("utf-8"))
    assert [sample["label"] for sample in shipped["samples"]] == list(SPEAKERS)
    for sample in shipped["samples"]:
        index = sample["test_index"]
        assert sample["nodes"] == data.test.inputs[index].tolist()
        assert SPEAKERS[data.test.labels[index]] == sample["label"]
        assert sample["label"] not in [SPEAKERS[label] for label in data.test.labels[:index]]
    assert "CC BY 4.0" in shipped["source"]


def test_accuracy():
    assert registry.model_info(NAME).metrics["test_accuracy"] >= 0.975


def test_the_recipe_describes_the_models_that_were_measured(recipe, data):
    results = json.loads(registry.model_info(NAME).card.with_suffix(".json").read_text("utf-8"))["models"]
    results = {name: result for name, result in results.items() if name not in SERIES_PEERS}
    trained = [name for name in recipe.peers if name in results]
    models = candidates(recipe, prepare(recipe, data.train), data.train.names, trained)
    assert {name: model.count() for name, model in models.items()} == {
        name: result["parameters"] for name, result in results.items()
    }
    assert {name: model.title for name, model in models.items()} == {
        name: result["title"] for name, result in results.items()
    }
    for name, result in results.items():
        model = models[name]
        assert result["learning_rate"] in ([None] if model.is_in_closed_form else model.learning_rates)
