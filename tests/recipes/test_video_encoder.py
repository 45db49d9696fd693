"""Recipes of videos, on a pretrained encoder: frozen or trained, with the frames that transformers' pipeline takes."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import invoke
from encoder_recipes import check_whole_model
from recipe_writing import write_recipe
from transformers import (
    TimesformerConfig,
    TimesformerModel,
    VideoMAEConfig,
    VideoMAEImageProcessor,
    VideoMAEModel,
    ViTImageProcessor,
    VJEPA2Config,
    VJEPA2VideoProcessor,
)
from videos import coloured_frames, write_video

from chainhead_plugin.app.answer import answer
from chainhead_plugin.app.given import from_files
from chainhead_plugin.app.opened import OpenModels
from chainhead_plugin.inputs.video_files import Frames, read_clip
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.media_folders import check_no_media
from chainhead_plugin.recipes.pretrained.encoder import load_encoder
from chainhead_plugin.recipes.recipe import RecipeError
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs

pytest.importorskip("av")

RATE = 2
CONTENT = {
    "name": "scenes",
    "task": "video-classification",
    "data": {"train": "scenes", "test_share": 0.25, "frame_sampling_rate": RATE},
    "encoder": {"folder": "mae"},
    "model": {"n": 4, "channel_hops": [0, 1]},
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 8},
    "learning_rates": [0.02],
    "validation_share": 0.25,
    "seeds": [0],
    "threads": 1,
}
SMALL = {"image_size": 16, "patch_size": 8, "num_frames": 4, "hidden_size": 8, "intermediate_size": 8}
SMALL |= {"num_hidden_layers": 1, "num_attention_heads": 2, "initializer_range": 0.5}
ENCODERS = {
    "mae": (VideoMAEModel, VideoMAEConfig(**SMALL)),
    "timesformer": (TimesformerModel, TimesformerConfig(**SMALL)),
}
SIZES = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tiny encoders with random weights, and twelve videos of two sizes, dark and light, in all containers."""
    folder = tmp_path_factory.mktemp("video-encoder")
    torch.manual_seed(0)
    for name, (model_class, config) in ENCODERS.items():
        model_class(config).save_pretrained(folder / name)
        VideoMAEImageProcessor(**SIZES).save_pretrained(folder / name)
    rng, rows = np.random.default_rng(0), []
    for number in range(12):
        label = ("dark", "light")[number % 2]
        ending = (".avi", ".mkv", ".mp4", ".mov", ".webm", ".MP4")[number // 2]
        codec = "ffv1" if number < 4 else "libvpx" if ending == ".webm" else "mpeg4"
        path = f"scenes/{label}/{number}{ending}"
        frames = coloured_frames(rng, 8 + number, (24, 32) if number < 6 else (32, 24), 100)
        write_video(folder / path, frames + 100 * np.uint8(number % 2), codec)
        rows.append({"path": path, "label": label, "place": number // 4})
    pd.DataFrame(rows).to_csv(folder / "scenes.csv", index=False)
    return folder


def recipe_of(folder, **changes):
    return load_recipe(write_recipe(folder, {**CONTENT, "peers": []}, changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": None}, "video-classification needs an encoder"),
        ({"data": "digits"}, "there is no data set 'digits' for video-classification"),
        ({"data": {**CONTENT["data"], "frame_sampling_rate": 0}}, "frame_sampling_rate must be"),
        ({"data": {**CONTENT["data"], "size": [8, 8]}}, "data has no 'size' for video-classification"),
        ({"data": {**CONTENT["data"], "group": "place"}}, "place names a column, but a folder of videos has"),
        ({"model": {"backbone_config": {}}}, "backbone_config follows from the encoder"),
    ],
)
def test_options_are_checked(folder, changes, message):
    with pytest.raises(RecipeError, match=message):
        load_data(recipe_of(folder, **changes))


def test_models_that_are_no_encoders_of_videos(folder):
    VJEPA2Config().save_pretrained(folder / "jepa")
    VJEPA2VideoProcessor(**SIZES).save_pretrained(folder / "jepa")
    (folder / "vit").mkdir()
    (folder / "vit" / "config.json").write_text(json.dumps({"model_type": "vit"}))
    for name, message in (
        ("jepa", "it has no image processor .*spreads the frames that it takes over a whole file"),
        ("vit", "a model of type vit takes no videos"),
    ):
        with pytest.raises(RecipeError, match=f"is no encoder of videos with its image processor: {message}"):
            load_encoder(recipe_of(folder, encoder={"folder": name}))


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        (ViTImageProcessor(size={"height": 16, "width": 16}), "a ViTImageProcessor, takes images alone"),
        (
            VideoMAEImageProcessor(size={"shortest_edge": 16}, do_center_crop=False),
            "makes videos of several sizes, such as 16×21 and 21×16 pixels: crop",
        ),
    ],
)
def test_processors_that_do_not_fit(folder, processor, message):
    encoder = folder / "other"
    VideoMAEModel(VideoMAEConfig(**SMALL)).save_pretrained(encoder)
    processor.save_pretrained(encoder)
    recipe = recipe_of(folder, encoder={"folder": "other"})
    with pytest.raises(RecipeError, match=message):
        Runs(recipe, load_data(recipe), folder / "runs-other")


def test_faulty_files_are_all_named(folder, monkeypatch):
    unfit = folder / "unfit"
    write_video(unfit / "dark" / "short.avi", coloured_frames(np.random.default_rng(0), 7))
    # FFmpeg takes it for a list of files, and would open those.
    (unfit / "dark" / "list.mp4").write_text("ffconcat version 1.0\nfile short.avi\n")
    (unfit / "light").mkdir()
    (unfit / "light" / "empty.mov").touch()
    sounds_alone(unfit / "light" / "sounds.mp4")
    (unfit / "light" / "notes.txt").touch()
    recipe = recipe_of(folder, data={**CONTENT["data"], "train": "unfit"})
    with pytest.raises(RecipeError) as error:
        load_data(recipe)
    for told in (
        "dark/short.avi has 7 frames, expected at least 8, of which the model gets 4",
        "dark/list.mp4 is no video that can be read: expected .mp4, .avi",
        "light/empty.mov is no video that can be read",
        "light/sounds.mp4 has no pictures",
    ):
        assert told in str(error.value)
    with pytest.raises(RecipeError, match="holds videos, on which a recipe with task: video-classification"):
        check_no_media(folder / "scenes")

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ModuleNotFoundError, match=r"reading videos needs av: pip install av$"):
        load_data(recipe_of(folder))


