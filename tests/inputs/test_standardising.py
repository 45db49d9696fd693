"""Each series standardised by itself, compared with NumPy series by series."""

import numpy as np
import pytest

import chainhead_plugin as c

LENGTHS = [1, 2, 3, 63, 64, 65]


def alone(series):
    return (series - series.mean(0)) / np.where(series.std(0) > 0, series.std(0), 1)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_has_mean_0_and_deviation_1(side, dtype):
    rng = np.random.default_rng(0)
    many = [(rng.normal(rng.uniform(-9, 9), rng.uniform(0.1, 50), (n, 2))).astype(dtype) for n in LENGTHS]
    extractor = c.ChainHeadFeatureExtractor(2, standardize_each=True, padding_side=side, padding_value=7.0)
    batch = extractor(many, return_tensors="np")
    for row, mask, series in zip(batch["input_features"], batch["attention_mask"], many, strict=True):
        np.testing.assert_allclose(row[mask == 1], alone(series.astype(np.float64)), rtol=1e-5, atol=1e-6)
        assert (row[mask == 0] == 7).all()


def test_constant_features_are_zero():
    series = np.stack((np.full(50, 0.1), np.arange(50.0)), 1)
    found = c.ChainHeadFeatureExtractor(2, standardize_each=True)(series)["input_features"][0]
    assert not found[:, 0].any()
    assert found[:, 1].std() == pytest.approx(1, abs=1e-6)
    assert not c.ChainHeadFeatureExtractor(1, standardize_each=True)(np.array([5.0]))["input_features"].any()


def test_the_whole_series_counts_where_it_is_cut():
    extractor = c.ChainHeadFeatureExtractor(1, standardize_each=True)
    found = extractor(np.arange(8.0), truncation=True, max_length=3)["input_features"][0, :, 0]
    np.testing.assert_allclose(found, alone(np.arange(8.0)[:, None])[:3, 0], rtol=1e-6)


def test_it_is_saved(tmp_path):
    c.ChainHeadFeatureExtractor(1, standardize_each=True).save_pretrained(tmp_path)
    loaded = c.ChainHeadFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.standardize_each
    assert loaded.to_dict()["standardize_each"] is True


def test_what_contradicts_it_is_named():
    with pytest.raises(ValueError, match="contradicts do_normalize, mean and std"):
        c.ChainHeadFeatureExtractor(1, standardize_each=True, mean=[0.0], std=[1.0])
    with pytest.raises(ValueError, match="contradicts"):
        c.ChainHeadFeatureExtractor(1, standardize_each=True, do_normalize=True)
    with pytest.raises(TypeError, match="standardize_each must be True or False, got 'yes' of type str"):
        c.ChainHeadFeatureExtractor(1, standardize_each="yes")
    with pytest.raises(ValueError, match=r"fit\(\) has no effect"):
        c.ChainHeadFeatureExtractor(1, standardize_each=True).fit(np.ones((4, 1)))
