"""Recipes of images with a pretrained encoder: frozen or trained, feature maps or nodes of patches."""

import json

import numpy as np
import pytest
import torch
from command_line import invoke
from encoder_recipes import check_whole_model
from PIL import Image
from recipe_writing import write_arrays, write_recipe
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    ConvNextImageProcessor,
    ResNetBackbone,
    ResNetConfig,
    ResNetModel,
    pipeline,
)

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.pretrained.encoder import load_encoder
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs

CONTENT = {
    "name": "leaves",
    "task": "image-classification",
    "data": {"train": "leaves", "test_share": 0.25},
    "encoder": {"folder": "clip"},
    "model": {"n": 4, "scan": "row-major"},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 8},
    "learning_rates": [0.02],
    "validation_share": 0.25,
    "seeds": [0],
    "threads": 1,
}
PATCHES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
PATCHES |= {"image_size": 16, "patch_size": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tiny encoders with random weights, and twelve images of several sizes, dark and light."""
    folder = tmp_path_factory.mktemp("image-encoder")
    torch.manual_seed(0)
    CLIPVisionModel(CLIPVisionConfig(**PATCHES)).save_pretrained(folder / "clip")
    crop = {"height": 16, "width": 16}
    CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=crop).save_pretrained(folder / "clip")
    resnet = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    ResNetModel(resnet).save_pretrained(folder / "resnet")
    ConvNextImageProcessor(size={"shortest_edge": 16}).save_pretrained(folder / "resnet")

    rng = np.random.default_rng(0)
    for number in range(12):
        label = ("dark", "light")[number % 2]
        file = folder / "leaves" / label / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        shape = (*rng.integers(16, 24, 2), 3)
        Image.fromarray((rng.integers(0, 100, shape) + 100 * (number % 2)).astype(np.uint8)).save(file)
    return folder


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, {**CONTENT, "peers": []}, changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretraining": {"share": 0.5, "learning_rate": 0.1}}, "pretraining has no effect with an encoder"),
        ({"data": {**CONTENT["data"], "size": [8, 8]}}, "size has no effect with an encoder"),
        ({"model": {"freeze_backbone": True}}, "freeze_backbone follows from the encoder"),
    ],
)
def test_options_are_checked(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(folder, **changes)


def test_models_that_are_no_encoders_of_images(folder):
    processor = (folder / "clip" / "preprocessor_config.json").read_text("utf-8")
    for model_type, message in (
        ("bert", "there is no image backbone with a BertConfig"),
        ("vit_mae", "there is no image backbone with a ViTMAEConfig"),
    ):
        other = folder / model_type
        other.mkdir()
        (other / "config.json").write_text(json.dumps({"model_type": model_type}))
        (other / "preprocessor_config.json").write_text(processor)
        with pytest.raises(RecipeError, match=f"is no encoder of images with its image processor: {message}"):
            load_encoder(recipe_of(folder, encoder={"folder": model_type}))


def test_a_processor_that_leaves_images_of_several_sizes(folder):
    other = folder / "uncropped"
    CLIPVisionModel(CLIPVisionConfig(**PATCHES)).save_pretrained(other)
    CLIPImageProcessor(size={"shortest_edge": 16}, do_center_crop=False).save_pretrained(other)
    recipe = recipe_of(folder, encoder={"folder": "uncropped"})
    with pytest.raises(RecipeError, match=r"makes images of several sizes, such as 16×.* pixels: crop your"):
        Runs(recipe, load_data(recipe), folder / "runs-uncropped")


def test_nodes_are_those_of_each_image_alone(folder):
    recipe = recipe_of(folder)
    data = load_data(recipe)
    assert data.said[0] == "12 images, in colours, of several sizes; label by folder (dark 6, light 6)"
    runs = Runs(recipe, data, folder / "runs-nodes")
    encoder = CLIPVisionModel.from_pretrained(folder / "clip").eval()
    processor = CLIPImageProcessor.from_pretrained(folder / "clip")
    for image, chain in zip(data.train.inputs, runs.data.train.inputs, strict=True):
        with torch.no_grad():
            nodes = encoder(**processor(Image.fromarray(image), return_tensors="pt")).last_hidden_state[0]
        np.testing.assert_allclose(chain, nodes[1:].numpy(), atol=1e-4)  # without the class
    assert (runs.backbone.config.m, runs.backbone.config.chain_length) == (16, 16)


@pytest.mark.parametrize(("name", "frozen"), [("clip", False), ("resnet", False), ("resnet", True)])
def test_frozen_and_trained_weights(folder, name, frozen):
    recipe = recipe_of(folder, encoder={"folder": name, "frozen": frozen}, peers=["gru"])
    measured = measure(recipe, folder / f"runs-{name}-{frozen}", recipe.peers)
    model = measured.model
    assert model.config.freeze_backbone is frozen
    assert measured.results["models"]["chain"]["parameters"] == model.num_parameters()
    source = {"clip": CLIPVisionModel, "resnet": ResNetBackbone}[name].from_pretrained(folder / name)
    pretrained = source.state_dict()
    same = [torch.equal(value, pretrained[key]) for key, value in model.backbone.named_parameters()]
    assert all(same) if frozen else sum(same) < len(same) / 2


def test_the_whole_model_scores_as_the_head_on_nodes(folder):
    check_whole_model(recipe_of(folder), folder / "runs-whole")


def test_grey_images_are_taken_as_pipelines_take_them(folder):
    grey = np.random.default_rng(0).integers(0, 256, (12, 18, 20)).astype(np.uint8)
    write_arrays(folder / "grey.npz", (grey, np.repeat(["a", "b"], 6)))
    recipe = recipe_of(folder, data={"train": "grey.npz", "test_share": 0.25})
    runs = Runs(recipe, load_data(recipe), folder / "runs-grey")
    image = load_data(recipe).train.inputs[0]
    processor = CLIPImageProcessor.from_pretrained(folder / "clip")
    expected = processor(Image.fromarray(image).convert("RGB"), return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(
        runs.backbone.inputs.batch([image])["pixel_values"], expected, atol=1e-5, rtol=0
    )


def test_commands(folder):
    recipe_of(folder)
    out = folder / "out"
    invoke("train", folder / "recipe.yaml", "--output", out)
    files = sorted((folder / "leaves").glob("*/*.png"))
    classify = pipeline("image-classification", model=str(out), device="cpu")
    labels = [answer[0]["label"] for answer in classify([*map(str, files)], top_k=1)]
    predicted = invoke("predict", out, files[0], "--json")
    assert json.loads(predicted.splitlines()[0])["predictions"][0]["label"] == labels[0]
    stated = json.loads((out / "results.json").read_text("utf-8"))["models"]["chain"]["test_accuracy_mean"]
    assert json.loads(invoke("evaluate", out, "--json"))["metrics"]["accuracy"] == pytest.approx(stated)
    evaluated = json.loads(invoke("evaluate", out, "--data", folder / "leaves", "--json"))
    right = [file.parent.name == label for file, label in zip(files, labels, strict=True)]
    assert evaluated["metrics"]["accuracy"] == pytest.approx(np.mean(right))
