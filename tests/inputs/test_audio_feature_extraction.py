"""The feature extractor of recordings: log-mel frames as transformers computes them, scaled by training statistics."""

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from chainhead_plugin import ChainHeadAudioFeatureExtractor

RATE = 8_000


@pytest.fixture(scope="module")
def recordings():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=length) / 10).astype(np.float32) for length in (1_650, 801, 1)]


@pytest.fixture
def extractor():
    return ChainHeadAudioFeatureExtractor(12, RATE)


def test_frames_are_those_of_transformers(extractor, recordings):
    filters = mel_filter_bank(129, 12, 0.0, RATE / 2, RATE)
    for recording in [*recordings, np.zeros(RATE * 11)]:
        expected = spectrogram(
            recording,
            window_function(200, "hann"),
            frame_length=200,
            hop_length=80,
            fft_length=256,
            power=2.0,
            pad_mode="constant",
            mel_filters=filters,
            mel_floor=1e-6,
            log_mel="log",
        )
        frames = extractor.frames(recording)
        assert frames.dtype == np.float32
        np.testing.assert_allclose(frames, expected.T, rtol=1e-4, atol=1e-4)


def test_a_tone_is_loudest_in_its_band(extractor):
    for hertz in (300, 2_500):
        frames = extractor.frames(np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE))
        loudest = frames[10:-10].mean(0).argmax()
        middle = extractor.mel_filters[:, loudest].argmax() * RATE / 256
        assert abs(middle - hertz) < 250


def test_statistics_are_those_of_all_frames_and_keep_how_recordings_differ(extractor, recordings):
    quiet, loud = recordings[0], 10 * recordings[0]
    extractor.fit([quiet, loud])
    frames = np.concatenate([extractor.frames(quiet), extractor.frames(loud)])
    np.testing.assert_allclose(extractor.mean, frames.mean(0), rtol=1e-5)
    np.testing.assert_allclose(extractor.std, frames.std(0), rtol=1e-5)
    scaled = extractor([quiet, loud])["input_features"]
    assert scaled[0].mean() < -0.5
    assert scaled[1].mean() > 0.5
    assert scaled.mean() == pytest.approx(0, abs=1e-6)


def test_padding_changes_no_real_frame(extractor, recordings):
    extractor.fit(recordings)
    together = extractor(recordings, sampling_rate=RATE, return_tensors="pt")
    assert together["attention_mask"].sum(1).tolist() == [21, 11, 1]
    for number, recording in enumerate(recordings):
        alone = extractor(recording, return_tensors="pt")["input_features"][0]
        assert torch.equal(together["input_features"][number, : len(alone)], alone)
        assert not together["input_features"][number, len(alone) :].any()
    parts = [{"input_features": extractor(one)["input_features"][0]} for one in recordings]
    assert torch.equal(
        extractor.pad(parts, return_tensors="pt")["input_features"], together["input_features"]
    )


def test_it_is_saved_whole(extractor, recordings, tmp_path):
    extractor.fit(recordings).save_pretrained(tmp_path)
    loaded = AutoFeatureExtractor.from_pretrained(tmp_path)
    assert type(loaded) is ChainHeadAudioFeatureExtractor
    assert loaded.to_dict() == extractor.to_dict()
    np.testing.assert_array_equal(
        loaded(recordings)["input_features"], extractor(recordings)["input_features"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature_size": 0}, "feature_size must be"),
        ({"sampling_rate": 999}, "sampling_rate must be"),
        ({"hop_seconds": 0.03}, "hop_seconds must be"),
        ({"frame_seconds": 1e-4, "hop_seconds": 1e-5}, "are 1 and 0 samples"),
        ({"feature_size": 200}, "too short to tell 200 mel bands apart"),
        ({"mean": [0.0]}, "mean and std belong together"),
        ({"padding_side": "middle"}, "padding_side"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        ChainHeadAudioFeatureExtractor(**{"feature_size": 12, "sampling_rate": RATE, **options})


def test_unknown_options_are_refused():
    with pytest.raises(TypeError, match="unknown parameters of ChainHeadAudioFeatureExtractor: num_mel_bins"):
        ChainHeadAudioFeatureExtractor(num_mel_bins=12)


@pytest.mark.parametrize(
    ("recording", "options", "message"),
    [
        ([], {}, "a recording is empty, expected at least one sample"),
        (np.zeros((1, 2, 90)), {}, "average its channels"),
        (
            np.array([5, -20_000] * 50, np.int16),
            {},
            "a recording reaches 20,000, expected samples from −1 to 1",
        ),
        (np.array([128, 255] * 50, np.uint8), {}, "a recording reaches 255, .* divide whole numbers"),
        (np.array([5.0, -200.0] * 50), {}, "a recording reaches 200"),
        ([0.0, np.nan], {}, "not finite"),
        (np.ones(900), {"sampling_rate": 16_000}, "have 16,000 samples a second, expected 8,000"),
    ],
)
def test_recordings_that_cannot_be(extractor, recording, options, message):
    with pytest.raises(ValueError, match=message):
        extractor(recording, **options)
