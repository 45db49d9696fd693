"""Frame classifiers of transformers in the segmentation pipeline give the numbers of the model called directly."""

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForAudioFrameClassification,
    SeamlessM4TFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    pipeline,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_AUDIO_FRAME_CLASSIFICATION_MAPPING_NAMES

from chainhead_plugin import ChainHeadFeatureExtractor
from chainhead_plugin.pipelines.other_frame_classifiers import other_frame_classifier

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "num_labels": 3,
}
WAVES = SMALL | {
    "conv_dim": (8, 8),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_conv_pos_embeddings": 2,
    "num_conv_pos_embedding_groups": 2,
}
FAMILIES = {
    "data2vec-audio": WAVES | {"conv_pos_kernel_size": 3},
    "unispeech-sat": WAVES,
    "wav2vec2": WAVES | {"feat_extract_norm": "group"},
    "wav2vec2-bert": SMALL,
    "wav2vec2-conformer": WAVES,
    "wavlm": WAVES,
}
# A frame of it may have several labels.
REFUSED = {"nemotron3_diarization"}


@pytest.fixture(scope="module")
def recordings():
    rng = np.random.default_rng(0)
    return [rng.normal(size=length).astype(np.float32) for length in (1000, 800, 1000)]


def build(name):
    torch.manual_seed(0)
    return AutoModelForAudioFrameClassification.from_config(
        AutoConfig.for_model(name, **FAMILIES[name])
    ).eval()


def test_every_family_of_transformers_is_here():
    known = FAMILIES.keys() | REFUSED
    assert {*MODEL_FOR_AUDIO_FRAME_CLASSIFICATION_MAPPING_NAMES} <= known


@pytest.mark.parametrize("name", FAMILIES)
def test_frames_of_a_model_of_transformers(name, recordings, tmp_path):
    model = build(name)
    own = SeamlessM4TFeatureExtractor() if name == "wav2vec2-bert" else Wav2Vec2FeatureExtractor()
    model.save_pretrained(tmp_path)
    own.save_pretrained(tmp_path)
    label = pipeline("time-series-segmentation", model=tmp_path)
    found = label(recordings, batch_size=3)
    for recording, frames in zip(recordings, found, strict=True):
        with torch.no_grad():
            logits = model(**own(recording, sampling_rate=16_000, return_tensors="pt")).logits[0]
        expected = logits.softmax(-1).max(-1)
        assert [frame["score"] for frame in frames] == pytest.approx(expected.values.tolist(), abs=1e-6)
        assert [frame["label"] for frame in frames] == [f"LABEL_{i}" for i in expected.indices.tolist()]
    segments = label(recordings[1], aggregation_strategy="simple")
    assert segments[-1]["end"] == len(found[1])


def test_what_cannot_be_labelled_is_told(recordings):
    model = build("wav2vec2")
    with pytest.raises(TypeError, match="Wav2Vec2ForAudioFrameClassification needs the feature extractor"):
        pipeline("time-series-segmentation", model=model, feature_extractor=ChainHeadFeatureExtractor(1))
    label = pipeline("time-series-segmentation", model=model, feature_extractor=Wav2Vec2FeatureExtractor())
    with pytest.raises(TypeError, match="padding: no effect"):
        label(recordings, padding=True)
    with pytest.raises(ValueError, match="sequence 1 has values that are not finite"):
        label([recordings[0], np.full(800, np.nan, np.float32)])
    model.config.model_type = "nemotron3_diarization"
    with pytest.raises(ValueError, match="several labels to a frame"):
        other_frame_classifier(model, Wav2Vec2FeatureExtractor())
