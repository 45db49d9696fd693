"""Quantiles of errors: their levels, the weight of old errors, and wider quantiles from few errors."""

import numpy as np
import pytest

from chainhead_plugin.forecasts.bands import ErrorRecord, band_of

LEVELS = [0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95]


def errors_of(count, steps=3, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=(count, steps)) * np.sqrt(np.arange(1, steps + 1))


def share_within(band, errors):
    low, high = band[:, LEVELS.index(0.1)], band[:, LEVELS.index(0.9)]
    return ((low <= errors) & (errors <= high)).mean(0)


def test_each_step_has_its_own_width():
    band = band_of(errors_of(2000), np.ones(2000), LEVELS)
    np.testing.assert_allclose(share_within(band, errors_of(5000, seed=1)), 0.8, atol=0.02)
    assert (np.diff(band, axis=1) > 0).all()
    assert (band[:, LEVELS.index(0.5)] == 0).all()


def test_missing_errors_do_not_count():
    errors = errors_of(50)
    with_gaps = np.concatenate([errors, np.full((9, 3), np.nan)])
    np.testing.assert_allclose(
        band_of(with_gaps, np.ones(59), LEVELS), band_of(errors, np.ones(50), LEVELS), rtol=1e-12
    )


def test_weights_are_copies():
    errors = errors_of(60, steps=1)
    weights = np.ones(60)
    weights[:30] = 2
    doubled = np.concatenate([errors[:30], errors])
    np.testing.assert_allclose(
        band_of(errors, weights, LEVELS), band_of(doubled, np.ones(90), LEVELS), atol=0.05
    )


def record_of(errors, memory=50.0, steps=1.0):
    count = len(errors)
    return ErrorRecord(errors, np.arange(count), np.full(count, steps), memory)


def test_recent_errors_count_more():
    errors = np.concatenate([errors_of(300, scale=5), errors_of(300)])
    band = record_of(errors).band(600, LEVELS)
    np.testing.assert_allclose(share_within(band, errors_of(5000, seed=1)), 0.8, atol=0.06)


def test_fewer_independent_errors_make_a_wider_band():
    errors = errors_of(40)
    widths = [np.ptp(record_of(errors, 1e9, steps).band(40, LEVELS), axis=1) for steps in (10.0, 1.0, 0.1)]
    assert (np.diff(widths, axis=0) > 0).all()


def test_new_errors_move_the_band_and_old_ones_are_forgotten():
    record = record_of(errors_of(300, scale=4), memory=20)
    for begin in range(300, 500, 50):
        origins = np.arange(begin, begin + 50)
        record = record.followed_by(errors_of(50, seed=begin), origins)
    np.testing.assert_allclose(share_within(record.band(500, LEVELS), errors_of(5000, seed=2)), 0.8, atol=0.1)
    assert record.origins[0] > 499 - 10 * 20


def test_forecasts_of_the_same_origin_are_replaced():
    record = record_of(errors_of(30)).followed_by(errors_of(10, seed=1), np.arange(25, 35))
    np.testing.assert_array_equal(record.origins, np.arange(35))
    np.testing.assert_array_equal(record.errors[25:], errors_of(10, seed=1))


@pytest.mark.parametrize("count", [3, 6, 20])
def test_few_independent_errors_widen(count):
    """Over many samples, bands of `count` normal errors hold their share of the next one."""
    held = []
    for seed in range(300):
        errors = errors_of(count + 1, steps=1, seed=seed)
        band = band_of(errors[:count], np.ones(count), LEVELS, independent=count)
        held.append(share_within(band, errors[count:]))
    assert 0.72 < np.mean(held) < 0.88
