"""The comparison of a model with peers and naive forecasts, some of them without an error, or an undefined error."""

import math

import pytest

from chainhead_plugin.recipes.candidates.peers import CHAIN, NO_HOPS
from chainhead_plugin.recipes.metrics.metric import Outcome
from chainhead_plugin.recipes.results.verdict import verdict
from chainhead_plugin.recipes.tasks.forecasting import Forecasting
from chainhead_plugin.recipes.training.report import Baseline, ModelReport, Report

METRIC = Forecasting().metric


def report(chain, no_hops=None, naive=None, **models):
    means = {CHAIN: chain, **({} if no_hops is None else {NO_HOPS: no_hops}), **models}
    found = {
        name: ModelReport(
            name, mean, {METRIC.name: Outcome((mean - 0.25, mean, mean + 0.25))}, 1.0, 0.1, parameters=3
        )
        for name, mean in means.items()
    }
    baselines = {} if naive is None else {"last value": Baseline(naive, {METRIC.name: Outcome((naive,))})}
    return Report((METRIC,), (0, 1, 2), {}, {}, found, [], {}, {}, baselines=baselines)


def test_a_constant_test_part_has_naive_forecasts_without_error():
    (sentence,) = verdict(report(0.5, naive=0.0))
    assert sentence.endswith(f"it has +0.5 {METRIC.title}.")
    (sentence,) = verdict(report(0.5, no_hops=0.0))
    assert f"+0.5 {METRIC.title}, next to a standard deviation over the seeds of 0.25" in sentence
    (sentence,) = verdict(report(0.5, naive=1.0))
    assert sentence.endswith(f"it has -50.0 % {METRIC.title}.")


def test_nothing_is_said_of_a_metric_that_is_not_defined():
    assert verdict(report(math.nan, no_hops=0.5, naive=1.0, gru=2.0)) == []
    assert verdict(report(0.5, no_hops=math.nan, naive=math.nan)) == []
    (sentence,) = verdict(report(0.5, lstm=math.nan, gru=0.125))
    assert sentence.startswith("**The chain head is less accurate than** gru (+300.0 % ")


def test_a_difference_needs_two_values():
    with pytest.raises(ValueError, match="is not defined for every seed"):
        METRIC.difference(Outcome((0.5,)), Outcome((math.nan,)))
