"""Recipes of whole series with a pretrained encoder: frozen or trained, for labels, several labels and numbers."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import invoke
from encoder_recipes import check_whole_model
from recipe_writing import write_recipe
from transformers import PatchTSTConfig, PatchTSTModel, TimesFmConfig, TimesFmModel, pipeline

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.pretrained.encoder import load_encoder
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs

STEPS = 24
CONTENT = {
    "name": "tiny",
    "task": "time-series-classification",
    "data": {"train": "series.csv", "series": "id", "label": "label", "drop": ["load"], "test_share": 0.25},
    "encoder": {"folder": "patches"},
    "model": {"n": 8, "pooling": "mean", "enable_bias": True},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 8},
    "learning_rates": [0.01],
    "validation_share": 0.25,
    "seeds": [0],
    "threads": 1,
}
# Beside the label of "series.csv": a number, and two labels at once.
TARGETS = {
    "time-series-classification": {},
    "time-series-regression": {"label": "load", "drop": ["label"]},
    "time-series-multilabel-classification": {"train": "labels.csv", "label": ["loud", "fast"], "drop": []},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tiny encoders with random weights, and series of two features that they can tell apart."""
    folder = tmp_path_factory.mktemp("series-encoder")
    torch.manual_seed(0)
    size = {"num_hidden_layers": 1, "num_attention_heads": 2, "init_std": 0.5}
    patches = PatchTSTConfig(
        num_input_channels=2,
        context_length=STEPS,
        patch_length=6,
        patch_stride=6,
        d_model=8,
        ffn_dim=8,
        **size,
    )
    PatchTSTModel(patches).save_pretrained(folder / "patches")
    decoder = TimesFmConfig(
        patch_length=8, hidden_size=8, intermediate_size=8, head_dim=4, num_hidden_layers=1
    )
    decoder.num_attention_heads = 2
    TimesFmModel(decoder).save_pretrained(folder / "decoder")

    rng = np.random.default_rng(0)
    parts = []
    for number in range(16):
        steps = np.arange(STEPS - number % 4)
        slow = number % 2
        wave = np.sin(steps / (1 + 2 * slow)) * 5 + rng.normal(size=len(steps))
        noise = rng.normal(size=len(steps)) * (1 + number // 8)
        parts.append(
            pd.DataFrame(
                {
                    "id": number,
                    "wave": wave,
                    "noise": noise,
                    "label": ("fast", "slow")[slow],
                    "load": number / 3,
                }
            )
        )
    table = pd.concat(parts)
    table.to_csv(folder / "series.csv", index=False)
    several = table.drop(columns=["label", "load"])
    several["loud"], several["fast"] = (table["id"] >= 8).astype(int), (table["label"] == "fast").astype(int)
    several.to_csv(folder / "labels.csv", index=False)
    return folder


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, {**CONTENT, "peers": []}, changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "time-series-segmentation"}, "encoder has no effect for time-series-segmentation"),
        ({"encoder": {"folder": "patches", "max_length": 8}}, "encoder has no 'max_length'"),
        ({"model": {"m": 2}}, "m follows from the encoder"),
        ({"model": {"model_type": "chainhead-random"}}, "no effect on random chain heads"),
        ({"peers": ["minirocket"]}, "no peer 'minirocket' for time-series-classification on an encoder"),
        (
            {"peers": ["random_chains"]},
            "no peer 'random_chains' for time-series-classification on an encoder",
        ),
    ],
)
def test_options_are_checked(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(folder, **changes)


def test_peers_that_read_series_themselves_are_left_out_by_default(folder):
    content = {name: value for name, value in CONTENT.items() if name != "encoder"}
    without = load_recipe(write_recipe(folder, content, {}))
    on_encoder = load_recipe(write_recipe(folder, CONTENT, {}))
    assert {*without.peers} - {*on_encoder.peers} == {"minirocket"}


@pytest.mark.parametrize(
    ("model_type", "options", "message"),
    [
        ("bert", {}, "takes no series"),
        ("wav2vec2", {}, "takes no series"),
        ("informer", {"prediction_length": 4}, "it needs past_time_features"),
    ],
)
def test_models_that_are_no_encoders_of_series(folder, model_type, options, message):
    other = folder / model_type
    other.mkdir(exist_ok=True)
    (other / "config.json").write_text(json.dumps({"model_type": model_type, **options}))
    with pytest.raises(RecipeError, match=f"is no encoder of series: .*{message}"):
        load_encoder(recipe_of(folder, encoder={"folder": model_type}))


def test_series_that_do_not_fit_the_encoder(folder):
    table = pd.read_csv(folder / "series.csv")
    for name, changed, message in (
        ("narrow", table.drop(columns="noise"), "series of 2 features, but the data have 1"),
        (
            "long",
            pd.concat([table, table[table["id"] == 3]]),
            "at most 24 nodes, but the longest has 42: cut them",
        ),
    ):
        changed.to_csv(folder / f"{name}.csv", index=False)
        recipe = recipe_of(folder, data={**CONTENT["data"], "train": f"{name}.csv"})
        with pytest.raises(RecipeError, match=message):
            Runs(recipe, load_data(recipe), folder / f"runs-{name}")


@pytest.mark.parametrize("encoder", ["patches", "decoder"])
def test_nodes_are_those_of_each_series_alone(folder, encoder):
    recipe = recipe_of(folder, encoder={"folder": encoder})
    data = load_data(recipe)
    runs = Runs(recipe, data, folder / f"runs-nodes-{encoder}")
    source = (PatchTSTModel if encoder == "patches" else TimesFmModel).from_pretrained(folder / encoder)
    for series, chain in zip(data.train.inputs, runs.data.train.inputs, strict=True):
        values = torch.from_numpy(series).float().unsqueeze(0)  # [1, length, 2]
        if encoder == "decoder":
            before = -(-len(series) // 8) * 8 - len(series)
            padded = torch.nn.functional.pad(values[0].T, (before, 0))
            padding = (torch.arange(padded.size(1)) < before).float().expand(2, -1)
            filled = torch.where(padding == 1, values[0].mean(0).unsqueeze(1), padded)
            with torch.no_grad():
                nodes = source(
                    past_values=filled,
                    past_values_padding=padding,
                    freq=torch.zeros(2, 1, dtype=torch.long),
                ).last_hidden_state
            expected = torch.cat([*nodes], -1)
        elif len(series) < STEPS:
            continue
        else:
            with torch.no_grad():
                nodes = source(past_values=values).last_hidden_state[0]
            expected = torch.cat([*nodes], -1)
        np.testing.assert_allclose(chain, expected.numpy(), atol=1e-5)
    length, width = max(map(len, runs.data.train.inputs)), 16
    assert runs.backbone.config.chain_length == length
    assert runs.backbone.config.m == runs.inputs.fields["m"] == width


@pytest.mark.parametrize(
    ("task", "frozen"), [*((task, False) for task in TARGETS), ("time-series-regression", True)]
)
def test_every_task_with_frozen_and_trained_weights(folder, task, frozen):
    recipe = recipe_of(
        folder,
        task=task,
        data={**CONTENT["data"], **TARGETS[task]},
        encoder={"folder": "patches", "frozen": frozen},
        peers=["gru"],
    )
    kind = f"{task}-{frozen}"
    measured = measure(recipe, folder / f"runs-{kind}", recipe.peers)
    model = measured.model
    assert model.config.freeze_backbone is frozen
    assert measured.results["models"]["chain"]["parameters"] == model.num_parameters()
    pretrained = PatchTSTModel.from_pretrained(folder / "patches").state_dict()
    same = [
        torch.equal(value, pretrained[name])
        for name, value in model.chainhead.backbone.state_dict().items()
        if value.is_floating_point() and not name.endswith("position_enc")
    ]
    assert all(same) if frozen else not any(same)


def test_the_whole_model_scores_as_the_head_on_nodes(folder):
    check_whole_model(recipe_of(folder), folder / "runs-whole")


def test_commands(folder):
    recipe_of(folder)
    out = folder / "out"
    invoke("train", folder / "recipe.yaml", "--output", out)
    assert str(folder) not in (out / "config.json").read_text("utf-8") + (out / "README.md").read_text(
        "utf-8"
    )
    classify = pipeline("time-series-classification", model=str(out), device="cpu")
    table = pd.read_csv(folder / "series.csv")
    series = [part[["wave", "noise"]].to_numpy() for _, part in table.groupby("id")]
    labels = [answer[0]["label"] for answer in classify(series, top_k=1)]
    predicted = invoke("predict", out, folder / "series.csv", "--json")
    assert [json.loads(line)["predictions"][0]["label"] for line in predicted.splitlines()] == labels
    stated = json.loads((out / "results.json").read_text("utf-8"))["models"]["chain"]["test_accuracy_mean"]
    assert json.loads(invoke("evaluate", out, "--json"))["metrics"]["accuracy"] == pytest.approx(stated)
    evaluated = json.loads(invoke("evaluate", out, "--data", folder / "series.csv", "--json"))
    truth = table.groupby("id")["label"].first()
    assert evaluated["metrics"]["accuracy"] == pytest.approx(
        np.mean([*map(str.__eq__, truth, labels)]), abs=1e-4
    )


def test_a_recipe_that_failed_before_its_first_run_may_be_mended(folder):
    out = folder / "mended"
    recipe_of(folder, model={"channel_hops": [-1, 0]})
    told = invoke("train", folder / "recipe.yaml", "--output", out, code=1)
    assert "set bi_directional=True" in told.replace("\n", " ")
    recipe_of(folder, model={"channel_hops": [-1, 0], "bi_directional": True})
    invoke("train", folder / "recipe.yaml", "--output", out)
    recipe_of(folder)
    told = invoke("train", folder / "recipe.yaml", "--output", out, code=1)
    assert "runs of another version of this recipe" in told.replace("\n", " ")
