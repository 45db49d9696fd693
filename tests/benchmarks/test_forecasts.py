"""The report of the benchmark of forecasters. The forecasters themselves are tested elsewhere."""

import numpy as np
import torch

from benchmarks.accuracy.forecast_sets import LEVELS, load_series
from benchmarks.accuracy.forecasters import FORECASTERS, OURS
from benchmarks.accuracy.forecasts import render
from chainhead_plugin.recipes.candidates.linear_networks import LinearNetwork


def row(series, model, mase, coverage=0.8):
    scores = {"mase": mase, "wql": mase / 10, "coverage": coverage}
    facts = {"steps": 100, "horizon": 5, "origins": 16}
    return {
        "series": series,
        "model": model,
        "seed": 0,
        "facts": facts,
        "scores": scores,
        "fit": 1.0,
        "predict": 0.5,
    }


def test_report_says_where_it_loses():
    rows = [row("a", OURS, 0.5), row("a", "Theta", 0.4), row("b", OURS, 0.7, 0.91), row("b", "Theta", 0.8)]
    rows.append(row("a", "MSTL", 0.4) | {"error": "ValueError: no"})
    results = {
        "machine": {"Python": "3"},
        "models": [OURS, "Theta", "MSTL"],
        "series": ["a", "b"],
        "seeds": 1,
        "rows": rows,
    }
    text = render(results)
    losses = text.split("## Where it loses")[1].split("##")[0]
    assert "- a, MASE: 25 % behind Theta." in losses
    assert "- b: its 80 % band holds 91 % of the values." in losses
    assert "b, MASE" not in losses
    assert "| a | 0.5 | **0.4** | – |" in text
    assert "| mean | 0.6 | 0.6 | – |" in text
    assert "MSTL on a: ValueError: no." in text


def test_the_shipped_series_and_its_parts():
    series = load_series("ridership")
    assert series.futures.shape == (len(series.origins), 7)
    assert series.test_start == len(series.values) - len(series.values) // 5
    np.testing.assert_array_equal(series.futures[0], series.values[series.test_start :][:7])


def test_linear_networks_follow_a_shift():
    for name in ("NLinear", "DLinear"):
        assert name in FORECASTERS
    past = torch.randn(3, 30)
    network = LinearNetwork(30, 4, len(LEVELS), is_decomposed=False)
    assert network(past).shape == (3, 4, len(LEVELS))
    torch.testing.assert_close(network(past + 5), network(past) + 5)
