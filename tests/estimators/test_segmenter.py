"""The segmenter: labels of any type for every node, files, pipelines, pieces of long series, and wrong labels."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from transformers import AutoModelForTokenClassification, pipeline

from chainhead_plugin.estimators import ChainHeadSegmenter
from chainhead_plugin.estimators.nodes import outputs

SMALL = {"hidden_sizes": (16, 16), "steps": 60, "random_state": 0, "n_jobs": 1}


def phases(count=9, seed=0):
    """Two noisy channels of a machine, [2, length] each, and its phase in every step."""
    rng = np.random.default_rng(seed)
    names = np.array(["idle", "up", "run"])
    series, labels = [], []
    for _ in range(count):
        phase = np.repeat([0, 1, 2, 0], rng.integers(5, 15, 4))
        speed = np.array([0.0, 0.5, 1.0])[phase]
        series.append(np.stack([speed, speed > 0]) + rng.normal(0, 0.2, (2, len(phase))))
        labels.append(names[phase])
    return series, labels


@pytest.fixture(scope="module")
def data():
    return phases()


@pytest.fixture(scope="module")
def fitted(data):
    return ChainHeadSegmenter(**SMALL).fit(*data)


def test_new_series_are_labelled(fitted, data):
    series, labels = phases(seed=1)
    assert list(fitted.classes_) == ["idle", "run", "up"]
    assert fitted.score(series, labels) > 0.9
    assert fitted.left_out_score_ > 0.8  # with half of the steps, on two thirds of nine series
    assert fitted.n_steps_ == 60
    for one, predicted, proba in zip(
        series, fitted.predict(series), fitted.predict_proba(series), strict=True
    ):
        assert predicted.shape == one.shape[1:]
        np.testing.assert_allclose(proba.sum(1), 1)
        np.testing.assert_array_equal(fitted.classes_[proba.argmax(1)], predicted)


def test_a_series_gets_alone_what_it_gets_among_others(fitted, data):
    together = fitted.predict_proba(data[0])
    for one, expected in zip(data[0], together, strict=True):
        np.testing.assert_allclose(fitted.predict_proba([one])[0], expected, atol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_pieces_of_long_series_change_nothing(data, causal, monkeypatch):
    fitted = ChainHeadSegmenter(**SMALL | {"steps": 2}, causal=causal).fit(*data)
    whole = fitted.predict_proba([np.concatenate(data[0], 1)])[0]
    monkeypatch.setattr(outputs, "_PIECE", 37)
    np.testing.assert_allclose(fitted.predict_proba([np.concatenate(data[0], 1)])[0], whole, atol=1e-6)
    if causal:
        stream = fitted.stream()
        series = np.concatenate(data[0], 1).T
        told = [stream.update(node) for node in series[:130]]
        told += [stream.update(series[130:170]), stream.update(series[170:])]
        np.testing.assert_allclose(np.concatenate(told), whole, atol=1e-6)
        assert stream.length == len(series)
        with pytest.raises(ValueError, match="not finite"):
            stream.update(np.array([np.nan, 0]))
        stream.reset()
        np.testing.assert_allclose(stream.update(series[:3]), whole[:3], atol=1e-6)
        first = fitted.predict_proba([np.concatenate(data[0], 1)[:, :50]])[0]
        np.testing.assert_allclose(first, whole[:50], atol=1e-6)
    else:
        with pytest.raises(ValueError, match="fit with causal=True"):
            fitted.stream()


def test_saved_and_loaded(fitted, data, tmp_path):
    series, _ = data
    expected = fitted.predict_proba(series)
    fitted.save_pretrained(tmp_path)
    for again in (ChainHeadSegmenter.from_pretrained(tmp_path), pickle.loads(pickle.dumps(fitted))):
        assert again.get_params() == fitted.get_params() | {"hidden_sizes": again.hidden_sizes}
        assert again.left_out_score_ == fitted.left_out_score_
        assert again.classes_.dtype == fitted.classes_.dtype
        for proba, other in zip(again.predict_proba(series), expected, strict=True):
            np.testing.assert_array_equal(proba, other)

    segment = pipeline("time-series-segmentation", model=str(tmp_path), device="cpu")
    nodes = segment(series[0].T)
    assert [node["label"] for node in nodes] == list(fitted.predict(series[:1])[0])
    np.testing.assert_allclose([node["score"] for node in nodes], expected[0].max(1), atol=1e-6)
    assert type(AutoModelForTokenClassification.from_pretrained(tmp_path)) is type(
        fitted.to_transformers()[0]
    )


def test_data_frames(fitted, data):
    index = pd.MultiIndex.from_tuples(
        [(f"m{row}", step) for row, own in enumerate(data[1]) for step in range(len(own))]
    )
    frame = pd.DataFrame(np.concatenate(data[0], 1).T, index=index, columns=["speed", "on"])
    labels = pd.Series(np.concatenate(data[1]), index=index)
    named = ChainHeadSegmenter(**SMALL).fit(frame, labels)
    assert named.channel_names_in_ == ["speed", "on"]
    # The same numbers come to the same, every time, and columns are matched by name.
    again = named.predict_proba(frame[["on", "speed"]])
    for found, expected in zip(again, fitted.predict_proba(data[0]), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert named.score(frame, labels) == fitted.score(*data)
    with pytest.raises(ValueError, match="the index of y differs from that of X"):
        named.fit(frame, labels[::-1])


def test_labels_of_any_type_and_none(data):
    series, labels = data
    numbers = [np.array([-1, 5, 9])[np.unique(own, return_inverse=True)[1]] for own in labels]
    few = ChainHeadSegmenter(**SMALL | {"steps": 1}, unlabelled=-1).fit(series, numbers)
    assert few.classes_.tolist() == [5, 9]
    assert {*np.concatenate(few.predict(series))} <= {5, 9}
    right = [(p == t)[t != -1] for p, t in zip(few.predict(series), numbers, strict=True)]
    assert few.score(series, numbers) == np.concatenate(right).mean()
    table = np.stack([one[0, :20] for one in series])
    booleans = table > 0.4
    single = ChainHeadSegmenter(**SMALL | {"steps": 2}).fit(table, booleans)
    assert single.predict(table)[0].dtype == bool


def test_sample_weight(data):
    few = SMALL | {"steps": 3}
    weights = np.array([0, 1, 1, 1, 1, 1, 1, 1, 1.0])
    plain = ChainHeadSegmenter(**few).fit(data[0][1:], data[1][1:], weights[1:])
    left_out = ChainHeadSegmenter(**few).fit(*data, sample_weight=weights)
    assert left_out.left_out_score_ == plain.left_out_score_
    np.testing.assert_array_equal(left_out.predict_proba(data[0])[0], plain.predict_proba(data[0])[0])
    # Two kinds of series that contradict each other: the heavier kind is believed.
    series = np.stack([np.sin(np.arange(30.0) + row) for row in range(8)])
    labels = (series > 0) ^ (np.arange(8) % 2 == 1)[:, None]
    heavy = ChainHeadSegmenter(**SMALL | {"steps": 30}).fit(series, labels, np.where(np.arange(8) % 2, 1, 50))
    assert np.mean(np.stack(heavy.predict(series)) == (series > 0)) > 0.9
    for wrong in ([1] * 8, [-1, *[1] * 8], [np.nan] * 9, [0] * 9):
        with pytest.raises(ValueError, match=r"sample_weight|inconsistent numbers"):
            ChainHeadSegmenter(**few).fit(*data, sample_weight=wrong)


def test_one_series_is_a_list_of_one(data):
    series, labels = np.concatenate(data[0], 1), np.concatenate(data[1])
    fitted = ChainHeadSegmenter(**SMALL | {"steps": 4}).fit([series], [labels])
    assert 0 <= fitted.left_out_score_ <= 1
    with pytest.raises(ValueError, match="a single series is given as a list of one"):
        fitted.fit([series], labels)


def test_class_weight_multiplies_probabilities(data):
    plain, heavy = (
        ChainHeadSegmenter(**SMALL | {"steps": 2}, class_weight=weight).fit(*data).predict_proba(data[0])[0]
        for weight in (None, {"idle": 1, "run": 1, "up": 3})
    )
    weighted = plain * [1, 1, 3]
    np.testing.assert_allclose(heavy, weighted / weighted.sum(1, keepdims=True), atol=1e-6)


def test_little_time_few_steps(data):
    hasty = ChainHeadSegmenter(**SMALL, seconds=1e-3).fit(*data)
    assert (hasty.n_steps_, hasty.left_out_score_) == (1, None)


def test_tools_of_scikit_learn(data):
    small = clone(ChainHeadSegmenter(**SMALL | {"steps": 1, "hidden_sizes": (4,)}))
    assert cross_val_score(small, *data, cv=KFold(3)).shape == (3,)
    search = GridSearchCV(small, {"causal": [True, False]}, cv=2).fit(*data)
    assert search.best_params_["causal"] in (True, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels: labels[:-1], "y holds 8 entries for 9 series"),
        (lambda labels: [labels[0][:-1], *labels[1:]], r"series 0 has \d+ nodes, but \d+ labels"),
        (lambda labels: [one[:, None] for one in labels], "the labels of series 0 have shape"),
        (lambda labels: [np.zeros(len(labels[0])), *labels[1:]], "of different types"),
        (lambda labels: [np.full(len(one), "idle") for one in labels], r"the classes \['idle'\]"),
        (lambda labels: [np.full(len(one), np.nan) for one in labels], "NaN or infinity: name the label"),
        (lambda labels: None, "requires y to be passed"),
        (lambda labels: "idle", "y is of the type str"),
    ],
)
def test_wrong_labels_are_refused(data, change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ChainHeadSegmenter(**SMALL).fit(data[0], change(data[1]))


def test_not_fitted():
    with pytest.raises(NotFittedError):
        ChainHeadSegmenter().predict([np.zeros((1, 5))])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_labels_that_are_missing_are_told(missing):
    labels = np.array(["u"] * 6 + ["v"] * 6, object)
    labels[4] = missing
    with pytest.raises(ValueError, match="y holds None or NaN: give nodes without a label one of their own"):
        ChainHeadSegmenter().fit([np.arange(12.0)], [labels])
