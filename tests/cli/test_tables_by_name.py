"""`chainhead predict` on tables from practice: columns matched by name, rows sorted by time, values unchanged."""

import csv
import datetime
import json

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import CHAINS, invoke
from transformers import pipeline

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTimeSeriesPrediction,
)
from chainhead_plugin.cli.demonstration import MODEL
from chainhead_plugin.tables import Schema

LABELLED = Schema(features=("temp", "hum"), series=("window",), label=("kind",), time="day", step="1 day")
SALES = Schema(
    features=("sales", "visitors"),
    target=("sales",),
    series=("shop",),
    time="day",
    step="1 day",
    calendar=("weekend",),
)


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A classifier and a forecaster that know the names of their columns."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("named")
    ChainHeadForSequenceClassification(ChainHeadConfig(m=2, num_labels=2)).save_pretrained(root / "kinds")
    ChainHeadFeatureExtractor(2, schema=LABELLED.to_dict()).save_pretrained(root / "kinds")
    forecaster = ChainHeadConfig(
        m=3, n=4, num_time_features=1, prediction_length=3, prediction_channel_indices=[0]
    )
    ChainHeadForTimeSeriesPrediction(forecaster).save_pretrained(root / "sales")
    ChainHeadFeatureExtractor(3, schema=SALES.to_dict()).save_pretrained(root / "sales")
    return root


@pytest.fixture
def windows():
    rng = np.random.default_rng(0)
    days = [datetime.date(2025, 1, 1) + datetime.timedelta(day) for day in range(5)]
    return pd.DataFrame(
        [
            {"window": window, "day": str(day), "temp": rng.normal(), "hum": rng.normal(5), "kind": "a"}
            for window in ("NA", "007", "None")
            for day in days
        ]
    )


def answers(model, file, *options):
    return [json.loads(line) for line in invoke("predict", model, file, "--json", *options).splitlines()]


def written(table, file, **options):
    table.to_csv(file, index=False, **options)
    return file


def test_columns_and_rows_in_any_order(named, windows, tmp_path):
    expected = answers(named / "kinds", written(windows, tmp_path / "a.csv"))
    assert [answer["window"] for answer in expected] == ["NA", "007", "None"]
    turned = windows[["kind", "hum", "day", "temp", "window"]]
    unlabelled = turned.drop(columns="kind")
    for table in (
        turned,
        unlabelled,
        windows[::-1].sort_values("window", key=lambda key: key.map(list(windows.window).index)),
    ):
        assert answers(named / "kinds", written(table, tmp_path / "b.csv")) == expected
    assert answers(named / "kinds", written(turned, tmp_path / "c.csv", sep=";", decimal=",")) == expected
    turned.to_parquet(tmp_path / "d.parquet")
    assert answers(named / "kinds", tmp_path / "d.parquet") == expected


def test_a_table_of_one_series_says_so(named, windows, tmp_path):
    alone = windows[windows.window == "007"]
    expected = answers(named / "kinds", written(alone, tmp_path / "a.csv"))
    file = written(alone.drop(columns="window"), tmp_path / "b.csv")
    for more in ([], ["--json"], ["-o", tmp_path / "out.csv"]):
        said = " ".join(invoke("predict", named / "kinds", file, *more, code=1).split())
        assert "b.csv has no column window, which told series apart" in said
        assert "say so with --drop window" in said
    [found] = answers(named / "kinds", file, "--drop", "window")
    assert found["predictions"] == expected[0]["predictions"]


def test_a_longer_horizon_names_the_columns_that_are_lacking(named, tmp_path):
    days = [str(datetime.date(2025, 1, 1) + datetime.timedelta(day)) for day in range(9)]
    table = pd.DataFrame({"shop": "a", "day": days, "sales": np.arange(9.0), "visitors": 1.5})
    said = invoke("predict", named / "sales", written(table, tmp_path / "a.csv"), "--horizon", 5, code=1)
    assert "5 steps cannot be forecast" in said
    assert "values of visitors for them" in " ".join(said.split())


