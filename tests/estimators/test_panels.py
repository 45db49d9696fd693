"""Series in every supported data type give the same predictions; errors say what to do."""

import numpy as np
import pandas as pd
import pytest
import torch

from chainhead_plugin import RandomChainStream, tables
from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadForecaster, ChainHeadRegressor

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8, "random_state": 0}


@pytest.fixture(scope="module")
def two_channels():
    """Series [24, 2, 30], in aeon's order, and their labels."""
    series = np.random.default_rng(0).standard_normal((24, 2, 30))
    labels = np.arange(24) % 2
    series[labels == 1, 1] = series[labels == 1, 1].cumsum(-1)
    return series, labels


@pytest.fixture(scope="module")
def fitted(two_channels):
    return ChainHeadClassifier(**SMALL).fit(*two_channels)


def long_frame(series):
    index = pd.MultiIndex.from_product([range(len(series)), range(series.shape[2])])
    return pd.DataFrame(
        series.transpose(0, 2, 1).reshape(-1, series.shape[1]), index=index, columns=["a", "b"]
    )


@pytest.mark.parametrize(
    "form",
    [
        list,
        torch.from_numpy,
        long_frame,
        lambda series: [one.tolist() for one in series],
        lambda series: list(map(torch.tensor, series)),
    ],
    ids=["list", "tensor", "frame of two levels", "nested lists", "list of tensors"],
)
def test_forms_of_the_same_series(two_channels, fitted, form):
    series, labels = two_channels
    again = ChainHeadClassifier(**SMALL).fit(form(series), labels)
    assert again.n_channels_in_ == 2
    np.testing.assert_array_equal(again.predict_proba(form(series)), fitted.predict_proba(series))


def test_forms_of_a_table(two_channels):
    series, labels = two_channels
    table = series[:, 1]
    expected = ChainHeadClassifier(**SMALL).fit(table, labels).predict_proba(table)
    frame = pd.DataFrame(table, columns=[f"t{step}" for step in range(30)])
    for form in (table[:, None], list(table), table.tolist(), torch.from_numpy(table), frame):
        again = ChainHeadClassifier(**SMALL).fit(form, labels)
        np.testing.assert_array_equal(again.predict_proba(form), expected)
    assert list(again.feature_names_in_) == list(frame.columns)


def test_series_of_any_length_are_answered_alone_as_in_a_batch(two_channels, fitted):
    series, _ = two_channels
    pieces = [one[:, : 12 + 3 * (number % 7)] for number, one in enumerate(series)]
    together = fitted.predict_proba(pieces)
    alone = np.concatenate([fitted.predict_proba([piece]) for piece in pieces])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_arrays_of_arrays_are_lists(two_channels, fitted):
    series, _ = two_channels
    ragged = np.empty(3, object)
    ragged[:] = [series[0, :, :20], series[1, :, :25], series[2]]
    assert fitted.predict(ragged).shape == (3,)


@pytest.mark.parametrize(
    "missing",
    [
        lambda s: np.ma.masked_less(s, -1),
        lambda s: long_frame(s).astype("Float64").where(lambda x: x >= -1),
    ],
    ids=["masked", "nullable"],
)
def test_ways_to_say_that_a_value_is_missing(two_channels, fitted, missing):
    series, _ = two_channels
    expected = fitted.predict_proba(np.where(series < -1, np.nan, series))
    np.testing.assert_allclose(fitted.predict_proba(missing(series)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda s: [s[0, :, :20].T, s[1].T], r"looks like \[length, channels\].*transpose them"),
        (lambda s: s[:, :1], "X has 1 channels, but ChainHeadClassifier was fitted to 2"),
        (lambda s: [s[0], s[1, :1, :20]], "from 1 to 2 channels"),
        (lambda s: [s[0], s[1, :, :0]], r"series 1 of X has shape \[2, 0\]"),
        (lambda s: [s[0], np.full((2, 5), np.nan)], "series 1 of X has no value at all"),
        (lambda s: s * 1e300, "too large for float32"),
        (lambda s: s[:0], "expected .series, channels, length. of at least 1"),
        (lambda s: np.ma.masked_less(s, 1e9), "series 0 of X has no value at all"),
        (lambda s: s * np.inf, "series 0 of X holds infinity"),
        (lambda s: s[0, 0], "Expected 2D array, got 1D array"),
        (lambda s: [s[None, 0], s[None, 1]], r"series 0 of X has shape \[1, 2, 30\]"),
    ],
)
def test_errors_of_values(two_channels, fitted, wrong, message):
    with pytest.raises(ValueError, match=message):
        fitted.predict(wrong(two_channels[0]))


