"""Recordings in pipelines: waveforms of any length, labelled as a whole and frame by frame."""

from pathlib import Path

import numpy as np
import pytest
import torch
from encoder_families import FAMILIES, build
from transformers import (
    ASTFeatureExtractor,
    AutoModelForAudioClassification,
    SeamlessM4TFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
    pipeline,
)

import chainhead_plugin
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForAudioClassification,
    ChainHeadForTokenClassification,
)
from chainhead_plugin.hub.card import render_card
from registry.hub.flat_code import flat_code

WAVES = FAMILIES["wav2vec2"]


@pytest.fixture(scope="module")
def recordings():
    rng = np.random.default_rng(0)
    return [rng.normal(size=length).astype(np.float32) for length in (300, 200)]


def test_recordings_are_classified_alone_and_padded_together(recordings, tmp_path):
    model = build(WAVES, ChainHeadForAudioClassification)
    model.save_pretrained(tmp_path)
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    extractor.save_pretrained(tmp_path)
    classify = pipeline("audio-classification", model=str(tmp_path))
    assert (
        type(classify.model) is type(AutoModelForAudioClassification.from_pretrained(tmp_path)) is type(model)
    )
    assert classify.model.config.pad_token_id is None
    together = classify(recordings, batch_size=2)
    for recording, answers in zip(recordings, together, strict=True):
        values = extractor(recording, sampling_rate=16_000, return_tensors="pt").input_values
        expected = model(values).logits[0].softmax(-1).tolist()
        found = {answer["label"]: answer["score"] for answer in answers}
        assert found == pytest.approx({f"LABEL_{i}": score for i, score in enumerate(expected)}, abs=1e-6)


def test_spectra_are_made_by_the_extractor_of_the_encoder(recordings):
    model = build(FAMILIES["whisper"], ChainHeadForAudioClassification)
    extractor = WhisperFeatureExtractor(
        feature_size=8, chunk_length=1, n_fft=400, hop_length=400, return_attention_mask=True
    )
    classify = pipeline("audio-classification", model=model, feature_extractor=extractor)
    values = extractor(recordings[0], sampling_rate=16_000, return_tensors="pt", return_attention_mask=True)
    expected = model(values.input_features, values.attention_mask).logits[0].softmax(-1).max().item()
    assert classify(recordings[0], top_k=1)[0]["score"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "extractor",
    [
        SeamlessM4TFeatureExtractor(num_mel_bins=20, feature_size=20),
        ASTFeatureExtractor(num_mel_bins=40, max_length=30),
    ],
    ids=lambda extractor: type(extractor).__name__,
)
def test_spectra_without_an_encoder_are_classified_alone_and_together(extractor, tmp_path):
    rng = np.random.default_rng(0)
    recordings = [rng.normal(size=length).astype(np.float32) for length in (4000, 2500)]
    torch.manual_seed(0)
    model = ChainHeadForAudioClassification(
        ChainHeadConfig(m=40, hidden_sizes=[8], bi_directional=True, num_labels=3)
    ).eval()
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    classify = pipeline("audio-classification", model=str(tmp_path))
    assert type(classify.model) is ChainHeadForAudioClassification
    for recording, answers in zip(recordings, classify(recordings, batch_size=2), strict=True):
        values = extractor(recording, sampling_rate=16_000, return_tensors="pt")
        expected = model(**values).logits[0].softmax(-1).tolist()
        found = {answer["label"]: answer["score"] for answer in answers}
        assert found == pytest.approx({f"LABEL_{i}": score for i, score in enumerate(expected)}, abs=1e-6)
    card = render_card(model.config, type(model), 1, repo_id="me/x")["README.md"].decode()
    assert "input_features=torch.zeros(1, 20, 40)" in card
    assert "pipeline_tag: audio-classification" in card


def test_frames_are_labelled_by_the_segmentation_pipeline(recordings):
    model = build(WAVES, ChainHeadForTokenClassification)
    label = pipeline(
        "time-series-segmentation",
        model=model,
        feature_extractor=ChainHeadFeatureExtractor(feature_size=1, do_normalize=False),
    )
    series = [recording[:, np.newaxis] for recording in recordings]
    found = label(series, batch_size=2)
    for recording, frames in zip(recordings, found, strict=True):
        scores = model(torch.from_numpy(recording)[None]).logits[0].softmax(-1).max(-1).values
        assert [frame["score"] for frame in frames] == pytest.approx(scores.tolist(), abs=1e-6)
    segments = label(series[0], aggregation_strategy="simple")
    assert segments[-1]["end"] == len(found[0])


@pytest.mark.parametrize("name", ["wav2vec2", "whisper", "audio-spectrogram-transformer"])
def test_the_snippet_of_a_card_runs(name):
    model = build(FAMILIES[name], ChainHeadForAudioClassification)
    card = render_card(model.config, type(model), 1, repo_id="me/x")["README.md"].decode()
    shape = card.split("input_values=torch.zeros(")[1].split(")")[0]
    assert model(torch.zeros([int(size) for size in shape.split(",")])).logits.shape == (1, 3)
    assert "pipeline_tag: audio-classification" in card


def test_code_of_encoders_can_be_carried():
    roots = {"chainhead_plugin": Path(chainhead_plugin.__file__).parent}
    files = flat_code(["chainhead_plugin.models.encoders.modeling_chainhead_audio"], roots)
    assert {"nodes_encoders_frames.py", "models_encoders_outputs.py"} <= files.keys()
