"""How a model stands against peers and naive forecasts, where one of them has no error at all."""

from chainhead_plugin.recipes.candidates.peers import CHAIN, NO_HOPS
from chainhead_plugin.recipes.results.verdict import verdict
from chainhead_plugin.recipes.tasks.forecasting import Forecasting

METRIC = Forecasting().metric


def measured(mean):
    name = f"test_{METRIC.name}"
    return {f"{name}_mean": mean, f"{name}_sd": 0.25, "title": "a model", "parameters": 3}


def test_a_constant_test_part_has_naive_forecasts_without_error():
    naive = {"last value": {f"test_{METRIC.name}": 0.0}}
    (sentence,) = verdict({CHAIN: measured(0.5)}, METRIC, naive)
    assert sentence.endswith(f"it has +0.5 {METRIC.title}.")
    (sentence,) = verdict({CHAIN: measured(0.5), NO_HOPS: measured(0.0)}, METRIC)
    assert f"+0.5 {METRIC.title}, next to a standard deviation over the seeds of 0.25" in sentence
    (sentence,) = verdict({CHAIN: measured(0.5)}, METRIC, {"last value": {f"test_{METRIC.name}": 1.0}})
    assert sentence.endswith(f"it has -50.0 % {METRIC.title}.")
