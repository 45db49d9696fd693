"""Recipes that predict a number, or several labels at once, for every series."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from recipe_writing import write_recipe
from sklearn import metrics
from transformers import AutoModelForSequenceClassification

from chainhead_plugin.recipes import RecipeError, load_recipe
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.metrics.multilabel import MULTILABEL_METRICS, by_label
from chainhead_plugin.recipes.metrics.numbers import NUMBER_METRICS
from chainhead_plugin.recipes.training.fitting.target_scale import TargetScale, target_scale

CONTENT = {
    "name": "quality",
    "task": "time-series-regression",
    "data": {"train": "all.csv", "test_share": 0.3, "label": "quality", "series": "id"},
    "model": {"n": 8, "channel_hops": [0, 1], "pooling": "mean", "enable_bias": True},
    "training": {"num_train_epochs": 15, "per_device_train_batch_size": 8},
    "learning_rates": [0.03],
    "validation_folds": 2,
    "seeds": [0],
    "threads": 1,
    "peers": ["lstm", "minirocket"],
    "card": {"unit": "points"},
}
ACTS = {
    "task": "time-series-multilabel-classification",
    "data": {"train": "all.csv", "test_share": 0.3, "label": ["walk", "talk"], "series": "id"},
    "training": {"num_train_epochs": 2},
    "peers": ["lstm", "mlp"],
}


@pytest.fixture
def folder(tmp_path):
    rng, rows = np.random.default_rng(0), []
    for number in range(40):
        nodes = rng.normal(size=(10, 2))
        mean = nodes[:, 0].mean()
        rows.append(
            pd.DataFrame(nodes, columns=["temp", "hum"]).assign(
                id=f"s{number}", quality=round(10_000 + 3000 * mean, 2), walk=int(mean > 0), talk="yes"
            )
        )
        if nodes[:, 1].max() < 1.5:
            rows[-1]["talk"] = "no"
    pd.concat(rows).to_csv(tmp_path / "all.csv", index=False)
    return tmp_path


def recipe_of(folder, **changes):
    drop = {"walk", "talk", "quality"} - set(np.ravel((CONTENT | changes)["data"]["label"]).tolist())
    data = {**(CONTENT | changes)["data"], "drop": sorted(drop)}
    return write_recipe(folder, CONTENT, changes | {"data": data})


def test_a_number_in_its_own_unit(folder):
    recipe = recipe_of(folder)
    output = invoke("compare", recipe, "--output", folder / "out")
    assert "RMSE in points" in output
    assert "the best of LSTM and MiniRocket" in " ".join(output.split())
    results = json.loads((folder / "out" / "results.json").read_text("utf-8"))["models"]
    assert results["chain"]["test_r2_mean"] > 0.8
    config = AutoModelForSequenceClassification.from_pretrained(folder / "out").config
    assert (config.problem_type, config.id2label) == ("regression", {0: "quality"})

    table = pd.read_csv(folder / "all.csv").drop(columns=["walk", "talk"])
    table.drop(columns="quality").to_csv(folder / "new.csv", index=False)
    lines = invoke("predict", folder / "out", folder / "new.csv", "--json").splitlines()
    found = {line["id"]: line["predictions"][0] for line in map(json.loads, lines)}
    assert {one["label"] for one in found.values()} == {"quality"}
    true = table.groupby("id")["quality"].first()
    error = np.mean([abs(found[name]["score"] - value) for name, value in true.items()])
    assert error < 0.5 * true.std()
    assert "RMSE" in invoke("evaluate", folder / "out")


def test_several_labels_at_once(folder):
    output = invoke("compare", recipe_of(folder, **ACTS), "--output", folder / "out")
    for title in ("macro F1 in %", "micro F1 in %", "subset accuracy in %", "AUC"):
        assert title in output
    results = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    assert [label["name"] for label in results["by_label"]] == ["walk", "talk"]
    assert results["label_counts"].keys() == {"walk", "talk"}
    assert "| walk |" in (folder / "out" / "README.md").read_text("utf-8")
    config = AutoModelForSequenceClassification.from_pretrained(folder / "out").config
    assert config.problem_type == "multi_label_classification"
    assert "subset accuracy" in invoke("evaluate", folder / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {**CONTENT["data"], "label": ["quality", "walk"]}}, "expected a single column of numbers"),
        ({"data": {**CONTENT["data"], "label": "talk"}}, "holds '(yes|no)', expected a number"),
        ({"data": {**CONTENT["data"], "label": "weight"}}, "no column weight"),
        (ACTS | {"data": {**CONTENT["data"], "label": "walk"}}, "expected several columns"),
        (ACTS | {"data": {**CONTENT["data"], "label": ["walk", "quality"]}}, "expected 1 or 0, for whether"),
        ({"class_weight": "balanced"}, "class_weight has no effect for time-series-regression"),
        (ACTS | {"peers": ["minirocket"]}, "no peer 'minirocket' for time-series-multilabel"),
        ({"data": "gunpoint"}, "no data set 'gunpoint' for time-series-regression"),
    ],
)
def test_what_makes_no_sense(folder, changes, message):
    is_named = isinstance(changes.get("data"), str)
    file = write_recipe(folder, CONTENT, changes) if is_named else recipe_of(folder, **changes)
    with pytest.raises(RecipeError, match=message):
        load_data(load_recipe(file))


def test_metrics_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=30), rng.normal(size=(30, 1))
    found = {metric.name: metric.of(predicted, true) for metric in NUMBER_METRICS}
    assert found == pytest.approx(
        {
            "rmse": np.sqrt(np.mean((predicted[:, 0] - true) ** 2)),
            "mae": np.mean(np.abs(predicted[:, 0] - true)),
            "r2": metrics.r2_score(true, predicted),
        }
    )
    assert np.isnan(NUMBER_METRICS[2].of(predicted, np.ones(30)))

    true, logits = rng.integers(0, 2, (30, 3)), rng.normal(size=(30, 3))
    found = {metric.name: metric.of(logits, true) for metric in MULTILABEL_METRICS}
    assert found == pytest.approx(
        {
            "macro_f1": np.mean([metrics.f1_score(true[:, i], logits[:, i] > 0) for i in range(3)]),
            "micro_f1": metrics.f1_score(true.ravel(), logits.ravel() > 0),
            "subset_accuracy": (true == (logits > 0)).all(1).mean(),
            "auc": metrics.roc_auc_score(true, logits),
        }
    )
    true[:, 1] = 0
    assert np.isnan(MULTILABEL_METRICS[3].of(logits, true))
    records = by_label(logits, true, ("a", "b", "c"))
    assert records[1]["recall"] is records[1]["auc"] is None
    assert records[0]["auc"] == pytest.approx(metrics.roc_auc_score(true[:, 0], logits[:, 0]))


def test_a_scale_is_folded_into_the_last_layer():
    import torch
    from torch import nn

    layer, x = nn.Linear(4, 1), torch.randn(5, 4)
    scale = TargetScale(1e4, 300.0)
    before = layer(x).detach().numpy()
    scale.fold_into(layer)
    np.testing.assert_allclose(layer(x).detach().numpy(), scale.restored(before), rtol=1e-6)
    np.testing.assert_allclose(scale.scaled(scale.restored(before)), before, atol=1e-5)
    constant = type("Constant", (), {"labels": np.full(3, 7.0)})
    assert target_scale(constant) == TargetScale(7.0, 1.0)
