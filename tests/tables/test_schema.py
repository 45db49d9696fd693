"""Column names that are saved with a model, and tables matched with them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import Schema, TableError, TableSpec, load_matched, schema_of

SPEC = TableSpec(target="temp", known="price", series="shop", time="day", drop="note")


def sales(days=4, shops="ab"):
    rows = [
        (shop, f"{day + 13:02d}/01/2024", day + 10 * number, day / 2, number, "n")
        for number, shop in enumerate(shops)
        for day in range(days)
    ]
    return pd.DataFrame(rows, columns=["shop", "day", "temp", "hum", "price", "note"])


@pytest.fixture
def schema():
    found = schema_of(tables.load(sales(), SPEC))
    return Schema.from_dict(json.loads(json.dumps(found.to_dict())))


def test_a_schema_survives_json(schema):
    assert schema == schema_of(tables.load(sales(), SPEC))
    assert schema.features == ("temp", "hum")
    assert (schema.step, schema.day_first) == ("1 day", True)
    assert schema.to_dict()["version"] == 1


def test_columns_in_another_order_are_put_right(schema):
    expected = tables.load(sales(), SPEC)
    for columns in (["hum", "note", "price", "day", "temp", "shop"], ["price", "shop", "hum", "day", "temp"]):
        found = load_matched(sales()[columns], schema)
        assert found.features == ("temp", "hum")
        for series, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(series.values, other.values)
            np.testing.assert_array_equal(series.known, other.known)


def test_dates_are_read_as_they_were_in_training(schema):
    table = sales(2)
    table["day"] = ["01/02/2024", "02/02/2024"] * 2
    found = load_matched(table, schema)
    assert found.future_times(found[0], 1) == ["03/02/2024"]


def test_missing_and_unknown_columns_list_both_sides(schema):
    table = sales().rename(columns={"hum": "humidity", "temp": "Temp"})
    with pytest.raises(
        TableError,
        match=r"missing temp, hum; unknown Temp, humidity .is temp called Temp here..* takes temp, hum, price",
    ):
        load_matched(table, schema)
    with pytest.raises(TableError, match=r"missing none; unknown wind"):
        load_matched(sales().assign(wind=1), schema)
    with pytest.raises(TableError, match=r"missing price; unknown none"):
        load_matched(sales().drop(columns="price"), schema)
    with pytest.raises(
        TableError, match=r"number 0, which does not go with a step of 1 day: .*write them as such"
    ):
        load_matched(sales(shops="a").assign(day=np.arange(4.0)), schema)
    alone = schema_of(tables.load(sales(shops="a").drop(columns="shop"), replace(SPEC, series=())))
    with pytest.raises(TableError, match=r"unknown id .if id tells series apart, say so with --series id"):
        load_matched(sales().rename(columns={"shop": "id"}), alone)


def test_what_is_dropped_has_no_meaning(schema):
    found = load_matched(sales(shops="a"), replace(schema, drop=("day", "note")))
    assert found[0].times is None
    np.testing.assert_array_equal(found[0].values, tables.load(sales(shops="a"), SPEC)[0].values)


def test_what_only_tells_rows_apart_may_lack(schema):
    found = load_matched(sales(shops="a").drop(columns=["shop", "note"]), schema)
    assert len(found) == 1
    indexed = sales(shops="a").drop(columns=["shop", "note"])
    indexed.index = pd.to_datetime(indexed.pop("day"), format="%d/%m/%Y")
    assert load_matched(indexed[::-1], schema)[0].values[:, 0].tolist() == [0, 1, 2, 3]
    panel = sales().drop(columns="note")
    panel["day"] = pd.to_datetime(panel["day"], format="%d/%m/%Y")
    panel = panel.set_index(["shop", "day"]).rename_axis(["who", "when"])
    assert [series.id for series in load_matched(panel, schema)] == ["a", "b"]


def test_rows_without_times_are_in_order_only_where_that_is_said(schema):
    timeless = sales(shops="a").drop(columns="day")
    with pytest.raises(TableError, match=r"missing day; unknown none .*in the order of time, .*--drop day"):
        load_matched(timeless, schema)
    with pytest.raises(TableError, match=r"missing day; unknown Day .is day called Day here"):
        load_matched(sales().rename(columns={"day": "Day"}), schema)
    found = load_matched(timeless, replace(schema, drop=("note", "day")))
    assert found[0].times is None
    assert len(found[0]) == 4
    with pytest.raises(TableError, match="missing day"):
        load_matched(timeless, replace(schema, drop=("note", "day"), calendar=("weekday",)))


def test_row_numbers_are_no_unknown_columns(schema, tmp_path):
    sales().to_csv(tmp_path / "a.csv")
    assert len(load_matched(tmp_path / "a.csv", schema)) == 2


def test_a_table_without_names(schema, tmp_path):
    (tmp_path / "a.csv").write_text("0.5,1.5,2.5\n")
    with pytest.raises(
        TableError, match=r"a\.csv has no names of columns, but the model takes temp, hum, price"
    ):
        load_matched(tmp_path / "a.csv", schema)


def test_labels(tmp_path):
    table = pd.DataFrame({"id": [1, 1, 2, 2], "kind": ["u", "u", "v", "v"], "x": [1.0, 2, 3, 4]})
    schema = schema_of(tables.load(table, TableSpec(label="kind", series="id")))
    assert load_matched(table, schema)[0].labels == ()
    assert load_matched(table, schema, labelled=True)[0].labels == ("u",)
    assert len(load_matched(table.drop(columns="kind"), schema)) == 2
    with pytest.raises(TableError, match="missing kind"):
        load_matched(table.drop(columns="kind"), schema, labelled=True)


def test_series_in_rows(tmp_path):
    (tmp_path / "a.csv").write_text("kind,t0,t1\nu,1,2\nv,3,4\n")
    (tmp_path / "b.csv").write_text("t0,t1\n1,2\n3,\n")
    schema = schema_of(tables.load(tmp_path / "a.csv", TableSpec(label="kind")))
    assert schema.rows == "series"
    assert [len(series) for series in load_matched(tmp_path / "b.csv", schema)] == [2, 1]


def test_sequences(schema, tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"nodes": [{"hum": 2, "price": 3, "temp": 1}]}\n')
    found = load_matched(file, schema)
    assert (found[0].values.tolist(), found[0].known.tolist()) == ([[1, 2]], [[3]])
    file.write_text('{"nodes": [[1, 2, 3]]}\n')  # without names by position
    found = load_matched(file, schema)
    assert (found[0].values.tolist(), found[0].known.tolist()) == ([[1, 2]], [[3]])
    file.write_text('{"nodes": [[1, 2]]}\n')
    with pytest.raises(
        TableError, match=r"a\.jsonl has 2 features a node, but the model takes temp, hum, price"
    ):
        load_matched(file, schema)
    file.write_text('{"nodes": [{"heat": 1, "hum": 2, "price": 3}]}\n')
    with pytest.raises(TableError, match="missing temp; unknown heat"):
        load_matched(file, schema)


def test_arrays_have_no_schema(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    assert schema_of(tables.load(tmp_path / "a.npy")) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "expected the schema of a table"),
        ({"version": 2, "features": []}, "has version 2, this chainhead reads up to 1"),
        ({"version": 1, "features": [], "colour": 1}, "has no colour"),
        ({"version": 1}, "needs features"),
        ({"version": 1, "features": ["x"], "target": ["x"], "known": ["x"]}, "target and known at once"),
    ],
)
def test_what_is_no_schema(values, message):
    with pytest.raises(TableError, match=message):
        Schema.from_dict(values)
