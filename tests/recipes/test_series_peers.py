"""Peers from aeon in recipes: their training data, their costs, and the cases in which they do not run."""

import json
import sys

import numpy as np
import pytest
from aeon.classification.convolution_based import MiniRocketClassifier
from command_line import invoke
from recipe_writing import write_recipe

from chainhead_plugin.recipes import RecipeError, load_recipe
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.candidates.series_peers import FittedSeriesPeer, padding_of
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.metrics.labels import LABEL_METRICS
from chainhead_plugin.recipes.metrics.metric import Outcome
from chainhead_plugin.recipes.results.verdict import verdict
from chainhead_plugin.recipes.training.report import ModelReport, Report
from chainhead_plugin.recipes.training.runs import Runs
from chainhead_plugin.recipes.training.series_runs import run_series_peer

CONTENT = {
    "name": "steps",
    "task": "time-series-classification",
    "data": {"train": "steps.npz", "test_share": 0.3},
    "model": {"n": 4, "channel_hops": [0, 1], "pooling": "max"},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 16},
    "learning_rates": [0.01],
    "validation_folds": 2,
    "seeds": [0, 1],
    "threads": 1,
}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 12, 2)), np.arange(40) % 2
    x[y == 1, 6:, 0] += 2
    np.savez(tmp_path / "steps.npz", x=x, y=y)
    return tmp_path


def runs_of(folder, **changes):
    recipe = load_recipe(write_recipe(folder, CONTENT, changes))
    return Runs(recipe, load_data(recipe), folder / "runs")


def test_minirocket_is_that_of_aeon_on_standardised_series(folder):
    runs = runs_of(folder)
    found = run_series_peer("minirocket", runs, folder / "runs")
    recipe, data = runs.recipe, runs.data
    batch = prepare(recipe, data.train).batch
    # In the order of memory in which the peer takes them: aeon would be compiled anew for another.
    train, test = (
        np.ascontiguousarray(batch(part.inputs)["input_features"].numpy().transpose(0, 2, 1), np.float64)
        for part in (data.train, data.test)
    )
    assert np.isnan(found.outcomes["auc"].values).all()
    assert found.prediction_seconds > 0
    for seed, accuracy in zip(recipe.seeds, found.outcomes["accuracy"].values, strict=True):
        model = MiniRocketClassifier(random_state=seed).fit(train, data.train.labels)
        expected = np.mean(model.predict(test) == data.test.labels)
        assert accuracy == expected
    # Found again, not fitted again.
    again = run_series_peer("minirocket", runs, folder / "runs")
    assert again.training_seconds == found.training_seconds
    assert again.validation == found.validation


@pytest.mark.parametrize("name", ["minirocket", "multirocket_hydra", "quant", "dtw"])
def test_series_of_several_lengths_and_features(name):
    rng = np.random.default_rng(0)
    labels = np.arange(20) % 2
    series = [rng.normal(4 * label, 1, (5 + number % 9, 2)) for number, label in enumerate(labels)]
    fitted = FittedSeriesPeer(name, series, labels, label_count=3, seed=0)
    longer = [np.vstack([series[0], series[0], series[0]]), series[1]]
    found = fitted.predict(longer)
    assert found.shape == (2, 3)
    np.testing.assert_allclose(np.exp(found).sum(1), 1)
    assert np.exp(found[:, 2]).max() < 1e-6  # has no example
    assert np.mean(fitted.predict(series).argmax(1) == labels) > 0.9


def test_what_is_done_to_lengths_is_said():
    assert padding_of("minirocket", [12, 12], [12]) is None
    assert padding_of("minirocket", [5, 7], [6]) == "series filled with zeros to 9 nodes"
    assert padding_of("quant", [12, 12], [14]) == "series filled with zeros to 12 nodes, longer ones cut"
    assert padding_of("dtw", [5, 12], [14]) is None


def test_table_card_and_verdict_name_those_that_ran(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "aeon.classification.interval_based", None)
    recipe = write_recipe(folder, CONTENT, {"peers": ["lstm", "minirocket", "quant"], "seeds": [0]})
    output = " ".join(invoke("compare", recipe, "--output", folder / "out").split())
    assert "best of LSTM and MiniRocket" in output
    assert "Not run, so that nothing is said of them: QUANT: it needs aeon: pip install" in output
    results = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    assert list(results["models"]) == ["chain", "lstm", "minirocket"]
    assert results["not_run"].keys() == {"QUANT"}
    rocket = results["models"]["minirocket"]
    assert rocket["parameters"] is rocket["test_auc_mean"] is None
    assert rocket["training_seconds_mean"] > 0
    card = (folder / "out" / "README.md").read_text("utf-8")
    assert "| MiniRocket | – | – |" in card
    assert "MiniRocket, from aeon, has its authors' settings" in card
    assert not list((folder / "out").rglob("*.pkl"))


def test_a_metric_of_scores_needs_scores(folder):
    runs = runs_of(folder, metric="auc")
    assert run_series_peer("dtw", runs, folder / "runs") == "it gives no scores of labels, which AUC needs"
    assert run_series_peer("quant", runs, folder / "runs").validation > 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "text-classification", "peers": ["minirocket"]}, "no peer 'minirocket' for text-class"),
        ({"peers": "lstm"}, "peers must be a list"),
        ({"peers": ["rocket"]}, "no peer 'rocket' .* choose from no_hops, .*, minirocket, multirocket_hydra"),
    ],
)
def test_peers_that_there_are_not(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(write_recipe(folder, CONTENT, changes))


def test_minirocket_is_a_peer_of_series_by_default(folder):
    assert load_recipe(write_recipe(folder, CONTENT, {})).peers[-1] == "minirocket"
    changes = {"task": "time-series-segmentation"}
    assert "minirocket" not in load_recipe(write_recipe(folder, CONTENT, changes)).peers


def model(title, mean, seconds, parameters=None):
    outcome = Outcome((mean, mean))
    return ModelReport(title, mean, {"accuracy": outcome}, seconds, seconds / 10, parameters=parameters)


def report(**models):
    return Report(LABEL_METRICS[:1], (0, 1), {}, {}, models, [], {}, {})


def test_verdict_takes_the_quickest_of_the_best():
    models = {
        "chain": model("chain head", 0.9, 20, 100),
        "plain": model("tinyBIG's plain chain", 1.0, 1, 100),
        "lstm": model("LSTM", 0.8, 30, 120),
        "minirocket": model("MiniRocket", 0.95, 1.5),
        "quant": model("QUANT", 0.95, 1.2),
    }
    (sentence,) = verdict(report(**models))
    assert sentence == (
        "**The chain head is less accurate than** QUANT, the best of LSTM, MiniRocket and QUANT (-5.0 points). QUANT "
        "trained in 1.2 s and predicted the test part in 0.12 s, the chain head in 20.0 s and 2.0 s."
    )
    (sentence,) = verdict(report(**models, mlp=model("MLP", 1.0, 1, 100)))
    assert (
        "**The chain head is less accurate than** MLP, the best of LSTM, MiniRocket, QUANT and MLP"
        in sentence
    )
    (sentence,) = verdict(report(chain=models["chain"], lstm=models["lstm"]))
    assert sentence.startswith(
        "The chain head is at least as accurate as LSTM (+10.0 points), with 100 weights against 120."
    )