def sounds_alone(file):
    import av

    with av.open(file, "w") as container:
        stream = container.add_stream("aac", rate=8_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_frames_are_those_of_the_pipeline(tmp_path, rate):
    from transformers.pipelines.video_classification import VideoClassificationPipeline

    frames = coloured_frames(np.random.default_rng(0), 16)
    write_video(tmp_path / "a.avi", frames)
    found = read_clip(tmp_path / "a.avi", "a.avi", Frames(5, rate))
    taken = []

    class Pipe:
        video_processor = None
        dtype = torch.float32
        model = type("Model", (), {"config": type("Config", (), {"num_frames": 5})})

        def image_processor(self, video, return_tensors):
            taken.extend(video)
            return torch.zeros(1)

    VideoClassificationPipeline.preprocess(Pipe(), str(tmp_path / "a.avi"), frame_sampling_rate=rate)
    np.testing.assert_array_equal(found, np.stack(taken))
    np.testing.assert_array_equal(found[[0, -1]], frames[[0, 5 * rate - 1]])


@pytest.mark.parametrize("name", ENCODERS)
def test_nodes_are_those_of_each_video_alone(folder, name):
    recipe = recipe_of(folder, encoder={"folder": name})
    data = load_data(recipe)
    assert data.said[0] == (
        "12 videos, of several sizes, 4 of the first 8 frames of each; label by folder (dark 6, light 6)"
    )
    runs = Runs(recipe, data, folder / f"runs-nodes-{name}")
    encoder = ENCODERS[name][0].from_pretrained(folder / name).eval()
    processor = VideoMAEImageProcessor(**SIZES)
    for clip, chain in zip(data.train.inputs, runs.data.train.inputs, strict=True):
        assert (clip.dtype, clip.shape[0], clip.shape[3]) == (np.uint8, 4, 3)
        with torch.no_grad():
            alone = encoder(processor(list(clip), return_tensors="pt")["pixel_values"]).last_hidden_state[0]
        np.testing.assert_allclose(chain, alone.numpy(), atol=1e-4)
    assert (runs.backbone.config.m, runs.backbone.config.chain_length) == (8, len(alone))


@pytest.mark.parametrize(("name", "frozen"), [("mae", True), ("timesformer", False)])
def test_frozen_and_trained_weights(folder, name, frozen):
    recipe = recipe_of(folder, encoder={"folder": name, "frozen": frozen}, peers=["gru"])
    measured = measure(recipe, folder / f"runs-{name}-{frozen}", recipe.peers)
    model = measured.model
    assert model.config.freeze_backbone is frozen
    assert measured.results["models"]["chain"]["parameters"] == model.num_parameters()
    pretrained = ENCODERS[name][0].from_pretrained(folder / name).state_dict()
    same = [torch.equal(value, pretrained[key]) for key, value in model.chainhead.backbone.named_parameters()]
    assert all(same) if frozen else sum(same) < len(same) / 2


def test_the_whole_model_scores_as_the_head_on_nodes(folder):
    check_whole_model(recipe_of(folder), folder / "runs-whole")


def test_commands(folder):
    data = {**CONTENT["data"], "train": "scenes.csv", "group": "place"}
    recipe_of(folder, data=data)
    out = folder / "out"
    invoke("train", folder / "recipe.yaml", "--output", out)
    assert str(folder) not in (out / "config.json").read_text("utf-8") + (out / "README.md").read_text(
        "utf-8"
    )

    files = pd.read_csv(folder / "scenes.csv")
    paths = [str(folder / path) for path in files["path"]]
    code = (out / "README.md").read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    assert code.count(f"frame_sampling_rate={RATE}") == code.count('"video.mp4"') == 1
    used = {}
    exec(code.replace('"scenes"', repr(str(out))).replace('"video.mp4"', repr(paths[0])), used)
    labels = [found[0]["label"] for found in used["classifier"](paths, top_k=1, frame_sampling_rate=RATE)]
    predicted = invoke("predict", out, *paths, "--json").splitlines()
    assert [json.loads(line)["predictions"][0]["label"] for line in predicted] == labels
    short = folder / "short.avi"
    write_video(short, coloured_frames(np.random.default_rng(0), 7))
    assert "has 7 frames, expected at least 8" in invoke("predict", out, short, code=1)
    invoke("plot", out, "--input", paths[0], "--output", folder / "why.png")
    model = OpenModels([str(out)]).open(str(out))
    [record] = from_files(model, paths[:1])
    assert answer(model, record).rows[0]["label"] == labels[0]

    stated = json.loads((out / "results.json").read_text("utf-8"))["models"]["chain"]["test_accuracy_mean"]
    assert json.loads(invoke("evaluate", out, "--json"))["metrics"]["accuracy"] == pytest.approx(stated)
    for place in ("scenes", "scenes.csv"):
        evaluated = json.loads(invoke("evaluate", out, "--data", folder / place, "--json"))
        assert evaluated["metrics"]["accuracy"] == np.mean([*map(str.__eq__, files["label"], labels)])