def test_missing_and_unknown_columns_are_listed(named, windows, tmp_path):
    renamed = windows.rename(columns={"hum": "humidity"})
    message = "missing hum; unknown humidity"
    assert message in invoke("predict", named / "kinds", written(renamed, tmp_path / "a.csv"), code=1)
    classify = pipeline("time-series-classification", model=str(named / "kinds"), device="cpu")
    with pytest.raises(ValueError, match=message):
        classify(renamed)
    without = invoke(
        "predict",
        named / "kinds",
        written(windows[["temp", "hum"]], tmp_path / "b.csv", header=False),
        code=1,
    )
    assert "has no names of columns, but the model takes temp, hum" in " ".join(without.split())


def test_the_pipeline_gives_what_the_command_gives(named, windows, tmp_path):
    expected = [
        answer["predictions"][0] for answer in answers(named / "kinds", written(windows, tmp_path / "a.csv"))
    ]
    classify = pipeline("time-series-classification", model=str(named / "kinds"), device="cpu")
    typed = windows.assign(day=pd.to_datetime(windows.day))
    panel = typed.set_index(["window", "day"])[["hum", "temp"]]
    for table in (windows, typed, panel, panel.swaplevel().swaplevel()):
        found = [result[0] for result in classify(table)]
        assert [one["label"] for one in found] == [one["label"] for one in expected]
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in expected], rel=1e-5)
    alone = typed[typed.window == "NA"].set_index("day")[["hum", "temp"]]
    assert classify(alone)[0]["score"] == pytest.approx(expected[0]["score"], rel=1e-5)
    assert classify(alone[::-1]) == classify(alone)
    by_position = classify(
        [part[["temp", "hum"]].to_numpy() for _, part in windows.groupby("window", sort=False)]
    )
    assert [one[0]["score"] for one in by_position] == pytest.approx(
        [one["score"] for one in expected], rel=1e-5
    )


def test_forecasts_carry_dates(named, tmp_path):
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-02-20", periods=8)
    table = pd.DataFrame(
        {
            "visitors": rng.normal(9, 1, 8),
            "day": days.strftime("%d.%m.%Y"),
            "sales": rng.normal(5, 1, 8),
            "shop": "x",
        }
    )
    (expected,) = answers(named / "sales", written(table, tmp_path / "a.csv"))
    assert expected["times"] == ["28.02.2025", "01.03.2025", "02.03.2025"]
    assert answers(named / "sales", written(table[::-1], tmp_path / "b.csv")) == [expected]
    forecast = pipeline("time-series-forecasting", model=str(named / "sales"), device="cpu")
    frame = table[["sales", "visitors"]].set_index(days)
    found = forecast(frame.sample(frac=1, random_state=0))
    assert found["times"] == [
        datetime.datetime(2025, 2, 28),
        datetime.datetime(2025, 3, 1),
        datetime.datetime(2025, 3, 2),
    ]
    assert found["forecast"] == [pytest.approx(step, rel=1e-5) for step in expected["forecast"]]
    # By position the calendar stands behind the channels: 1 and 2 March 2025 are a weekend.
    weekend = np.isin(pd.date_range("2025-02-20", periods=11).dayofweek, [5, 6])[:, None]
    values = np.vstack([frame.to_numpy(), np.full((3, 2), np.nan)])
    assert forecast(np.hstack([values, weekend]))["forecast"] == found["forecast"]
    shown = invoke("predict", named / "sales", tmp_path / "a.csv", "--horizon", 2)
    assert "28.02.2025" in shown
    assert "02.03.2025" not in shown


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl"])
def test_output(named, windows, tmp_path, name):
    file = written(windows, tmp_path / "a.csv")
    expected = answers(named / "kinds", file)
    out = tmp_path / name
    assert "3 rows" in invoke("predict", named / "kinds", file, "--output", out)
    if name == "out.jsonl":
        assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == expected
        return
    if name == "out.csv":
        rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    else:
        rows = pd.read_parquet(out).to_dict("records")
    for row, answer in zip(rows, expected, strict=True):
        assert row["window"] == answer["window"]
        assert row["label"] == answer["predictions"][0]["label"]
        assert float(row["score"]) == answer["predictions"][0]["score"]
    assert "is there already" in invoke("predict", named / "kinds", file, "-o", out, code=1)
    invoke("predict", named / "kinds", file, "-o", out, "--overwrite")


