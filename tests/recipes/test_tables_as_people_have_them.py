"""Tables from practice in training and prediction: every value is right, or an error says what is wrong."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from recipe_writing import LABELLED, SHARED, write_recipe

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.data.splits import split
from chainhead_plugin.recipes.recipe_files import load_recipe

FORECAST = {
    "name": "sales",
    "task": "time-series-forecasting",
    "model": {
        "n": 4,
        "chain_length": 8,
        "prediction_length": 2,
        "channel_hops": [0, 1],
        "pooling": "flatten",
    },
    **SHARED,
}
SALES = {"target": "sales", "time": "day", "season": 7}


def trials():
    """Three subjects with eight trials of five nodes each, under labels and ids that a reader might take for others."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "subject": subject,
            "trial": trial,
            "kind": ["007", "NA"][trial % 2],
            "node": node,
            "force": rng.normal(),
            "angle": rng.normal(trial % 2 * 3),
        }
        for subject in ("None", "null", "7")
        for trial in range(8)
        for node in range(5)
    ]
    return pd.DataFrame(rows)


def sales(rows=60):
    days = pd.date_range("2025-01-01", periods=rows).strftime("%Y-%m-%d")
    return pd.DataFrame(
        {"day": days, "sales": np.arange(rows) % 7 + 0.5, "visitors": np.sin(np.arange(rows)).round(3)}
    )


def data_of(folder, content, table, name="t.csv", test=None, **data):
    write_table(table, folder / name)
    if test is not None:
        write_table(test, folder / "test.csv")
    part = {"test_share": 0.25} if test is None else {"test": "test.csv"}
    return load_data(load_recipe(write_recipe(folder, content, {"data": {"train": name, **part, **data}})))


def write_table(table, file):
    if file.suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False)


def same(one, other):
    for part in ("train", "test"):
        first, second = getattr(one, part), getattr(other, part)
        assert first.names == second.names
        assert np.array_equal(first.labels, second.labels, equal_nan=first.labels.dtype.kind == "f")
        for left, right in zip(first.inputs, second.inputs, strict=True):
            assert np.array_equal(left, right, equal_nan=True)


def test_ids_and_labels_of_two_columns_stay_as_they_stand(tmp_path):
    table = trials()
    table.to_csv(tmp_path / "t.csv", index=False)
    data = {
        "train": "t.csv",
        "test_share": 0.25,
        "label": "kind",
        "series": ["subject", "trial"],
        "time": "node",
    }
    invoke("train", write_recipe(tmp_path, LABELLED, {"data": data}), "-o", tmp_path / "model")
    table.drop(columns="kind").sample(frac=1, random_state=0).to_csv(tmp_path / "new.csv", index=False)
    found = [
        json.loads(line)
        for line in invoke("predict", tmp_path / "model", tmp_path / "new.csv", "--json").splitlines()
    ]
    expected = [
        json.loads(line)
        for line in invoke("predict", tmp_path / "model", tmp_path / "t.csv", "--json").splitlines()
    ]
    assert {(one["subject"], one["trial"]) for one in found} == {
        (subject, str(trial)) for subject in ("None", "null", "7") for trial in range(8)
    }
    assert {one["predictions"][0]["label"] for one in found} <= {"007", "NA"}
    scores = {(one["subject"], one["trial"]): one["predictions"] for one in expected}
    assert all(scores[one["subject"], one["trial"]] == one["predictions"] for one in found)


def test_columns_and_rows_in_another_order_are_the_same_data(tmp_path):
    options = {"label": "kind", "series": ["subject", "trial"], "time": "node"}
    table, test = trials(), trials()
    expected = data_of(tmp_path, LABELLED, table, test=test, **options)
    assert np.array_equal(expected.train.inputs[0], expected.test.inputs[0])
    moved = test[["angle", "kind", "node", "trial", "subject", "force"]][::-1]
    found = data_of(tmp_path, LABELLED, table, test=moved, **options)
    assert [chain.tolist() for chain in found.test.inputs] == [
        chain.tolist() for chain in reversed(expected.test.inputs)
    ]


def test_a_column_window_tells_series_apart_and_row_numbers_are_no_feature(tmp_path):
    table = trials().assign(window=lambda rows: rows.subject + "-" + rows.trial.astype(str))
    table = table[["window", "kind", "force", "angle"]]
    expected = data_of(tmp_path, LABELLED, table, label="kind")
    assert len(expected.train.inputs) + len(expected.test.inputs) == 24
    assert expected.train.inputs[0].shape == (5, 2)
    same(data_of(tmp_path, LABELLED, table.reset_index(names=""), label="kind"), expected)


