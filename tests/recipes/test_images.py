"""Recipes for images: patches, backbones trained with the head or before it, and Fashion-MNIST's files."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from recipe_writing import write_arrays, write_recipe
from transformers import AutoModelForImageClassification, pipeline
from typer.testing import CliRunner

import registry
from chainhead_plugin.cli import app
from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.candidates.peers import candidates
from chainhead_plugin.recipes.data import fashion_mnist
from chainhead_plugin.recipes.data.fashion_mnist import FOLDER_VARIABLE, read_fashion_mnist
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.data.splits import split
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.tasks.known import TASKS
from chainhead_plugin.recipes.training.fitting.predicting import quality
from chainhead_plugin.recipes.training.fitting.pretraining import freeze_trained_backbone
from chainhead_plugin.recipes.training.measuring import measure, planned_epochs
from chainhead_plugin.recipes.training.runs import Runs

RESNET = {
    "model_type": "resnet",
    "num_channels": 1,
    "embedding_size": 8,
    "hidden_sizes": [8],
    "depths": [1],
    "layer_type": "basic",
}
FROZEN = {
    "pooling": "flatten",
    "n": 6,
    "channel_hops": [0, 1],
    "enable_bias": True,
    "backbone_config": RESNET,
    "freeze_backbone": True,
}
CONTENT = {
    "name": "sides",
    "task": "image-classification",
    "data": {"train": "train.npz", "test": "test.npz"},
    "model": FROZEN,
    "pretraining": {
        "share": 0.5,
        "learning_rate": 0.02,
        "num_train_epochs": 3,
        "per_device_train_batch_size": 16,
    },
    "training": {"num_train_epochs": 3, "per_device_train_batch_size": 16},
    "learning_rates": [0.02],
    "validation_folds": 2,
    "seeds": [0, 1],
    "threads": 1,
}


def images(count, seed):
    """Grey images, brighter on the left or on the right."""
    rng = np.random.default_rng(seed)
    y = np.array(["left", "right"])[np.arange(count) % 2]
    x = rng.integers(0, 100, (count, 12, 16)).astype(np.uint8)
    x[y == "left", :, :8] += 120
    x[y == "right", :, 8:] += 120
    return x, y


@pytest.fixture
def folder(tmp_path):
    write_arrays(tmp_path / "train.npz", images(64, 0))
    write_arrays(tmp_path / "test.npz", images(20, 1))
    return tmp_path


def accuracy(model, inputs, examples):
    return quality(model, inputs, examples, TASKS["image-classification"])["accuracy"]


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, CONTENT, changes))


class TestChecks:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"pretraining": None}, "freeze_backbone keeps the backbone's random weights"),
            ({"model": {"n": 6}}, "pretraining has no effect"),
            ({"model": {**FROZEN, "freeze_backbone": False}}, "pretraining has no effect"),
            ({"pretraining": {"share": 0.5}}, "needs learning_rate"),
            ({"pretraining": {"share": 2.0, "learning_rate": 0.1}}, "share must be between 0 and 1"),
            ({"pretraining": {"share": 0.5, "learning_rate": 0.1, "seed": -1}}, "seed must be"),
            ({"pretraining": {"share": 0.5, "learning_rate": "1e-3"}}, "is a text in YAML"),
        ],
    )
    def test_recipe(self, folder, changes, message):
        with pytest.raises(RecipeError, match=message):
            recipe_of(folder, **changes)

    @pytest.mark.parametrize(
        ("backbone", "message"),
        [
            ({"model_type": "resnet"}, "takes no images of 1×12×16"),
            ({"model_type": "timm_backbone", "backbone": "no_such"}, "no architecture of timm"),
            ({"model_type": "bert"}, "no image backbone"),
            ({"model_type": "unheard"}, "does not know"),
        ],
    )
    def test_backbone(self, folder, backbone, message):
        recipe = recipe_of(folder, model={"n": 6, "backbone_config": backbone}, pretraining=None)
        with pytest.raises(RecipeError, match=message):
            prepare(recipe, load_data(recipe).train)

    def test_arguments_of_pretraining(self, folder):
        with pytest.raises(RecipeError, match=r"pretraining: .*num_epochs, did you mean num_train_epochs"):
            recipe_of(folder, pretraining={"share": 0.5, "learning_rate": 0.1, "num_epochs": 3})


@pytest.mark.parametrize(
    "model",
    [
        {"n": 6, "bi_directional": True, "patch_size": 4, "pooling": "flatten"},
        {"n": 6, "bi_directional": True, "backbone_config": RESNET},
        {
            "n": 6,
            "backbone_config": {
                "model_type": "timm_backbone",
                "backbone": "test_byobnet",
                "num_channels": 1,
                "out_indices": [1],
            },
        },
    ],
    ids=["patches", "transformers", "timm"],
)
def test_peers_read_the_nodes_of_the_model(folder, model):
    recipe = recipe_of(folder, model=model, pretraining=None)
    data = load_data(recipe)
    inputs = prepare(recipe, data.train)
    batch = inputs.batch(data.train.inputs[:3])
    for name, candidate in candidates(recipe, inputs, data.train.names, list(recipe.task.peers)).items():
        peer = candidate.build()
        loss = peer(**batch, labels=torch.tensor([0, 1, 0]))["loss"]
        loss.backward()
        unused = [key for key, weight in peer.named_parameters() if weight.grad is None]
        assert not unused, name


class TestTrainableBackbone:
    def test_is_trained_with_head_and_peers(self, folder):
        recipe = recipe_of(
            folder, model={k: v for k, v in FROZEN.items() if k != "freeze_backbone"}, pretraining=None
        )
        measured = measure(recipe, folder / "runs", ["no_hops", "gru"])
        models = measured.results["models"]
        assert models["chain"]["test_accuracy"][0] == accuracy(
            measured.model, measured.inputs, measured.data.test
        )
        assert models["chain"]["parameters"] == measured.model.num_parameters()
        assert models["gru"]["parameters"] >= models["chain"]["parameters"]
        assert "backbone" not in measured.results


class TestFrozenBackbone:
    def test_from_recipe_to_pipeline(self, folder):
        file = folder / "recipe.yaml"
        recipe = recipe_of(folder, peers=["conv1d"])
        out = folder / "out"
        result = CliRunner().invoke(app, ["compare", str(file), "--output", str(out)])
        assert result.exit_code == 0, result.output
        card = (out / "README.md").read_text("utf-8")
        assert "trained on 50 % of the training part" in card
        registry.load_plugins()
        model = AutoModelForImageClassification.from_pretrained(out)
        assert not any(weight.requires_grad for weight in model.backbone.parameters())
        assert f"{model.num_parameters():,} weights" in card
        test = load_data(recipe).test
        classify = pipeline("image-classification", model=str(out), device="cpu")
        named = [one[0]["label"] for one in classify([Image.fromarray(x) for x in test.inputs], top_k=1)]
        share = np.mean([name == test.names[label] for name, label in zip(named, test.labels, strict=True)])
        evaluated = CliRunner().invoke(app, ["evaluate", str(out)])
        assert f"accuracy {share:.2%}, balanced accuracy" in evaluated.output
        assert f"on 20 test examples; stated: {share:.2%}" in evaluated.output
        assert share > 0.8

    def test_is_trained_once_and_reads_only_its_share(self, folder):
        recipe = recipe_of(folder)
        data = load_data(recipe)
        counted = []
        found = freeze_trained_backbone(recipe, data, folder / "backbone", counted.append)
        assert counted == [1, 1, 1]
        rest, own = split(data.train, 0.5, 0)
        assert found.data.train.labels.tolist() == rest.labels.tolist()
        assert len(own.labels) == len(rest.labels) == 32
        counted.clear()
        again = freeze_trained_backbone(recipe, data, folder / "backbone", counted.append)
        assert sum(counted) == 3
        np.testing.assert_array_equal(again.data.test.inputs, found.data.test.inputs)
        assert planned_epochs(recipe, []) == 3 + 3 * (2 + 2)

    def test_whole_model_gives_what_its_head_gave(self, folder):
        recipe = recipe_of(folder, model={**FROZEN, "scan": "row-major", "hidden_sizes": [6, 6], "n": 6})
        data = load_data(recipe)
        runs = Runs(recipe, data, folder / "runs")
        run = runs.final("chain", 0.02, 0)
        head, nodes = run.model(), run.trial.fold.inputs
        whole, pixels = runs.released(run)
        with torch.no_grad():
            torch.testing.assert_close(
                whole(**pixels.batch(data.test.inputs)).logits,
                head(**nodes.batch(runs.data.test.inputs)).logits,
            )
        assert runs.test(run).values["accuracy"] == accuracy(whole, pixels, data.test)
        assert whole.config.scan == "row-major"

    def test_runs_of_another_pretraining(self, folder):
        recipe = recipe_of(folder)
        Runs(recipe, load_data(recipe), folder / "runs")
        other = recipe_of(folder, pretraining={**CONTENT["pretraining"], "share": 0.25})
        with pytest.raises(RecipeError, match="another version of this recipe"):
            Runs(other, load_data(other), folder / "runs")


class TestFashionMnist:
    @pytest.fixture
    def files(self, tmp_path, monkeypatch):
        """The four files, each part of two images."""
        monkeypatch.setattr(fashion_mnist, "_PARTS", {"train": 2, "t10k": 2})
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
        sizes = [bytes([0, 0, 0, size]) for size in (2, 28, 28)]
        for part in ("train", "t10k"):
            pixels = np.arange(2 * 28 * 28, dtype=np.uint64).astype(np.uint8).tobytes()
            with gzip.open(tmp_path / f"{part}-images-idx3-ubyte.gz", "wb") as stream:
                stream.write(bytes([0, 0, 8, 3]) + b"".join(sizes) + pixels)
            with gzip.open(tmp_path / f"{part}-labels-idx1-ubyte.gz", "wb") as stream:
                stream.write(bytes([0, 0, 8, 1]) + sizes[0] + bytes([3, 9]))
        return tmp_path

    def test_reads(self, files):
        (pixels, labels), _ = read_fashion_mnist()
        assert pixels.shape == (2, 28, 28)
        assert pixels[1, 0, :3].tolist() == [16, 17, 18]  # 784 = 3·256 + 16
        assert labels.tolist() == [3, 9]
        assert pixels.flags.writeable

    def test_missing_file_says_what_to_install(self, files):
        (files / "t10k-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(RecipeError, match=r"no .*t10k-labels.*apt-get install .*CHAINHEAD_FASHION_MNIST"):
            read_fashion_mnist()

    @pytest.mark.parametrize(
        "damage", [lambda c: c[:-40], lambda _: gzip.compress(b"no array"), lambda _: b"no gzip"]
    )
    def test_damaged_file_is_named(self, files, damage):
        file = files / "train-images-idx3-ubyte.gz"
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(RecipeError, match=r"train-images-idx3-ubyte.gz (cannot be read|holds no array)"):
            read_fashion_mnist()

    def test_debian_folder_is_the_default(self, monkeypatch):
        monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
        monkeypatch.setattr(fashion_mnist, "_DEBIAN", Path("/nowhere"))
        with pytest.raises(RecipeError, match="there is no /nowhere/train-images"):
            read_fashion_mnist()
