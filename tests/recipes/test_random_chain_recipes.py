"""Random chain heads in recipes: as the model, as a peer, and the recipes that refuse them."""

import json

import numpy as np
import pytest
import torch
from command_line import invoke
from recipe_writing import write_recipe
from transformers import pipeline

import registry
from chainhead_plugin import RandomChainForSequenceClassification, RandomChainStream
from chainhead_plugin.estimators import ChainHeadClassifier
from chainhead_plugin.recipes import RecipeError, load_recipe
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.training.measuring import planned_epochs
from chainhead_plugin.recipes.training.runs import Runs

CONTENT = {
    "name": "steps",
    "task": "time-series-classification",
    "data": {"train": "steps.npz", "test_share": 0.3},
    "model": {"model_type": "chainhead-random", "num_groups": 2, "group_size": 2, "num_levels": 4},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 16},
    "learning_rates": [0.01],
    "validation_folds": 2,
    "seeds": [0, 1],
    "threads": 1,
    "peers": ["conv1d"],
    "overrides": {"conv1d": {"width": 2}},
}
TRAINED = {"model": {"n": 2}, "peers": ["random_chains"], "overrides": {}}


@pytest.fixture
def folder(tmp_path):
    """Steps up in the middle, or none, of one length."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 16, 2)), np.array(["flat", "up"])[np.arange(40) % 2]
    x[y == "up", 8:, 0] += 2
    np.savez(tmp_path / "steps.npz", x=x, y=y)
    return tmp_path


def runs_of(folder, **changes):
    recipe = load_recipe(write_recipe(folder, CONTENT, changes))
    return Runs(recipe, load_data(recipe), folder / "runs")


def test_a_recipe_gives_a_whole_folder(folder):
    recipe = write_recipe(folder, CONTENT, {})
    invoke("compare", str(recipe), "--output", str(folder / "model"))
    written = {file.name for file in (folder / "model").iterdir()}
    assert {"README.md", "stream.png", "confusion.png", "comparison.png"} <= written
    assert not {"learning-curve.png", "chain-matrix.png"} & written
    models = json.loads((folder / "model" / "results.json").read_text("utf-8"))["models"]
    assert models["chain"]["learning_rate"] is None
    assert models["conv1d"]["learning_rate"] == 0.01

    registry.load_plugins()
    classify = pipeline("time-series-classification", model=str(folder / "model"))
    assert isinstance(classify.model, RandomChainForSequenceClassification)
    assert models["chain"]["parameters"] == classify.model.num_parameters()
    test = load_data(load_recipe(recipe)).test
    named = [classify(nodes.tolist())[0]["label"] for nodes in test.inputs]
    assert (
        np.mean(np.array(named) == np.array(test.names)[test.labels]) == models["chain"]["test_accuracy"][0]
    )
    # From a folder, without its recipe's data being trained on again.
    told = invoke("evaluate", folder / "model")
    assert f"accuracy {models['chain']['test_accuracy'][0]:.2%}" in told
    card = (folder / "model" / "README.md").read_text("utf-8")
    assert "closed form" in card
    assert "learning-curve" not in card
    assert "The chain head" not in card.partition("## Results")[2].partition("## Citation")[0]


def test_it_is_what_the_estimator_trains(folder):
    runs = runs_of(folder, model={"model_type": "chainhead-random"})
    _, value, _ = runs.choose("chain")
    run = runs.final("chain", None, 1)
    train, test = runs.data.train, runs.data.test
    classifier = ChainHeadClassifier(random_state=1).fit([one.T for one in train.inputs], train.labels)
    model = runs.model(run)
    with torch.no_grad():
        found = model(**run.trial.fold.inputs.batch(test.inputs)).logits.softmax(-1).numpy()
    np.testing.assert_allclose(found, classifier.predict_proba([one.T for one in test.inputs]), atol=1e-3)
    assert 0.5 < value <= 1
    stream = RandomChainStream(model, run.trial.fold.inputs.preprocessor)
    np.testing.assert_allclose(stream.update(test.inputs[0]).numpy(), found[0], atol=1e-5)


def test_beside_a_trained_model_it_takes_no_epochs(folder):
    runs = runs_of(folder, **TRAINED)
    recipe = runs.recipe
    assert planned_epochs(recipe, recipe.peers) == planned_epochs(recipe, [])
    rate, _, checked = runs.choose("random_chains")
    assert rate is None
    assert [record["epoch"] for record in checked.history] == [1]
    assert {"eval_accuracy", "eval_loss"} < checked.history[0].keys()
    run = runs.final("random_chains", None, 0)
    assert runs.test(run).values["accuracy"] > 0.7
    # Found again, not fitted again.
    assert runs.final("random_chains", None, 0).seconds == run.seconds


def test_series_of_several_lengths_are_predicted_alike_after_reading(tmp_path):
    rng = np.random.default_rng(0)
    lengths = 12 + 6 * (np.arange(40) % 2)  # the length tells the label
    np.savez(
        tmp_path / "steps.npz",
        x=rng.normal(size=(lengths.sum(), 1)),
        y=np.arange(40) % 2,
        lengths=lengths,
    )
    runs = runs_of(tmp_path, **TRAINED)
    run = runs.final("random_chains", None, 0)
    assert run.fitted["reference_length"] == int(np.median([len(one) for one in runs.data.train.inputs]))
    assert runs.test(run).values["accuracy"] == 1
    again = runs.final("random_chains", None, 0).model()
    assert (
        again.config.reference_length == again.random_chain.reference_length == run.fitted["reference_length"]
    )


def test_weights_of_labels_multiply_probabilities(folder):
    plain = runs_of(folder, **TRAINED)
    weighted = Runs(
        load_recipe(write_recipe(folder, CONTENT, {**TRAINED, "class_weight": {"up": 4.0}})),
        plain.data,
        folder / "weighted",
    )
    biases = [runs.final("random_chains", None, 0).model().classifier.bias for runs in (plain, weighted)]
    shift = (biases[1] - biases[0]).detach().numpy()
    np.testing.assert_allclose(shift, [-np.log(2), np.log(2)], rtol=1e-4)


def test_default_peers_are_those_that_stand_beside_it(folder):
    content = {name: value for name, value in CONTENT.items() if name not in ("peers", "overrides")}
    peers = load_recipe(write_recipe(folder, content, {})).peers
    assert {"lstm", "minirocket"} <= {*peers}
    assert not {"no_hops", "plain", "random_chains"} & {*peers}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"model_type": "chainhead-random", "n": 3}}, "no option 'n': expected dilations"),
        ({"model": {"model_type": "chainhead-random", "num_biases": 0}}, "num_biases"),
        ({"peers": ["no_hops"]}, "there is no peer 'no_hops'"),
        ({"peers": ["random_chains"]}, "there is no peer 'random_chains'"),
        (
            {"task": "time-series-segmentation", "peers": []},
            "for whole series, not for time-series-segmentation",
        ),
    ],
)
def test_what_they_may_not_be(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        runs_of(folder, **changes).candidates()