def test_the_header_that_pandas_writes_for_an_array_is_no_node(tmp_path):
    chain = np.array(CHAINS[4])
    np.save(tmp_path / "a.npy", chain)
    expected = answers(MODEL, tmp_path / "a.npy")
    for index in (False, True):
        pd.DataFrame(chain).to_csv(tmp_path / "a.csv", index=index)
        assert answers(MODEL, tmp_path / "a.csv") == expected


def test_an_outage_leaves_rows_without_values(folders, tmp_path):
    lines = ["value,other", "1,2", "2,3", ",", "4,1", "5,2", "6,4", "7,1"]
    (tmp_path / "a.csv").write_text("\n".join(lines), "utf-8")
    table = pd.DataFrame({"value": [1, 2, np.nan, 4, 5, 6, 7], "other": [2, 3, np.nan, 1, 2, 4, 1]})
    table.to_parquet(tmp_path / "a.parquet")
    forecast = pipeline("time-series-forecasting", model=str(folders / "two-forecasts"), device="cpu")
    for name in ("a.csv", "a.parquet"):
        (answer,) = answers(folders / "two-forecasts", tmp_path / name)
        assert answer["forecast"] == forecast(table.to_numpy())["forecast"]


def test_names_are_kept_and_checked(named, tmp_path):
    extractor = ChainHeadFeatureExtractor.from_pretrained(named / "kinds")
    extractor.save_pretrained(tmp_path)
    assert ChainHeadFeatureExtractor.from_pretrained(tmp_path).schema == LABELLED.to_dict()
    assert "schema" not in ChainHeadFeatureExtractor(2).to_dict()
    with pytest.raises(ValueError, match="schema names 2 features, expected feature_size=3"):
        ChainHeadFeatureExtractor(3, schema=LABELLED.to_dict())
    with pytest.raises(ValueError, match="has version 99"):
        ChainHeadFeatureExtractor(2, schema=LABELLED.to_dict() | {"version": 99})
    (tmp_path / "preprocessor_config.json").write_text("{", "utf-8")
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((named / "sales" / file).read_bytes())
    with pytest.raises(OSError, match="preprocessor_config"):
        pipeline("time-series-forecasting", model=str(tmp_path), device="cpu")


def test_options_without_effect_on_named_models(named, windows, tmp_path):
    file = written(windows, tmp_path / "a.csv")
    shown = invoke("predict", named / "kinds", file, "--columns", "temp", code=1)
    assert "--columns has no effect on a model that knows the names of its columns" in shown


@pytest.mark.parametrize("drop", ["kind", "noise,kind", "noise"])
def test_what_a_model_leaves_out_already_may_be_left_out_again(named, windows, tmp_path, drop):
    file = written(windows.assign(noise=1.0), tmp_path / "a.csv")
    stated = LABELLED.to_dict() | {"drop": ["noise"]}
    for part in ("config.json", "model.safetensors"):
        (tmp_path / part).write_bytes((named / "kinds" / part).read_bytes())
    ChainHeadFeatureExtractor(2, schema=stated).save_pretrained(tmp_path)
    assert answers(tmp_path, file) == [
        json.loads(line) for line in invoke("predict", tmp_path, file, "--drop", drop, "--json").splitlines()
    ]
