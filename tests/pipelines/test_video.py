"""Videos in transformers' own pipeline, from files, with the encoder's own processor beside the model."""

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForVideoClassification,
    AutoVideoProcessor,
    VideoMAEConfig,
    VideoMAEImageProcessor,
    VideoMAEModel,
    pipeline,
)
from videos import coloured_frames, write_video

from chainhead_plugin import ChainHeadConfig, ChainHeadForVideoClassification
from chainhead_plugin.hub.card import render_card
from chainhead_plugin.hub.uses import task_of

FRAMES, SIZE = 4, 16
SIZES = {"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}}


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = VideoMAEConfig(
        image_size=SIZE,
        patch_size=8,
        num_frames=FRAMES,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    return ChainHeadForVideoClassification.from_backbone(
        VideoMAEModel(config), hidden_sizes=[8], bi_directional=True, num_labels=3
    )


@pytest.fixture
def video(tmp_path):
    """Return a file, and its first frames [frames, height, width, 3] as they were written: a colour each."""
    pytest.importorskip("av")
    path = tmp_path / "video.avi"
    frames = coloured_frames(np.random.default_rng(0), 2 * FRAMES)
    write_video(path, frames)
    return path, frames[:FRAMES]


def expected_scores(model, processor, frames):
    pixels = processor(list(frames), return_tensors="pt").pixel_values
    with torch.no_grad():
        scores = model(pixels).logits[0].softmax(-1)
    return {f"LABEL_{i}": score for i, score in enumerate(scores.tolist())}


def scores_of(answers):
    return {answer["label"]: answer["score"] for answer in answers}


def test_files_are_classified_by_the_image_processor_of_the_encoder(model, video):
    path, frames = video
    processor = VideoMAEImageProcessor(**SIZES)
    classify = pipeline("video-classification", model=model, image_processor=processor)
    found = scores_of(classify(str(path), top_k=3))
    assert found == pytest.approx(expected_scores(model, processor, frames), abs=1e-6)


def test_a_folder_with_the_processor_of_the_encoder_is_enough(model, tmp_path):
    processors = pytest.importorskip("transformers.models.videomae.video_processing_videomae")
    frames = np.random.default_rng(0).integers(0, 256, (2 * FRAMES, 24, 32, 3), dtype=np.uint8)
    processor = processors.VideoMAEVideoProcessor(**SIZES)
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    assert isinstance(AutoVideoProcessor.from_pretrained(folder), processors.VideoMAEVideoProcessor)
    assert type(AutoModelForVideoClassification.from_pretrained(folder)) is ChainHeadForVideoClassification

    classify = pipeline("video-classification", model=str(folder))
    inputs = processor(frames, num_frames=FRAMES, do_sample_frames=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(**inputs).logits[0].softmax(-1).tolist()
    found = scores_of(classify(frames, top_k=3))  # of a file, the processor asks for torchcodec and FFmpeg
    assert [found[f"LABEL_{i}"] for i in range(3)] == pytest.approx(expected, abs=1e-6)
    assert task_of(type(model), model.config) == "video-classification"


@pytest.mark.parametrize("kind", ["video", "image"])
def test_the_call_that_a_card_shows_reads_a_file(model, video, tmp_path, kind):
    processors = pytest.importorskip("transformers.models.videomae.video_processing_videomae")
    processor = {"video": processors.VideoMAEVideoProcessor, "image": VideoMAEImageProcessor}[kind](**SIZES)
    path, _ = video
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)

    files = render_card(model.config, type(model), 1, repo_id="me/clips", has_preprocessor=True)
    code = files["README.md"].decode().partition("```python\n")[2].partition("```")[0]
    assert code.count('"me/clips"') == code.count('"video.mp4"') == 1
    used = {}
    exec(code.replace('"me/clips"', repr(str(folder))).replace('"video.mp4"', repr(str(path))), used)

    with used["av"].open(str(path)) as file:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
    inputs = processors.VideoMAEVideoProcessor(**SIZES)(
        frames, num_frames=FRAMES, do_sample_frames=True, return_tensors="pt"
    )
    with torch.no_grad():
        expected = model(**inputs).logits[0].softmax(-1).tolist()
    found = scores_of(used["run"](frames, top_k=3))
    assert [found[f"LABEL_{i}"] for i in range(3)] == pytest.approx(expected, abs=1e-6)


def test_what_does_not_fit_is_told(model):
    with pytest.raises(ValueError, match="describes no videos: set backbone_config"):
        ChainHeadForVideoClassification(ChainHeadConfig(m=3))
    assert model.config.num_frames == FRAMES
    assert not hasattr(ChainHeadConfig(m=3), "num_frames")
    with pytest.raises(ValueError, match="exactly one of pixel_values and pixel_values_videos"):
        model()


def test_videos_are_learned_from(model):
    videos = torch.randn(2, FRAMES, 3, SIZE, SIZE)
    output = model.train()(videos, labels=torch.tensor([0, 2]))
    output.loss.backward()
    assert all(weight.grad is not None for weight in model.parameters())
    assert torch.equal(model.eval()(videos).logits, model(pixel_values_videos=videos).logits)