def test_axes_that_look_turned_are_told(two_channels):
    nodes_first = np.random.default_rng(0).standard_normal((12, 40, 2))
    for X, remedy in (
        (nodes_first, r"X.transpose\(0, 2, 1\)"),
        (list(nodes_first), "transpose each of them"),
    ):
        with pytest.warns(UserWarning, match=f"40 channels of 2 nodes each.*{remedy}"):
            ChainHeadClassifier(**SMALL).fit(X, np.arange(12) % 2)


def test_errors_of_types(two_channels, fitted):
    series, _ = two_channels
    with pytest.raises(TypeError, match="series 1 of X holds"):
        fitted.predict([series[0], np.full((2, 5), "a")])
    with pytest.raises(TypeError, match="cells of X hold whole series"):
        fitted.predict(pd.DataFrame({"a": [series[0, 0]], "b": [series[0, 1]]}))
    with pytest.raises(TypeError, match="series 0 of X is a DataFrame"):
        fitted.predict([long_frame(series[:1]).droplevel(0)])


@pytest.mark.parametrize("wrong", [iter, lambda s: {"X": s}])
def test_what_is_no_set_of_series_is_named(two_channels, fitted, wrong):
    with pytest.raises(TypeError, match=r"X is of the type .*, expected a table"):
        fitted.predict(wrong(list(two_channels[0])))


def test_numbers_and_truth_values_of_pandas_own_kinds(two_channels, fitted):
    series, labels = two_channels
    frame = long_frame(series)
    np.testing.assert_array_equal(fitted.predict_proba(frame.astype("Float64")), fitted.predict_proba(frame))
    flags = pd.Series(labels == 1, dtype="boolean")
    assert ChainHeadClassifier(**SMALL).fit(series, flags).classes_.tolist() == [False, True]


@pytest.mark.parametrize("estimator", [ChainHeadClassifier, ChainHeadRegressor])
def test_labels_with_the_names_of_series_are_matched_by_them(two_channels, estimator):
    series, labels = two_channels
    frame, named = long_frame(series), pd.Series(labels)
    expected, found = (
        estimator(**SMALL).fit(frame, y)._logits(frame)
        for y in (labels, named.sample(frac=1, random_state=0))
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("none", [None, np.nan, pd.NA])
def test_series_without_a_label_are_named(two_channels, none):
    series, labels = two_channels
    y = pd.Series(np.where(labels, "walk", "noise"), dtype=object)
    y[3] = none
    with pytest.raises(ValueError, match=f"no label for series 3, only {none}: leave the series out"):
        ChainHeadClassifier(**SMALL).fit(series, y)


def test_values_that_float32_cannot_tell_apart_are_refused(two_channels):
    series, labels = two_channels
    with pytest.raises(ValueError, match=r"labels lie around 100000000.5 .*such as 100000000"):
        ChainHeadRegressor(**SMALL).fit(series, 1e8 + labels)


def test_frames_out_of_order_are_refused(two_channels, fitted):
    frame = long_frame(two_channels[0][:2])
    with pytest.raises(ValueError, match="times of series 0 of X are not in order"):
        fitted.predict(frame.iloc[[1, 0, *range(30, 60)]])


def test_a_table_keeps_its_length(two_channels):
    series, labels = two_channels
    fitted = ChainHeadClassifier(**SMALL).fit(series[:, 0], labels)
    with pytest.raises(ValueError, match="X has 20 features, but ChainHeadClassifier is expecting 30"):
        fitted.predict(series[:, 0, :20])
    assert fitted.predict(list(series[:, 0, :20])).shape == (24,)


def test_channels_of_frames_are_matched_by_name(tmp_path):
    rng = np.random.default_rng(0)
    series = rng.standard_normal((12, 2, 20))
    series[1::2, 0] = series[1::2, 0].cumsum(-1)
    frame = long_frame(series)
    fitted = ChainHeadClassifier(random_state=0, num_biases=1).fit(frame, [0, 1] * 6)
    fitted.save_pretrained(tmp_path)
    for classifier in (fitted, ChainHeadClassifier.from_pretrained(tmp_path)):
        expected = classifier.predict_proba(series)
        assert np.array_equal(classifier.predict_proba(frame[["b", "a"]]), expected)
        with pytest.raises(
            ValueError, match="has the columns a, c, but ChainHeadClassifier was fitted to a, b"
        ):
            classifier.predict(frame.rename(columns={"b": "c"}))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("num_groups", -1, "num_groups must be a whole number"),
        ("batch_size", 0, "batch_size == 0, must be >= 1"),
    ],
)
def test_parameters_out_of_bounds_are_value_errors(option, value, said):
    series = np.random.default_rng(0).standard_normal((4, 1, 12))
    with pytest.raises(ValueError, match=said):
        ChainHeadClassifier(**{option: value}).fit(series, [0, 1, 0, 1])


