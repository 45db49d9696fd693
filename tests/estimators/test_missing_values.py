"""Estimators take missing values, in training and later, and so do the models that they save."""

import numpy as np
import pytest
from transformers import pipeline

from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadRegressor, ChainHeadSegmenter

SMALL = {"num_biases": 1, "num_groups": 4, "group_size": 2, "num_levels": 8, "random_state": 0}


def interpolated(series):
    """[channels, length]"""
    places = np.arange(series.shape[1])
    return np.stack([np.interp(places, places[~np.isnan(row)], row[~np.isnan(row)]) for row in series])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = np.tile(["calm", "wild"], 20)
    lengths = rng.integers(20, 40, len(labels))
    whole = [
        np.cumsum(rng.normal(size=(2, length)), 1) if label == "wild" else rng.normal(size=(2, length))
        for label, length in zip(labels, lengths, strict=True)
    ]
    return [np.where(rng.random(one.shape) < 0.15, np.nan, one) for one in whole], labels


@pytest.fixture(scope="module")
def fitted(data):
    return ChainHeadClassifier(**SMALL).fit(*data)


def test_as_filled_by_hand(data, fitted):
    holes, labels = data
    by_hand = [interpolated(series) for series in holes]
    other = ChainHeadClassifier(**SMALL).fit(by_hand, labels)
    np.testing.assert_allclose(fitted.predict_proba(holes), other.predict_proba(by_hand), atol=1e-6)
    assert fitted.score(holes, labels) >= 0.9


def test_a_channel_that_is_missing_as_a_whole(data, fitted):
    holes, labels = data
    broken = [series.copy() for series in holes]
    for series in broken[:4]:
        series[1] = np.nan
    usual = [series.copy() for series in broken]
    for series in usual[:4]:
        series[1] = fitted.feature_extractor_.mean[1]
    np.testing.assert_allclose(fitted.predict_proba(broken), fitted.predict_proba(usual), atol=1e-6)
    assert ChainHeadClassifier(**SMALL).fit(broken, labels).score(broken, labels) >= 0.8
    with pytest.raises(ValueError, match="feature 1 has no value in any sequence"):
        ChainHeadClassifier(**SMALL).fit(
            [np.stack([one[0], np.full_like(one[0], np.nan)]) for one in holes], labels
        )


def test_a_series_without_any_value_is_refused(data, fitted):
    with pytest.raises(ValueError, match="series 1 of X has no value at all"):
        fitted.predict([data[0][0], np.full((2, 5), np.nan)])


def test_saved_and_in_a_pipeline(data, fitted, tmp_path):
    holes, _ = data
    fitted.save_pretrained(tmp_path)
    expected = fitted.predict_proba(holes)
    np.testing.assert_allclose(
        ChainHeadClassifier.from_pretrained(tmp_path).predict_proba(holes), expected, atol=1e-6
    )
    pipe = pipeline("time-series-classification", model=str(tmp_path))
    (best, *_), *_ = pipe([holes[0].T], top_k=None)
    assert best["score"] == pytest.approx(expected[0].max(), abs=1e-5)


@pytest.mark.parametrize("level", [0.0, 1e8], ids=["plain", "standardised"])
def test_a_stream_holds_the_last_value(data, level):
    holes, labels = data
    shifted = [series + level for series in holes]
    fitted = ChainHeadClassifier(**SMALL).fit(shifted, labels)
    series = shifted[3]
    held = series.copy()
    for row, usual in zip(held, fitted.feature_extractor_.mean, strict=True):
        latest = usual
        for place, value in enumerate(row):
            latest = latest if np.isnan(value) else value
            row[place] = latest
    stream = fitted.stream()
    for node in series.T:
        answer = stream.update(node)
    np.testing.assert_allclose(answer, fitted.predict_proba([held])[0], atol=1e-5)

    streams = fitted.streams(2)
    at_once = streams.update(np.stack([series.T, held.T]))
    np.testing.assert_allclose(at_once, np.stack([answer, answer]), atol=1e-5)
    streams.reset([0])
    np.testing.assert_allclose(streams.update(series.T[None], streams=[0])[0], answer, atol=1e-5)


def test_a_stream_that_begins_with_a_missing_value(data):
    holes, labels = data
    stream = ChainHeadClassifier(**SMALL).fit([one[:1] for one in holes], labels).stream()
    with pytest.raises(ValueError, match="stream 0 has had no value of feature 0 yet"):
        stream.update(float("nan"))
    assert stream.length == 0
    assert stream.update(1.0).shape == (2,)


def test_a_trained_stack_takes_them_too(data):
    holes, labels = data
    fitted = ChainHeadClassifier(**SMALL, seconds=4).fit(holes, labels)
    assert fitted.score(holes, labels) >= 0.8


def test_regressor_and_segmenter(data):
    holes, _ = data
    values = np.array([np.nanstd(series) for series in holes])
    fitted = ChainHeadRegressor(**SMALL).fit(holes, values)
    by_hand = [interpolated(series) for series in holes]
    np.testing.assert_allclose(fitted.predict(holes), fitted.predict(by_hand), rtol=1e-5)

    nodes = [(np.nan_to_num(series[0]) > 0).astype(int) for series in holes]
    segmenter = ChainHeadSegmenter(hidden_sizes=[8], steps=3, random_state=0).fit(holes, nodes)
    for found, expected in zip(segmenter.predict_proba(holes), segmenter.predict_proba(by_hand), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
