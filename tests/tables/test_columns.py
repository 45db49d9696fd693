"""The meaning of columns: stated, guessed, contradictory."""

import re

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError, TableSpec
from chainhead_plugin.tables.columns.usual_names import usual_column


def test_the_summary(load):
    rows = [
        f"w{window},{'ab'[window % 2]},2024-01-{day + 1:02d},{day},{window}"
        for window in range(6)
        for day in range(3 + window % 3)
    ]
    found = load("window,kind,day,temp,hum\n" + "\n".join(rows) + "\n", "train.csv", label="kind", time="day")
    assert tables.summary(found) == (
        "train.csv: 6 series of 3–5 nodes; features temp, hum; label kind (a 3, b 3); series by window; "
        "time by day, 1 day apart"
    )


def test_row_numbers_are_no_features(load):
    label = "id,label,x\n" + "".join(f"{n // 3},{n // 3},{n}\n" for n in range(6))
    frame = pd.read_csv(__import__("io").StringIO(label))
    once = load(frame.to_csv())
    assert once.features == ("x",)
    assert "left out Unnamed: 0, which numbers the rows" in tables.summary(once)
    again = load(pd.read_csv(__import__("io").StringIO(frame.to_csv())).to_csv())
    assert again.features == ("x",)
    shuffled = load(frame.sample(frac=1, random_state=0).to_csv())
    assert shuffled.features == ("x",)
    reset = load(frame.reset_index().to_csv(index=False))
    assert reset.features == ("x",)
    assert load("index,x\n5,1\n9,2\n").features == ("index", "x")
    assert load("index,x\n0,1\n1,2\n", features=["index", "x"]).features == ("index", "x")
    # A column without a name that holds something else has to be named.
    with pytest.raises(TableError, match="column 1 has no name"):
        load(",x\n0.5,1\n1.5,2\n")


def test_series_are_guessed_where_a_column_can_be_nothing_else(load):
    assert len(load("window,x\n1,5\n1,6\n2,7\n2,8\n")) == 2
    assert len(load("Series_ID,x\na,5\nb,6\na,7\n")) == 2
    # Whole numbers that come and go are a feature.
    assert load("window,x\n1,5\n2,6\n1,7\n2,8\n").features == ("window", "x")
    with pytest.raises(TableError, match="window and case may each tell series apart"):
        load("window,case,x\n1,5,1\n1,5,2\n2,6,3\n2,6,3\n")
    assert len(load("window,case,x\n1,5,1\n1,5,2\n2,6,3\n2,6,3\n", series=["window", "case"])) == 2


def test_several_columns_tell_series_apart(load):
    found = load("subject,trial,x\na,1,1\na,1,2\na,2,3\nb,1,4\n", series=["subject", "trial"])
    assert [(series.id, series.keys) for series in found] == [
        ("a / 1", ("a", "1")),
        ("a / 2", ("a", "2")),
        ("b / 1", ("b", "1")),
    ]


def test_a_row_is_a_series_where_every_row_has_an_id_of_its_own(load):
    found = load("id,label,t0,t1,t2\na,u,1,2,3\nb,v,4,,\nc,u,7,,9\n")
    assert [(series.id, series.labels, len(series)) for series in found] == [
        ("a", ("u",), 3),
        ("b", ("v",), 1),
        ("c", ("u",), 3),
    ]
    with pytest.raises(TableError, match=r"a.csv, row 3 has no values"):
        load("label,t0,t1\na,1,2\nb,,\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "x", "known": ["x"]}, "column x is target and known at once .the values of a target"),
        ({"features": ["x"], "drop": "x"}, "column x is features and drop at once"),
        ({"label": "x", "series": "x"}, "column x is label and series at once"),
        ({"features": ["x", "x"]}, "features names a column twice"),
        ({"features": 1.5}, "features must be the name of a column"),
        ({"time": {"a": "b"}}, "time must be one text"),
        ({"time_format": "epoch_second"}, "did you mean epoch_seconds"),
        ({"gaps": "fill"}, "gaps must be one of error, missing, keep"),
        ({"rows": "series", "target": "x"}, "where a row is a whole series"),
        ({"missing": [True]}, "missing must hold texts and numbers"),
        ({"day_first": "yes"}, "day_first must be one of"),
    ],
)
def test_specs_that_contradict_themselves(options, message):
    with pytest.raises(TableError, match=message):
        TableSpec(**options)


