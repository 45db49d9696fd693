"""Missing values: interpolated as a plain loop over series and features does it, and refused without the option."""

import json

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import ChainHeadFeatureExtractor
from chainhead_plugin.inputs.filling import fill_missing, usual_values


def plainly(nodes, lengths, usual):
    parts = []
    for series in np.split(nodes.astype(np.float64), np.cumsum(lengths)[:-1]):
        filled = series.copy()
        for feature, column in enumerate(series.T):
            known = np.flatnonzero(~np.isnan(column))
            places = np.arange(len(column))
            filled[:, feature] = (
                np.interp(places, known, column[known])
                if len(known)
                else np.full(len(column), usual[feature])
            )
        parts.append(filled)
    return np.concatenate(parts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_as_a_plain_loop(dtype, share):
    rng = np.random.default_rng(0)
    lengths = np.array([1, 2, 3, 63, 64, 65, 1])
    nodes = rng.normal(size=(lengths.sum(), 3)).astype(dtype)
    nodes[rng.random(nodes.shape) < share] = np.nan
    before = nodes.copy()
    filled = fill_missing(nodes, lengths, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(filled, plainly(nodes, lengths, [1.0, 2.0, 3.0]), rtol=1e-6)
    assert filled.dtype == dtype
    np.testing.assert_array_equal(nodes, before)  # users' arrays stay as they are


def test_nothing_crosses_from_series_to_series():
    nodes = np.array([[1.0], [np.nan], [np.nan], [9.0]])
    assert fill_missing(nodes, np.array([2, 2])).ravel().tolist() == [1, 1, 9, 9]


def test_a_series_without_a_feature_needs_a_usual_value():
    nodes = np.array([[1.0, 2.0], [3.0, np.nan]])
    with pytest.raises(ValueError, match="sequence 1 has no value of feature 1 at all"):
        fill_missing(nodes, np.array([1, 1]))
    assert fill_missing(nodes, np.array([1, 1]), usual_values(nodes)).tolist() == [[1, 2], [3, 2]]
    with pytest.raises(ValueError, match="feature 0 has no value in any sequence"):
        usual_values(np.full((2, 2), np.nan))


@pytest.mark.parametrize(
    "series",
    [
        [1.0, float("nan"), 3.0],
        [1.0, None, 3.0],
        np.array([1.0, np.nan, 3.0]),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1.0, None, 3.0]),
    ],
    ids=["nan", "none", "array", "nullable", "pandas"],
)
def test_every_way_to_say_missing(series):
    extractor = ChainHeadFeatureExtractor(1, interpolate_missing=True)
    assert extractor(series)["input_features"].ravel().tolist() == [1, 2, 3]
    with pytest.raises((TypeError, ValueError)):
        ChainHeadFeatureExtractor(1)(series)


def test_infinity_stays_an_error():
    with pytest.raises(ValueError, match="sequence 0, node 1, feature 0: got inf"):
        ChainHeadFeatureExtractor(1, interpolate_missing=True)([1.0, float("inf")])


def test_statistics_are_those_of_filled_series():
    series = [np.array([[0.0, 1.0], [np.nan, 1.0], [4.0, 3.0]]), np.array([[6.0, np.nan]])]
    extractor = ChainHeadFeatureExtractor(2, interpolate_missing=True).fit(series)
    assert extractor.mean == [3.0, pytest.approx((1 + 1 + 3 + 5 / 3) / 4)]
    alike = extractor([np.array([[np.nan, 1.0]])])["input_features"]
    assert alike[0, 0, 0] == 0  # a series without the feature has its mean


def test_each_standardised_by_itself():
    extractor = ChainHeadFeatureExtractor(2, standardize_each=True, interpolate_missing=True)
    features = extractor(np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]]))["input_features"][0]
    np.testing.assert_allclose(features[:, 0], [-np.sqrt(1.5), 0, np.sqrt(1.5)], rtol=1e-6)
    assert (features[:, 1] == 0).all()


def test_the_option_travels_and_is_left_out_where_it_says_nothing(tmp_path):
    for is_on in (True, False):
        ChainHeadFeatureExtractor(1, interpolate_missing=is_on).save_pretrained(tmp_path)
        written = json.loads((tmp_path / "preprocessor_config.json").read_text())
        assert written.get("interpolate_missing", False) == is_on
        assert ("interpolate_missing" in written) == is_on
        assert ChainHeadFeatureExtractor.from_pretrained(tmp_path).interpolate_missing == is_on
