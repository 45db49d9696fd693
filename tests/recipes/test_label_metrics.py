"""Metrics of labels equal those of scikit-learn, and the recipe's metric decides."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import invoke
from recipe_writing import write_recipe
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight

from chainhead_plugin.recipes import RecipeError, load_recipe
from chainhead_plugin.recipes.data.examples import Examples
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.data.node_labels import IGNORED
from chainhead_plugin.recipes.metrics.labels import LABEL_METRICS, confusion, softmax
from chainhead_plugin.recipes.training.fitting.weighting import class_weights, weighted_loss
from chainhead_plugin.recipes.training.runs import Runs

CONTENT = {
    "name": "kinds",
    "task": "time-series-classification",
    "data": {"train": "kinds.csv", "test_share": 0.3, "label": "kind", "series": "id"},
    "model": {"n": 4, "channel_hops": [0, 1], "pooling": "max"},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 16},
    "learning_rates": [0.01],
    "validation_folds": 2,
    "seeds": [0],
    "threads": 1,
    "peers": ["lstm"],
}


def kinds(count=30):
    rng = np.random.default_rng(0)
    return pd.concat(
        pd.DataFrame({"id": f"s{i}", "temp": rng.normal(i % 3, 1, 5), "kind": "aab|"[i % 4]})
        for i in range(count)
    )


@pytest.fixture
def folder(tmp_path):
    kinds().to_csv(tmp_path / "kinds.csv", index=False)
    return tmp_path


def values(logits, labels):
    return {metric.name: metric.of(logits, labels) for metric in LABEL_METRICS}


@pytest.mark.parametrize("count", [2, 4])
def test_they_are_those_of_scikit_learn(count):
    rng = np.random.default_rng(count)
    labels, logits = rng.integers(0, count, 60), rng.normal(size=(60, count)).astype(np.float32)
    named, scores = logits.argmax(1), softmax(logits)
    expected = {
        "accuracy": metrics.accuracy_score(labels, named),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, named),
        "macro_f1": metrics.f1_score(labels, named, average="macro"),
        "log_loss": -np.log(scores[np.arange(60), labels]).mean(),
        "auc": np.mean([metrics.roc_auc_score(labels == label, scores[:, label]) for label in range(count)]),
    }
    assert values(logits, labels) == pytest.approx(expected)
    # Nodes that do not count change nothing.
    of_nodes = np.full((2, 40), IGNORED)
    of_nodes[0, :40], of_nodes[1, :20] = labels[:40], labels[40:]
    padded = np.concatenate([logits, np.full((20, count), -100.0)]).reshape(2, 40, count)
    assert values(padded, of_nodes) == pytest.approx(expected)


def test_a_label_without_examples_has_no_auc():
    found = values(np.eye(3)[[0, 1, 2, 1]], np.array([0, 1, 0, 1]))
    assert math.isnan(found["auc"])
    assert found["balanced_accuracy"] == 0.75
    assert LABEL_METRICS[-1].text(found["auc"]) == "not defined"


def test_confusion_counts_what_was_taken_for_which():
    found = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, IGNORED]), ("a", "b", "c"))
    assert found["counts"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found["labels"][1] == {
        "name": "b",
        "count": 2,
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
    }
    assert found["labels"][2] == {"name": "c", "count": 0, "precision": None, "recall": None, "f1": None}


class TestWeights:
    examples = Examples([np.zeros((2, 1))] * 5, np.array([0, 0, 0, 1, 1]), ("1", "2", "3"))

    def test_balanced_is_that_of_scikit_learn(self):
        labels = self.examples.labels
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)
        np.testing.assert_allclose(class_weights("balanced", self.examples), [*expected, 1])

    def test_numbers_for_labels(self):
        assert class_weights({2: 3}, self.examples).tolist() == [1, 3, 1]
        assert class_weights(None, self.examples) is None
        with pytest.raises(RecipeError, match="names the label '4'; the data have 1, 2, 3"):
            class_weights({"4": 1}, self.examples)

    def test_the_loss_is_weighted_and_divided_by_the_number_of_labels(self, folder):
        recipe = load_recipe(write_recipe(folder, CONTENT, {"class_weight": {"a": 2, "b": 0.5}}))
        loss = weighted_loss(recipe, load_data(recipe).train)
        logits, labels = torch.randn(2, 3, 3), torch.tensor([[1, 2, IGNORED], [0, IGNORED, IGNORED]])
        each = -logits.log_softmax(-1)
        weights = [2, 0.5, 1]  # of a, b and "|"
        expected = each[0, 0, 1] * weights[1] + each[0, 1, 2] * weights[2] + each[1, 0, 0] * weights[0]
        torch.testing.assert_close(loss({"logits": logits}, labels), expected / 3)
        torch.testing.assert_close(loss({"logits": logits}, labels, num_items_in_batch=6), expected / 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "f1"}, "metric must be one of accuracy, balanced_accuracy, macro_f1, log_loss, auc for"),
        ({"class_weight": "even"}, "class_weight must be 'balanced', or a mapping"),
        ({"class_weight": {"a": 0}}, "class_weight of a: .*above 0"),
        (
            {"task": "time-series-forecasting", "class_weight": "balanced", "validation_folds": None}
            | {"validation_share": 0.2},
            "class_weight has no effect for time-series-forecasting",
        ),
    ],
)
def test_what_a_recipe_may_not_say(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(write_recipe(folder, CONTENT, changes))


def test_an_auc_that_is_not_defined_is_said_before_training(folder):
    recipe = load_recipe(write_recipe(folder, CONTENT, {"metric": "auc"}))
    data = load_data(recipe)
    Runs(recipe, data, folder / "runs")
    few = data.train.take(np.flatnonzero(data.train.labels != 2))
    with pytest.raises(RecipeError, match=r"not defined on the test part, .* the label '\|'"):
        Runs(recipe, type(data)(data.train, few), folder / "runs")


def test_results_card_and_table_have_them_all(folder):
    recipe = write_recipe(folder, CONTENT, {"metric": "balanced_accuracy", "class_weight": "balanced"})
    output = invoke("compare", recipe, "--output", folder / "out")
    for title in ("test balanced accuracy in %", "macro F1 in %", "log loss", "AUC", "s to predict"):
        assert title in output
    results = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    for model in results["models"].values():
        assert {f"test_{metric.name}_mean" for metric in LABEL_METRICS} <= model.keys()
    assert "validation_balanced_accuracy_mean" in results["models"]["chain"]
    # 21 of the 30 examples are for training; three labels.
    assert results["label_counts"] == {"a": 11, "b": 5, "|": 5}
    assert results["class_weights"] == {"a": 0.6364, "b": 1.4, "|": 1.4}
    counts = np.array(results["confusion"]["counts"])
    assert counts.sum() == results["examples"]["test"] == 9
    assert counts.trace() / 9 == results["models"]["chain"]["test_accuracy"][0]
    card = (folder / "out" / "README.md").read_text("utf-8")
    assert r"| **\|** |" in card
    assert r"| weights of labels | a 0.6364, b 1.4, \| 1.4 |" in card
    assert "](confusion.png)" in card
    assert (folder / "out" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert load_recipe(folder / "out" / "recipe.yaml").metric == "balanced_accuracy"
