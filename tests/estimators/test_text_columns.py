"""`chainhead train` on tables whose only column of texts may be the label, or tell series apart."""

import numpy as np
import pandas as pd
import pytest
from command_line import invoke

from chainhead_plugin.estimators import ChainHeadForecaster


def told_of(table, folder, *options):
    """Write a table, train on it in vain, and return the error in one line."""
    table.to_csv(folder / "a.csv", index=False)
    return " ".join(invoke("train", folder / "a.csv", *options, "-o", folder / "model", code=1).split())


@pytest.mark.parametrize(
    ("cell", "told"), [("inf", "holds inf, expected a finite"), ("n/a", "--missing n/a")]
)
def test_a_fault_beside_labels_is_told(tmp_path, cell, told):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(8, 20))).add_prefix("v").astype(object)
    table.insert(0, "kind", ["a", "b"] * 4)
    table.loc[5, "v3"] = cell
    said = told_of(table, tmp_path)
    assert "With kind as the label: a.csv, row 7, column v3 holds" in said
    assert told in said


def test_texts_beside_times_may_tell_series_apart(tmp_path):
    days = pd.date_range("2024-01-01", periods=30)
    parts = [
        pd.DataFrame({"STORE": name, "DATE": days, "SALES": range(30)}) for name in ("Süd", "north west")
    ]
    said = told_of(pd.concat(parts), tmp_path)
    assert (
        "column STORE holds texts, and for each of them times of its own: say --series STORE to forecast"
        in said
    )
    assert "--label STORE to learn it" in said


def test_forecasts_have_no_labels(tmp_path):
    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=40), "load": range(40), "label": 1})
    said = told_of(table, tmp_path, "--task", "forecasting")
    assert "labels (label) have no effect on forecasts" in said
    assert "leave the column out (--drop label)" in said
    said = told_of(table, tmp_path, "--task", "forecasting", "--label", "label")
    assert "leave out --label, and the column (--drop label)" in said


def test_texts_beside_labels_may_tell_series_apart(tmp_path):
    rows = [(f"P{i}", f"2024-01-0{day}", i % 2 + day, "ab"[i % 2]) for i in range(4) for day in range(1, 9)]
    table = pd.DataFrame(rows, columns=["patient", "date", "x", "label"])
    assert "column patient holds texts, and tells 4 series apart" in told_of(table, tmp_path)
    table["patient"] = ["u", "v"] * 16  # tells nothing apart that has a single label
    assert "column patient holds 'u', expected a number" in told_of(table, tmp_path)


def test_scores_in_small_units_are_shown(tmp_path):
    """An error of a billionth is not 0.0000."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(24, 20))).add_prefix("v")
    table.insert(0, "label", 1e-9 * rng.normal(size=24))
    table.to_csv(tmp_path / "a.csv", index=False)
    said = invoke("train", tmp_path / "a.csv", "--test-share", 0.3, "-o", tmp_path / "model")
    found = " ".join(said.split()).partition("root mean squared error ")[2].split()[0]
    assert 1e-10 < float(found) < 1e-8


def test_an_estimator_is_told_where_series_are_named():
    frame = pd.DataFrame(
        {"shop": ["x", "y"] * 20, "day": pd.date_range("2024-01-01", periods=40), "sales": 1.0}
    )
    with pytest.raises(ValueError, match=r"column shop holds 'x', .*set_index\(\[series, time\]\)"):
        ChainHeadForecaster().fit(frame)


def test_times_without_a_step_are_refused_before_a_model_is_trained(tmp_path):
    """A forecaster fills gaps in every later table, so it could not read even the table that it was trained on."""
    moments = pd.date_range("2024-01-01", periods=60, freq="h") + pd.to_timedelta(
        np.arange(60) ** 2 % 7, "min"
    )
    table = pd.DataFrame({"time": moments, "load": np.arange(60) % 24})
    assert "times are unevenly spaced, so that gaps cannot be filled" in told_of(table, tmp_path)
    invoke("train", tmp_path / "a.csv", "--gaps", "keep", "-o", tmp_path / "kept")
    invoke("predict", tmp_path / "kept", tmp_path / "a.csv")
