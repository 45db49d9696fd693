"""Numbers that the precision of a model cannot hold are refused before anything is fitted."""

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin.checks.precision import check_apart_in_float32, check_squares
from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadForecaster, ChainHeadRegressor

NUMBERS = np.random.default_rng(0).normal(size=(20, 1, 30))


def test_squares():
    for scale in (1e-140, 1.0, 1e140, 0.0):
        check_squares("it", np.array([[scale, np.nan], [0, -scale]]))
    with pytest.raises(
        ValueError, match=r"it has a largest value of 2e\+160, expected .* divide it by a number"
    ):
        check_squares("it", np.array([1.0, np.nan, -2e160]))
    with pytest.raises(ValueError, match=r"largest value of 2e-160, .* multiply it by a number"):
        check_squares("it", np.array([0.0, 2e-160]))


def test_float32():
    check_apart_in_float32("labels", np.array([[1.0, 1e38], [2.0, 2e38]]))
    with pytest.raises(ValueError, match=r"labels reach 1e\+39, more than float32 can hold: divide"):
        check_apart_in_float32("labels", np.array([1.0, -1e39]))
    with pytest.raises(ValueError, match="labels lie around 1000000000 and vary by"):
        check_apart_in_float32("labels", np.array([1e9, 1e9 + 1]))


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: ChainHeadRegressor().fit(NUMBERS, 1e200 * NUMBERS[:, 0, 0]), "labels reach .* float32"),
        (lambda: ChainHeadClassifier().fit(1e-300 * NUMBERS, ["a", "b"] * 10), "too small for float32"),
        (lambda: ChainHeadClassifier().fit(1e300 * NUMBERS, ["a", "b"] * 10), "too large for float32"),
        (
            lambda: ChainHeadForecaster().fit(1e200 * NUMBERS.ravel(), horizon=3),
            "series 0 has a largest value",
        ),
        (
            lambda: ChainHeadForecaster().fit(1e-200 * NUMBERS.ravel(), horizon=3),
            "series 0 has a largest value",
        ),
    ],
)
def test_estimators_refuse_what_they_cannot_hold(fit, message):
    with pytest.raises(ValueError, match=message):
        fit()


@pytest.mark.parametrize("quantiles", [(0.5, 1.5), (0.0, 0.5), (0.9, 0.5), (0.5, "0.9")])
def test_levels_of_quantiles_are_checked_before_the_fit(quantiles):
    series = pd.Series(NUMBERS.ravel())
    with pytest.raises((TypeError, ValueError), match="quantiles"):
        ChainHeadForecaster(quantiles=quantiles).fit(series, horizon=3)
