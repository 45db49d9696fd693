"""A saved estimator knows the column names of its training data, and finds the columns in any order."""

import numpy as np
import pandas as pd
import pytest
from transformers import pipeline

import chainhead_plugin  # noqa: F401 - registers the pipelines
from chainhead_plugin.estimators import ChainHeadClassifier

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8, "random_state": 0}
LABELS = list("abababab")


@pytest.fixture(scope="module")
def panel():
    """Eight series of six days, whose index is texts, as a CSV file has them."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-01-20", periods=6).strftime("%Y-%m-%d")
    index = pd.MultiIndex.from_product([[f"s{i}" for i in range(8)], days], names=["id", "day"])
    kind = np.repeat(np.arange(8) % 2, 6)
    return pd.DataFrame({"temp": rng.normal(3 * kind), "hum": rng.normal(size=48)}, index=index)


def labels_of(results):
    return [result[0]["label"] for result in results]


def test_channels_of_a_panel(panel, tmp_path):
    ChainHeadClassifier(**SMALL).fit(panel, LABELS).save_pretrained(tmp_path)
    classify = pipeline("time-series-classification", model=str(tmp_path))
    turned = panel[["hum", "temp"]]
    results = classify(panel)
    assert labels_of(results) == LABELS
    assert classify(turned) == results
    assert classify(turned.reset_index(level=1, drop=True).loc["s1"].reset_index(drop=True)) == results[1]
    with pytest.raises(ValueError, match="missing hum; unknown humidity"):
        classify(panel.rename(columns={"hum": "humidity"}))
    assert ChainHeadClassifier.from_pretrained(tmp_path).score(turned, LABELS) == 1


def test_nodes_of_a_table_with_a_series_a_row(panel, tmp_path):
    table = pd.DataFrame(panel["temp"].to_numpy().reshape(8, 6), columns=["t0", "t1", "t2", "t3", "t4", "t5"])
    fitted = ChainHeadClassifier(**SMALL).fit(table, LABELS)
    fitted.save_pretrained(tmp_path)
    classify = pipeline("time-series-classification", model=str(tmp_path))
    results = classify(table)
    assert labels_of(results) == fitted.predict(table).tolist()
    assert classify(table[table.columns[::-1]]) == results
    assert ChainHeadClassifier.from_pretrained(tmp_path).predict(table).tolist() == labels_of(results)


def test_columns_of_several_levels_are_no_steps(panel):
    names = pd.MultiIndex.from_product([["temp", "hum"], range(3)])
    with pytest.raises(ValueError, match="columns of X have 2 levels, expected a name for each"):
        ChainHeadClassifier(**SMALL).fit(pd.DataFrame(np.zeros((8, 6)), columns=names), LABELS)
