"""Scores of forecasts against their definitions."""

import numpy as np
import pytest

from chainhead_plugin.forecasts.metrics import forecast_scores, naive_scale

LEVELS = [0.1, 0.5, 0.9]


def test_every_score_by_hand():
    quantiles = np.array([[1.0, 2, 3], [3, 5, 7], [0, 0, 0]])
    future = np.array([2.5, 8.0, np.nan])
    scores = forecast_scores(quantiles, future, LEVELS, 2.0)
    assert scores["mae"] == pytest.approx((0.5 + 3) / 2)
    assert scores["rmse"] == pytest.approx(((0.25 + 9) / 2) ** 0.5)
    assert scores["mase"] == pytest.approx((0.5 + 3) / 4)
    assert scores["smape"] == pytest.approx((2 * 0.5 / 4.5 + 2 * 3 / 13) / 2)
    assert scores["wape"] == pytest.approx(3.5 / 10.5)
    losses = [(0.1 * 1.5 + 0.5 * 0.5 + 0.1 * 0.5) / 3, (0.1 * 5 + 0.5 * 3 + 0.9 * 1) / 3]
    assert scores["wql"] == pytest.approx(2 * sum(losses) / 10.5)
    assert scores["coverage"] == 0.5


def test_nothing_is_divided_by_zero():
    scores = forecast_scores(np.zeros((2, 3)), np.zeros(2), LEVELS, 0.0)
    assert {"mase", "wape", "wql"}.isdisjoint(scores)
    assert scores["smape"] == 0


def test_the_naive_scale():
    assert naive_scale(np.array([1.0, 2, 4, np.nan, 5]), 1) == pytest.approx(1.5)
    assert naive_scale(np.array([1.0, 2, 4, 8]), 2) == pytest.approx(4.5)
    assert naive_scale(np.array([1.0]), 7) == 0