@pytest.mark.parametrize("estimator", [ChainHeadClassifier, ChainHeadRegressor])
def test_high_levels_are_told_apart_like_low_ones(tmp_path, estimator):
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    series = [
        (rng.normal(size=(1, length)) + 2 * np.linspace(label, 1 - label, length)).round(3)
        for length, label in zip(rng.integers(20, 30, 24), labels, strict=True)
    ]
    raised = [one + 1e8 for one in series]
    low, high = (estimator(**SMALL).fit(X, labels) for X in (series, raised))
    assert high.left_out_score_ == pytest.approx(low.left_out_score_, abs=0.05)
    assert low.left_out_score_ > 0.4

    high.save_pretrained(tmp_path)
    answers = high._logits(raised)
    np.testing.assert_array_equal(estimator.from_pretrained(tmp_path)._logits(raised), answers)
    stream = RandomChainStream(*high.to_transformers())
    np.testing.assert_allclose(stream.logits(raised[0].T), answers[0], atol=1e-4)


def repeated_rows():
    rows = [(f"s{i}", step, i % 2 + step / 7, -step) for i in range(4) for step in range(8)]
    return pd.DataFrame(rows, columns=["id", "step", "a", "b"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows, r"X holds texts, expected numbers \(.*\): .* X.set_index\(\[series, time\]\)"),
        (
            lambda rows: pd.concat([rows, rows[3:4]]).sort_values(["id", "step"]).set_index(["id", "step"]),
            "series s0 of X has the time 3 twice: leave one of the rows out",
        ),
        (
            lambda rows: rows.assign(id=rows["id"].where(rows.index != 5)).set_index(["id", "step"]),
            "the index of X lacks the series of some rows",
        ),
    ],
)
def test_long_tables_that_lack_an_index_or_repeat_a_row(change, message):
    with pytest.raises(ValueError, match=message):
        ChainHeadClassifier().fit(change(repeated_rows()), ["u", "v", "u", "v"])


def test_levels_of_an_index_in_another_order_are_told():
    frame = repeated_rows().assign(step=pd.date_range("2025-01-01", periods=8).tolist() * 4)
    turned = frame.set_index(["step", "id"]).sort_index()
    told = r"the index step, id, of which step holds times: expected .* swaplevel\(0, 1\)"
    with pytest.raises(ValueError, match=f"X has {told}"):
        ChainHeadClassifier().fit(turned, ["u", "v"] * 4)
    for y in (turned, turned["a"], frame.assign(id=frame.index // 8).set_index(["step", "id"])):
        with pytest.raises(ValueError, match=f"y has {told}"):
            ChainHeadForecaster().fit(y, horizon=2)
    with pytest.raises(ValueError, match=f"the DataFrame has {told}"):
        tables.load(turned)

    hours = frame.assign(id=frame.index // 8).set_index(["step", "id"])
    assert len(tables.load(hours)) == 8  # days, and their hours as numbers
