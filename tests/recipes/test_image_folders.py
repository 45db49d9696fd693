"""Recipes of images that lie in folders, a folder for each label."""

import numpy as np
import pytest
from PIL import Image
from recipe_writing import write_arrays, write_recipe

from chainhead_plugin.recipes.candidates.inputs.preparing import prepare
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe

CONTENT = {
    "name": "leaves",
    "task": "image-classification",
    "data": {"train": "leaves", "test_share": 0.25},
    "model": {"n": 4},
    "training": {"num_train_epochs": 1},
    "validation_folds": 2,
}


@pytest.fixture
def folder(tmp_path):
    """Eight grey images of 6×5 pixels, in two folders."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 5)).astype(np.uint8)
    for number, image in enumerate(pixels):
        file = tmp_path / "leaves" / ("beech", "willow")[number // 4] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    write_arrays(tmp_path / "leaves.npz", (pixels, np.repeat(["beech", "willow"], 4)))
    return tmp_path


def data_of(folder, **changes):
    recipe = load_recipe(write_recipe(folder, CONTENT, {"data": CONTENT["data"] | changes}))
    return recipe, load_data(recipe)


@pytest.mark.parametrize(
    "locations", ["leaves", "leaves/*/*.png", ["leaves/beech", "leaves/willow"], ["leaves/*/?.png"]]
)
def test_folders_hold_what_an_array_holds(folder, locations):
    _, found = data_of(folder, train=locations)
    _, expected = data_of(folder, train="leaves.npz")
    for part, same in ((found.train, expected.train), (found.test, expected.test)):
        assert part.names == same.names == ("beech", "willow")
        assert part.labels.tolist() == same.labels.tolist()
        assert np.array_equal(part.inputs, same.inputs)
    assert found.said[0] == "8 images, grey, 6×5 pixels; label by folder (beech 4, willow 4)"


def test_what_is_no_image_is_said(folder):
    (folder / "leaves" / "beech" / "notes.txt").write_text("two of them are old", "utf-8")
    assert data_of(folder)[1].said[0].endswith("; left out beech/notes.txt")


def test_another_folder_tests(folder):
    (folder / "leaves").rename(folder / "old")
    for kind in ("beech", "willow"):
        (folder / "new" / kind).mkdir(parents=True)
        Image.new("RGB", (5, 6), "white").save(folder / "new" / kind / "1.jpg")
    recipe = load_recipe(write_recipe(folder, CONTENT, {"data": {"train": "old", "test": "new"}}))
    found = load_data(recipe)
    assert len(found.train.labels) == 8
    # Colours become grey, as the images to train on are.
    assert [image.shape for image in found.test.inputs] == [(6, 5), (6, 5)]


def test_an_image_with_colours_makes_all_of_them_colours(folder):
    Image.new("RGB", (5, 6), "green").save(folder / "leaves" / "beech" / "9.webp")
    recipe, found = data_of(folder)
    assert {image.shape for image in found.train.inputs} == {(6, 5, 3)}
    assert prepare(recipe, found.train).fields["num_channels"] == 3


def test_images_are_turned_upright(folder):
    image = Image.new("L", (6, 5))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was held on its side
    image.save(folder / "leaves" / "beech" / "9.jpg", exif=exif)
    assert "6×5 pixels" in data_of(folder)[1].said[0]


def test_sizes(folder):
    Image.new("L", (9, 7)).save(folder / "leaves" / "willow" / "9.png")
    with pytest.raises(
        RecipeError, match=r"willow/9.png has 7×9 pixels, but beech/0.png has 6×5: state .* size"
    ):
        data_of(folder)
    recipe, found = data_of(folder, size=[4, 3])
    assert "resized to 4×3 pixels" in found.said[0]
    inputs = prepare(recipe, found.train)
    assert inputs.batch(found.train.inputs)["pixel_values"].shape[1:] == (1, 4, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": "trees"}, "there is no file or folder trees in"),
        ({"train": "leaves/*/*.jpg"}, "no image in leaves"),
        ({"train": "leaves/beech"}, "have the label 'beech', expected at least two labels"),
        ({"group": "tree"}, "group has no effect on folders of images"),
        ({"size": [4]}, "size must be height and width"),
        ({"size": [4, 0]}, "size must be"),
    ],
)
def test_mistakes(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        data_of(folder, **changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no image", "beech/9.png is no image"), (None, "beech/9.png has more than 8 bits a pixel")],
)
def test_files_that_cannot_be_read(folder, content, message):
    file = folder / "leaves" / "beech" / "9.png"
    if content is None:
        Image.fromarray(np.full((6, 5), 40_000, np.uint16)).save(file)
    else:
        file.write_bytes(content)
    with pytest.raises(RecipeError, match=message):
        data_of(folder)