def test_unknown_options():
    with pytest.raises(TableError, match=r"there is no option serie \(did you mean series\?\)"):
        TableSpec.from_options({"serie": "id"})
    assert TableSpec.from_options({"series": "id", "target": ["x"]}) == TableSpec(series="id", target="x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "kinds"}, "a.csv has no column kinds for label (did you mean kind?); it has kind, x"),
        ({"time": "day"}, "no column day for time"),
        ({"step": "1h"}, "step has no effect without a column of times"),
        ({}, "row 2, column kind holds 'a', expected a number: name the column as series, label"),
        ({"drop": ["kind", "x"]}, "no column of values"),
    ],
)
def test_columns_that_a_table_lacks(load, options, message):
    with pytest.raises(TableError, match=re.escape(message)):
        load("kind,x\na,1\nb,2\n", **options)


def test_features_in_the_stated_order(load):
    found = load("a,b,c\n1,2,3\n", features=["c", "a"])
    assert found.features == ("c", "a")
    assert found[0].values.tolist() == [[3, 1]]
    found = load("a,b,c,d\n1,2,3,4\n", target="c", known="a", drop="d")
    assert (found.features, found.targets, found.known) == (("c", "b"), ("c",), ("a",))
    assert found[0].values.tolist() == [[3, 2]]
    assert found[0].known.tolist() == [[1]]


def test_integer_names_and_indices_of_frames():
    frame = pd.DataFrame({0: [1.0, 2], 1: [3.0, 4], 2: ["a", "a"]})
    found = tables.load(frame, TableSpec(drop=2, features=[1, 0]))
    assert found[0].values.tolist() == [[3, 1], [4, 2]]
    with pytest.raises(TableError, match="two columns, or a column and an index, 0"):
        tables.load(pd.DataFrame([[1, 2]], columns=[0, "0"]))
    with pytest.raises(TableError, match="columns of 2 levels"):
        tables.load(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["a"], ["b", "c"]])))


def test_indices_of_frames():
    days = pd.date_range("2024-01-01", periods=4)
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4]}, index=days[::-1])
    found = tables.load(frame)
    assert found[0].values.ravel().tolist() == [4, 3, 2, 1]
    assert [str(day) for day in found.future_times(found[0], 1)] == ["2024-01-05 00:00:00"]
    panel = pd.DataFrame(
        {"x": np.arange(8.0)}, index=pd.MultiIndex.from_product([["b", "a"], days], names=["shop", None])
    )
    for written in (panel, panel.sample(frac=1, random_state=0)):
        found = tables.load(written)
        by_id = {series.id: series.values.ravel().tolist() for series in found}
        assert by_id == {"b": [0, 1, 2, 3], "a": [4, 5, 6, 7]}
    named = tables.load(panel.reset_index(names=["shop", "day"]), TableSpec(series="shop"))
    assert {series.id: series.values.ravel().tolist() for series in named} == by_id
    periods = pd.DataFrame({"x": [1.0, 2]}, index=pd.period_range("2024-01", periods=2, freq="M"))
    assert str(tables.load(periods).step) == "1 month"
    numbered = pd.DataFrame({"x": [1.0, 2]}, index=[5, 7])
    assert tables.load(numbered).features == ("x",)


def test_a_panel_survives_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    index = pd.MultiIndex.from_product([["b", "a"], [0, 1, 2]], names=["who", "t"])
    pd.DataFrame({"x": np.arange(6.0)}, index=index).to_parquet(tmp_path / "a.parquet")
    found = tables.load(tmp_path / "a.parquet")
    assert [(series.id, series.values.ravel().tolist()) for series in found] == [
        ("b", [0, 1, 2]),
        ("a", [3, 4, 5]),
    ]


def test_labels(load):
    content = "id,kind,group,size,x\na,u,p,1,1\na,u,p,1,2\nb,v,q,2,3\n"
    found = load(content, label=["kind", "size"], group="group")
    assert [(series.labels, series.group) for series in found] == [(("u", "1"), "p"), (("v", "2"), "q")]
    assert found.label_numbers(1).tolist() == [1, 2]
    with pytest.raises(
        TableError, match=r"a.csv, row 2, column kind holds 'u', expected a number, as this is a regression"
    ):
        found.label_numbers()
    found = load(content, label="kind", label_of="node", drop=["group", "size"])
    assert [label.tolist() for series in found for label in series.labels] == [["u", "u"], ["v"]]
    found = load(content, static="size", drop=["kind", "group"])
    assert [series.static.tolist() for series in found] == [[1], [2]]
    assert "static size" in tables.summary(found)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "id,k,x\na,u,1\na,v,2\n",
            {"label": "k"},
            "row 3, column k, series a holds 'v', but 'u' in the first row",
        ),
        (
            "id,k,x\na,1,1\na,2,2\n",
            {"static": "k"},
            "row 3, column k, series a holds 2, but 1 in the first row",
        ),
        ("id,k,x\na,1,1\na,,2\n", {"known": "k"}, "row 3, column k, series a is empty, but a known column"),
        (
            "id,x\na,1\n,2\n",
            {},
            "row 3, column id is empty, but a column that tells series apart needs a value",
        ),
        ("id,g,x\na,,1\na,,2\n", {"group": "g"}, "row 2, column g is empty, but group needs a value"),
        ("label,x1,x2\nu,1,2\n,3,4\n", {}, "row 3, column label is empty, but a table with labels"),
    ],
)
def test_cells_that_have_to_be_there(load, content, options, message):
    with pytest.raises(TableError, match=f"a.csv, {message}"):
        load(content, **options)


