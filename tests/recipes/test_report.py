"""Reports are saved as JSON and read again, also by versions with more or fewer fields."""

import json
import math

import pytest

from chainhead_plugin.recipes.metrics.metric import Outcome
from chainhead_plugin.recipes.tasks.forecasting import Forecasting
from chainhead_plugin.recipes.training.report import Baseline, Measurement, ModelReport, Report

METRICS = Forecasting().metrics
NAMES = [metric.name for metric in METRICS]


def measured(*values):
    return [Measurement(dict.fromkeys(NAMES, value), 2.5, 0.12345) for value in values]


REPORT = Report(
    METRICS,
    (3, 4),
    {"num_train_epochs": 2},
    {"train": 8, "test": 4},
    {
        "chain": ModelReport.of_tests("chain head", 1.5, measured(1.0, 3.0), parameters=9, learning_rate=0.1),
        "dtw": ModelReport.of_tests("DTW", 2.0, measured(1.0, math.nan), gives_scores=False, notes=("slow",)),
    },
    [{"epoch": 1.0, "loss": 0.5}],
    {"torch": "2"},
    {"processor": "a", "cores": 2, "threads_used": 1},
    not_run={"Theta": "it needs statsforecast"},
    baselines={"last value": Baseline(1.0, {name: Outcome((2.0,)) for name in NAMES})},
    frozen={"encoder": {"parameters": 5}},
    findings={"season": 3},
)


def test_outcomes():
    chain, dtw = REPORT.models["chain"].outcomes[NAMES[0]], REPORT.models["dtw"].outcomes[NAMES[0]]
    assert (chain.mean, chain.sd) == (2.0, pytest.approx(2**0.5))
    assert not dtw.is_defined
    assert dtw.mean is dtw.sd is None
    assert REPORT.models["chain"].prediction_seconds == 0.1235


def test_saved_and_read_again():
    saved = json.loads(json.dumps(REPORT.to_json(), allow_nan=False))
    read = Report.from_json(saved, METRICS)
    assert read.to_json() == saved
    assert read.models["chain"] == REPORT.models["chain"]
    assert read.models["dtw"].notes == ("slow",)
    assert (read.frozen, read.findings, read.not_run) == (REPORT.frozen, REPORT.findings, REPORT.not_run)
    assert read.baselines == REPORT.baselines


def test_results_without_the_metrics_and_facts_that_came_later():
    saved = REPORT.to_json()
    for model in saved["models"].values():
        del model["prediction_seconds"], model[f"test_{NAMES[-1]}"]
    for part in ("examples", "history"):
        del saved[part]
    read = Report.from_json(saved, METRICS)
    assert read.metrics == METRICS[:-1]
    assert read.models["chain"].prediction_seconds is None
    assert read.history == []