def test_whole_numbers_as_names_of_columns(tmp_path):
    values = np.random.default_rng(0).normal(size=(24, 6)).round(3)
    table = pd.DataFrame(values).assign(kind=["a", "b"] * 12)
    data = data_of(tmp_path, LABELLED, table, label="kind")
    assert {len(chain) for chain in data.train.inputs} == {6}
    assert len(data.train.inputs) + len(data.test.inputs) == 24
    same(data_of(tmp_path, LABELLED, table.rename(columns={"kind": 9}), label=9), data)


def test_every_label_is_on_both_sides_by_groups_too(tmp_path):
    table = trials().assign(
        patient=lambda rows: rows.subject + rows.trial.astype(str),
        kind=lambda rows: np.where(rows.patient.isin(["7" + "1", "None3", "null6"]), "sick", "well"),
    )
    options = {"label": "kind", "series": ["subject", "trial"], "time": "node", "group": "patient"}
    for seed in range(5):
        data = data_of(tmp_path, LABELLED, table, test_seed=seed, **options)
        for part in (data.train, data.test, *split(data.train, 0.25, seed)):
            assert set(part.labels.tolist()) == {0, 1}
    single = table.assign(kind=np.where(table.patient == "None3", "sick", "well"))
    data = data_of(tmp_path, LABELLED, single, **options)
    assert "none of them has the label sick" in data.said[1]
    assert 0 in data.train.labels


def test_an_outage_and_newest_first_and_shuffled_rows(tmp_path):
    table = sales()
    table.loc[20:22, ["sales", "visitors"]] = np.nan
    expected = data_of(tmp_path, FORECAST, table, **SALES)
    for name in ("t.csv", "t.parquet"):
        for rows in (table[::-1], table.sample(frac=1, random_state=0)):
            same(data_of(tmp_path, FORECAST, rows.reset_index(drop=True), name, **SALES), expected)
    without_time = table.drop(columns="day")
    same(data_of(tmp_path, FORECAST, without_time, target="sales", season=7), expected)
    gap = table.drop(index=[20, 21, 22]).reset_index(drop=True)
    same(data_of(tmp_path, FORECAST, gap, **SALES, gaps="missing"), expected)


def test_dates_are_read_as_they_are_meant(tmp_path):
    table = sales().iloc[:12]
    model = {**FORECAST["model"], "chain_length": 3, "prediction_length": 1}
    content = {**FORECAST, "model": model}
    options = {"target": "sales", "time": "day"}
    expected = data_of(tmp_path, content, table, **options)
    days = pd.to_datetime(table.day)
    for written, stated in (
        ("%d/%m/%Y", {"day_first": True}),
        ("%m/%d/%Y", {"day_first": False}),
        ("%d/%m/%Y", {"time_format": "%d/%m/%Y"}),
    ):
        same(
            data_of(tmp_path, content, table.assign(day=days.dt.strftime(written)), **options, **stated),
            expected,
        )


def test_times_with_offsets_over_a_change_of_the_clock(tmp_path):
    hours = pd.date_range("2025-03-29T12:00", periods=60, freq="h", tz="Europe/Berlin")
    table = sales().assign(day=[hour.isoformat() for hour in hours])
    data = data_of(tmp_path, FORECAST, table, **SALES)
    assert "1 hour apart" in data.said[0]
    same(data, data_of(tmp_path, FORECAST, sales(), **SALES))


def test_high_levels_and_a_constant_test_part_end_with_the_right_numbers(tmp_path):
    table = sales().assign(sales=lambda rows: np.where(np.arange(60) < 40, rows.sales, 3.0))
    errors = []
    for shift in (0, 1e8):
        shifted = table.assign(sales=table.sales + shift)
        shifted.to_csv(tmp_path / "t.csv", index=False)
        recipe = write_recipe(tmp_path, FORECAST, {"data": {"train": "t.csv", "test_share": 0.25, **SALES}})
        invoke("train", recipe, "-o", tmp_path / f"model{shift}")
        results = json.loads((tmp_path / f"model{shift}" / "results.json").read_text("utf-8"))
        assert results["baselines"]["naive: the last value"]["test_rmse"] == 0
        errors.append(results["models"]["chain"]["test_rmse"][0])
    assert errors[1] == pytest.approx(errors[0], rel=1e-4)