def test_a_last_row_of_sums(load):
    wide = "label,t0,t1\na,1,2\nb,3,4\nTotal,4,6\n"
    with pytest.raises(
        TableError, match=r"row 4, column label holds 'Total', .* seems to be a sum or a mean"
    ):
        load(wide)
    assert len(load(wide + "Total,1,2\n", rows="series")) == 4
    told = "the last row, total:, is a series of its own"
    assert told in tables.summary(load("id,t0,t1\na,1,2\nb,3,4\ntotal:,4,6\n", series="id", rows="series"))
    with pytest.raises(TableError, match="row 5, column id holds 'Sum', a series of a single row"):
        load("id,x\na,1\na,2\nb,3\nSum,6\n", series="id", rows="nodes")


@pytest.mark.parametrize("name", ["trip_id", "Subject ID", "deviceId", "device-id", "userID"])
@pytest.mark.parametrize("ids", [("7", "9"), ("north", "south")], ids=["numbers", "texts"])
def test_names_that_end_in_id_tell_series_apart(load, name, ids):
    rows = [f"{one},{i / 4}" for one in ids for i in (1, 3, 2)]
    found = load("\n".join([f"{name},x", *rows]) + "\n")
    assert [series.id for series in found] == list(ids)
    assert found.features == ("x",)


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("covid,x", [f"{i // 3},{i}.5" for i in range(9)]),
        ("order_id,x", [f"{i},{i}.5" for i in (4, 2, 9, 7)]),
        ("device_id,x", [f"7,{i}.5" for i in range(9)]),
    ],
    ids=["a word that ends so", "a number for each row", "one number"],
)
def test_other_numbers_do_not(load, head, rows):
    found = load("\n".join([head, *rows]) + "\n")
    assert len(found) == 1
    assert found.features == tuple(head.split(","))


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("x", "label"), "label"),
        (("x", "Label"), "Label"),
        (("LABEL ", "x"), "LABEL "),
        (("Label", "label"), "label"),
        (("Label", "LABEL"), None),
        (("labels", "x"), None),
    ],
)
def test_usual_names_in_any_letters(columns, found):
    assert usual_column("label", columns) == found


def test_a_label_in_capitals_is_no_feature(load):
    found = load("ID,STEP,X,LABEL\na,0,5,1\na,1,6,1\na,2,6,1\nb,0,7,0\nb,1,8,0\n")
    assert found.features == ("X",)
    assert [series.labels[0] for series in found] == ["1", "0"]
    assert load("ID,X,LABEL\na,5,1\na,6,1\n", features=["X", "LABEL"]).features == ("X", "LABEL")


def test_steps_that_repeat_are_told(load):
    rows = "a,0,5\na,1,6\na,2,6\nb,0,7\nb,1,8\n"
    assert "took STEP for the time, as it counts nodes" in tables.summary(load(f"id,STEP,x\n{rows}"))
    twice = load(f"id,STEP,x\n{rows}a,0,5\n")
    assert twice.features == ("STEP", "x")
    assert tables.summary(twice).endswith(
        "took STEP for a feature, as it does not count the nodes of each series (else --time STEP)"
    )
    stated = load(f"id,STEP,x\n{rows}a,0,5\n", features=["STEP", "x"])
    assert "took STEP" not in tables.summary(stated)


@pytest.mark.parametrize(
    ("names", "is_told"),
    [
        ("uvuvuv", True),
        ("uuuvvv", True),
        ("uvwuvw", True),
        ("uuvvuv", False),
        ("uuvvv", False),
        ("uuuu", False),
    ],
)
def test_names_of_channels_are_told_as_what_they_may_be(load, names, is_told):
    rows = [f"{row % 3},{name},{row / 7:.3f}" for row, name in enumerate(names)]
    with pytest.raises(TableError, match="column sensor holds") as error:
        load("step,sensor,value\n" + "\n".join(rows) + "\n")
    assert ("by DataFrame.pivot" in str(error.value)) == is_told
