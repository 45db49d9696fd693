"""Recipes with a pretrained text encoder: frozen or trained, found, verified, and saved as one complete model."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import torch
from encoder_recipes import check_whole_model
from recipe_writing import write_recipe
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertModel,
    BertTokenizerFast,
    pipeline,
)
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.pretrained.encoder import load_encoder
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs
from release.publish import publish

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "very", "what"]
CONTENT = {
    "name": "tiny",
    "task": "text-classification",
    "data": {"train": "texts.csv", "test_share": 0.25},
    "encoder": {"folder": "bert"},
    "model": {"n": 16, "bi_directional": True, "pooling": "max", "enable_bias": True},
    "training": {"num_train_epochs": 12, "per_device_train_batch_size": 8},
    "learning_rates": [0.05],
    "validation_folds": 2,
    "seeds": [0, 1],
    "peers": ["gru"],
    "threads": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny encoder with random weights, and texts that it can tell apart."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=12,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder / "bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=12).save_pretrained(folder / "bert")
    texts = ["what a good film", "a bad film", "good", "very bad", "a very good film", "what a very bad film"]
    table = pd.DataFrame({"text": texts * 4, "label": ["positive", "negative"] * 12})
    table.to_csv(folder / "texts.csv", index=False)
    return folder


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, CONTENT, changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "time-series-segmentation"}, "encoder has no effect for time-series"),
        ({"tokenizer": {"vocab_size": 9}}, "tokenizer has no effect with an encoder"),
        ({"encoder": {"folder": "bert", "freeze": True}}, "encoder has no 'freeze'"),
        ({"encoder": {"frozen": True}}, "single text, as folder, package, repository"),
        ({"encoder": {"folder": "bert", "package": "x"}}, "encoder must name its place by a single text"),
        ({"encoder": {"folder": "bert", "revision": "v1"}}, "revision has no effect"),
        ({"encoder": {"folder": "bert", "sha256": "00"}}, "sha256 must hold a hash for every file"),
        ({"encoder": {"folder": "bert", "frozen": "no"}}, "encoder: frozen must be True or False"),
        (
            {"encoder": {"folder": "bert", "max_length": 0}},
            "encoder: max_length must be a whole number of at least 1",
        ),
        ({"model": {"m": 16}}, "m follows from the encoder"),
    ],
)
def test_options_are_checked(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(folder, **changes)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ({"folder": "nothing"}, "is no checkpoint"),
        ({"folder": "bert", "max_length": 13}, "takes 12 tokens at most"),
        ({"folder": "bert", "sha256": {"model.safetensors": "00"}}, "but the recipe states 00"),
        ({"folder": "bert", "sha256": {"other.json": "00"}}, "for which the recipe states a hash"),
        ({"package": "no-such-encoder"}, "pip install --no-deps no-such-encoder"),
        ({"package": "pyyaml"}, "0 folders with config.json"),
    ],
)
def test_an_encoder_that_is_not_there_or_another_one(folder, encoder, message):
    with pytest.raises(RecipeError, match=message):
        load_encoder(recipe_of(folder, encoder=encoder))


def test_an_encoder_without_text(folder):
    other = folder / "other"
    other.mkdir(exist_ok=True)
    (other / "config.json").write_text(json.dumps({"model_type": "resnet"}))
    with pytest.raises(RecipeError, match="is no text encoder with its tokenizer"):
        load_encoder(recipe_of(folder, encoder={"folder": "other"}))


def test_hashes_and_an_installed_package(folder, monkeypatch):
    site = folder / "site"
    installed = site / "tiny_encoder" / "model"
    installed.mkdir(parents=True, exist_ok=True)
    information = site / "tiny_encoder-1.0.dist-info"
    information.mkdir(exist_ok=True)
    names = [file.name for file in (folder / "bert").iterdir()]
    for name in names:
        (installed / name).write_bytes((folder / "bert" / name).read_bytes())
    (site / "tiny_encoder" / "__init__.py").write_text("raise RuntimeError('code of the package has run')")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-encoder\nVersion: 1.0\n")
    (information / "RECORD").write_text(
        "\n".join(f"tiny_encoder/model/{name},," for name in names) + "\ntiny_encoder/__init__.py,,\n"
    )
    monkeypatch.syspath_prepend(str(site))
    digest = hashlib.sha256((installed / "model.safetensors").read_bytes()).hexdigest()
    options = {"package": "tiny-encoder", "sha256": {"model.safetensors": digest}}
    assert load_encoder(recipe_of(folder, encoder=options)).folder == installed


def test_nodes_are_the_hidden_states_of_each_text_alone(folder):
    recipe = recipe_of(folder)
    data, encoder = load_data(recipe), load_encoder(recipe)
    nodes = Runs(recipe, data, folder / "runs-nodes").data.train.inputs
    bert = BertModel.from_pretrained(folder / "bert").eval()
    for text, chain in zip(data.train.inputs, nodes, strict=True):
        with torch.no_grad():
            alone = bert(**encoder.preprocessor(text, return_tensors="pt")).last_hidden_state[0]
        np.testing.assert_allclose(chain, alone.numpy(), atol=1e-5)


def test_texts_are_cut(folder):
    recipe = recipe_of(folder, encoder={"folder": "bert", "max_length": 4})
    runs = Runs(recipe, load_data(recipe), folder / "runs-cut")
    assert max(map(len, runs.data.train.inputs)) == runs.inputs.fields["chain_length"] == 4
    assert runs.backbone.inputs.preprocessor.model_max_length == 4


def test_frozen(folder):
    recipe = recipe_of(folder)
    measured = measure(recipe, folder / "runs-frozen", recipe.peers)
    for name, result in measured.results["models"].items():
        assert result["test_accuracy_mean"] == 1, name
    pretrained = BertModel.from_pretrained(folder / "bert").state_dict()
    for name, value in measured.model.chainhead.backbone.state_dict().items():
        assert torch.equal(value, pretrained[name])
    assert measured.results["models"]["chain"]["parameters"] == measured.model.num_parameters()


def test_publishing_leaves_the_model_out(folder, tmp_path):
    recipe = recipe_of(folder, training={**CONTENT["training"], "num_train_epochs": 1})
    publish(recipe, measure(recipe, folder / "runs-published", []), tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"model_cards"}
    card = (tmp_path / "model_cards" / "tiny.md").read_text("utf-8")
    assert "does not ship" in card
    assert "chainhead train tiny" in card


def test_trained_from_the_pretrained_weights_on(folder):
    training = {"num_train_epochs": 1, "per_device_train_batch_size": 8}
    recipe = recipe_of(
        folder,
        encoder={"folder": "bert", "frozen": False},
        learning_rates=[1e-6],
        training=training,
        validation_folds=None,
        validation_share=0.3,
    )
    measured = measure(recipe, folder / "runs-trained", recipe.peers)
    assert measured.results["models"]["chain"]["parameters"] == measured.model.num_parameters()
    assert all(p.requires_grad for p in measured.model.chainhead.backbone.parameters())
    pretrained = BertModel.from_pretrained(folder / "bert").state_dict()
    (kept,) = (folder / "runs-trained").glob("gru-1e-06-split-0-*")
    peer = load_file(kept / "weights.safetensors")
    for name, value in measured.model.chainhead.backbone.state_dict().items():
        for trained in (value, peer[f"backbone.{name}"]):
            torch.testing.assert_close(trained, pretrained[name], atol=1e-4, rtol=0)
            assert not trained.is_floating_point() or not torch.equal(trained, pretrained[name]), name


def test_whole_model_scores_as_the_head_on_nodes(folder):
    check_whole_model(recipe_of(folder), folder / "runs-whole")


def test_runs_of_another_encoder(folder):
    recipe = recipe_of(folder, training={**CONTENT["training"], "num_train_epochs": 1})
    Runs(recipe, load_data(recipe), folder / "runs-other").final("chain", 0.05, 0)
    file = folder / "bert" / "model.safetensors"
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(RecipeError, match="another version of this recipe"):
            Runs(recipe, load_data(recipe), folder / "runs-other")
    finally:
        file.write_bytes(content)


def test_commands(folder, monkeypatch):
    recipe_of(folder, peers=[])
    out = folder / "out"
    trained = CliRunner().invoke(app, ["train", str(folder / "recipe.yaml"), "--output", str(out)])
    assert trained.exit_code == 0, trained.output
    config = (out / "config.json").read_text("utf-8")
    assert json.loads(config)["freeze_backbone"] is True
    assert str(folder) not in config + (out / "recipe.yaml").read_text("utf-8")
    card = (out / "README.md").read_text("utf-8")
    assert "| encoder |" in card
    model = AutoModelForSequenceClassification.from_pretrained(out)
    assert not any(p.requires_grad for p in model.chainhead.backbone.parameters())
    classify = pipeline("text-classification", model=str(out), device="cpu")
    assert [answer["label"] for answer in classify(["a good film", "very bad"])] == ["positive", "negative"]
    predicted = CliRunner().invoke(app, ["predict", str(out), "-"], input="a good film\nvery bad\n")
    assert predicted.exit_code == 0, predicted.output
    assert predicted.output.index("positive") < predicted.output.index("negative")
    evaluated = CliRunner().invoke(app, ["evaluate", str(out)])
    assert "out: accuracy 100.00%, " in evaluated.output
    assert " on 6 test examples; stated: 100.00%, " in evaluated.output
