"""Backtests: forecasts from past origins, and their scores."""

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin.estimators import ChainHeadForecaster, backtest
from chainhead_plugin.forecasts.metrics import forecast_scores

LEVELS = [0.1, 0.5, 0.9]
PERIODS = pd.period_range("2015-01", periods=90, freq="M", name="month")


def sales():
    rng = np.random.default_rng(0)
    return pd.Series(
        100 + 10 * np.sin(np.arange(90) * np.pi / 6) + rng.normal(size=90), PERIODS, name="sales"
    )


@pytest.mark.parametrize("strategy", ["refit", "update", "frozen"])
def test_every_origin_knows_what_came_before_it_alone(strategy):
    y = sales()
    forecaster = ChainHeadForecaster(quantiles=LEVELS)
    found = backtest(forecaster, y, horizon=3, origins=3, stride=2, strategy=strategy)
    assert found.origins == [83, 85, 87]
    assert not hasattr(forecaster, "model_")
    by_hand = forecaster.fit(y[: 87 if strategy == "refit" else 83], horizon=3)
    if strategy == "update":
        by_hand.update(y[83:85]).update(y[85:87])
    if strategy == "frozen":
        by_hand.set_params(update_bands=False)
    expected = by_hand.predict_quantiles(**({"y": y[:87]} if strategy == "frozen" else {}))
    pd.testing.assert_frame_equal(found.forecasts[-1], expected)
    assert isinstance(expected.index, pd.PeriodIndex)
    assert expected.index[0] == PERIODS[87]
    scores = forecast_scores(expected.to_numpy(), y[87:].to_numpy(), LEVELS)
    assert found.by_origin[-1]["mae"] == pytest.approx(scores["mae"])
    assert found.scores["mae"] == pytest.approx(np.mean([one["mae"] for one in found.by_origin]))


def test_series_that_ended_before_an_origin_are_left_out():
    y = sales().to_numpy()
    found = backtest(ChainHeadForecaster(quantiles=LEVELS), [y, y[:40], y[:2]], horizon=3, origins=1)
    assert [one.shape for one in found.forecasts[-1]] == [(3, 3)]
    assert found.scores["mase"] < 1.5


def test_mistakes():
    y = sales()
    for options, message in (
        ({"horizon": 0}, "horizon"),
        ({"horizon": 3, "strategy": "refits"}, "strategy must be one of refit, update, frozen"),
        ({"horizon": 12, "origins": 9}, "too few for 9 origins, 12 steps apart"),
    ):
        with pytest.raises(ValueError, match=message):
            backtest(ChainHeadForecaster(), y, **options)
