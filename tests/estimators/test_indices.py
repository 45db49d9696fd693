"""Forecasts go on with the index of pandas that they are given, whatever it is made of."""

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.estimators import ChainHeadForecaster

DAYS = pd.date_range("2024-02-20", periods=44)
VALUES = np.arange(40) % 7 + np.arange(40) / 10.0

INDICES = {
    "rows from 0": pd.RangeIndex(44),
    "rows of a later part": pd.RangeIndex(100, 144),
    "every third row": pd.RangeIndex(-3, 129, 3),
    "whole numbers": pd.Index(range(7, 51)),
    "days": DAYS,
    "days with a zone, over a change of clocks": DAYS.tz_localize("Europe/Berlin"),
    "periods": DAYS.to_period("D"),
    "days as texts": DAYS.strftime("%Y-%m-%d"),
    "German days as texts": DAYS.strftime("%d.%m.%Y"),
    "hours as texts": pd.date_range("2024-03-30", periods=44, freq="h").strftime("%Y-%m-%d %H:%M"),
    "named days as texts": DAYS.strftime("%Y-%m-%d").rename("day"),
}


@pytest.mark.parametrize("name", INDICES)
def test_a_forecast_goes_on_with_its_index(name):
    index = INDICES[name]
    series = pd.Series(VALUES, index[:40])
    found = ChainHeadForecaster().fit(series, horizon=4).predict()
    assert found.index.tolist() == index[40:].tolist()
    frame = series.to_frame("y").assign(z=1 - VALUES)
    assert ChainHeadForecaster().fit(frame[:38], horizon=2).predict().index.tolist() == index[38:40].tolist()


@pytest.mark.parametrize("index", [[3, 1, 2, *range(4, 41)], [*range(20), *range(30, 50)], [0] * 40])
def test_row_numbers_in_disorder_are_counted_anew(index):
    found = ChainHeadForecaster().fit(pd.Series(VALUES, index), horizon=2).predict()
    assert found.index.tolist() == [40, 41]


def test_an_index_of_names_tells_series_apart():
    frame = pd.DataFrame({"x": [1.0, 2.0]}, ["2024-01-01", "b"])
    assert [series.id for series in tables.load(frame)] == ["2024-01-01", "b"]
