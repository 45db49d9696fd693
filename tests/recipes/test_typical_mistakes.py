"""Typical mistakes with `chainhead train`: each message names the place and says what to do."""

import re

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from recipe_writing import LABELLED, SHARED, write_recipe

FORECAST = {
    "name": "sales",
    "task": "time-series-forecasting",
    "model": {"n": 4, "chain_length": 8, "prediction_length": 2, "channel_hops": [0, 1]},
    **SHARED,
}
KINDS = {"label": "kind", "series": "id", "time": "day"}
SALES = {"target": "sales", "known": ["holiday"], "time": "day", "season": 7}
# Words of Python and of libraries, which tell a user nothing.
FOREIGN = re.compile(
    r"Traceback|pandas|dtype|ndarray|DataFrame|KeyError|sklearn|stratif|read_csv|n_splits", re.I
)


def kinds(count=12, length=4):
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-01-20", periods=length).strftime("%Y-%m-%d")
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "id": f"s{i}",
                    "day": days,
                    "temp": rng.normal(size=length),
                    "hum": i % 2,
                    "kind": "ab"[i % 2],
                }
            )
            for i in range(count)
        ],
        ignore_index=True,
    )


def sales(rows=60):
    days = pd.date_range("2025-01-01", periods=rows).strftime("%Y-%m-%d")
    return pd.DataFrame({"day": days, "sales": np.arange(rows) % 7 + 0.5, "holiday": np.arange(rows) % 3})


def changed(table, row, column, value):
    columns = [column] if isinstance(column, str) else column
    table = table.astype(dict.fromkeys(columns, object))
    table.loc[row, columns] = value
    return table


def said_of(folder, content, table, data, test=None):
    """Return the sentence with which `train` ends, once it is certain that it is one."""
    if isinstance(table, str):
        (folder / "t.csv").write_text(table, "utf-8")
    elif table is not None:
        table.to_csv(folder / "t.csv", index=False)
    if test is not None:
        test.to_csv(folder / "test.csv", index=False)
    part = {"test": "test.csv"} if test is not None else {"test_share": 0.25}
    data = {name: value for name, value in ({"train": "t.csv"} | part | data).items() if value is not None}
    recipe = write_recipe(folder, content, {"data": data})
    output = " ".join(invoke("train", recipe, "--output", folder / "out", code=1).split())
    assert not FOREIGN.search(output)
    assert not (folder / "out").exists() or not [*(folder / "out").glob(".runs/chain-*")]
    return output.partition("Error: ")[2]


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        (None, {}, "there is no file"),
        ("", {}, "t.csv: there is nothing in it"),
        ("id,day,temp,hum,kind\n", {}, "t.csv: there are no rows below the header"),
        (kinds(), {"label": "kid"}, "t.csv has no column kid for label (did you mean kind?)"),
        (kinds(), {"series": "ID"}, "t.csv has no column ID for series (did you mean id?)"),
        (kinds(), {"features": ["temp", "humm"]}, "no column humm for features (did you mean hum?)"),
        (kinds(), {"features": ["temp", "kind"]}, "column kind is features and label at once"),
        (
            kinds(),
            {"labels": "kind"},
            "data has no 'labels' for time-series-classification (did you mean label?)",
        ),
        (kinds(), {"test_share": 1.5}, "test_share must be a finite number above 0 and below 1"),
        (kinds(), {"test_share": 0.01}, "they have 2 labels, and every label is needed on both sides"),
        (kinds(), {"test_seed": -1}, "test_seed must be a whole number"),
        (kinds(), {"test": "./t.csv", "test_share": None}, "test names t.csv, which train names too"),
        (kinds(), {"train": 3}, "train must be a file, a folder, a pattern, or a list of them"),
        (kinds(), {"delimiter": ":"}, "separator must be a comma, a semicolon, a tab, a bar or a space"),
        (kinds(), {"encoding": "utf-9"}, "there is no encoding 'utf-9'"),
        (changed(kinds(), 3, "temp", "n/a"), {}, "row 5, column temp holds 'n/a', .* missing: [n/a]"),
        (changed(kinds(), 3, "temp", "high"), {}, "row 5, column temp holds 'high', expected a number"),
        (changed(kinds(), 3, "temp", np.inf), {}, "row 5, column temp holds inf, expected a finite number"),
        (
            changed(kinds(), slice(0, 3), ["temp", "hum"], None),
            {},
            "rows 2–5, series s0: all of its values are missing: leave the series out",
        ),
        (
            changed(kinds(), 3, "kind", "b"),
            {},
            "row 5, column kind, series s0 holds 'b', but 'a' in the first row",
        ),
        (
            changed(kinds(), 3, "kind", None),
            {},
            "row 5, column kind, series s0 is empty, but 'a' in the first row",
        ),
        (changed(kinds(), slice(0, 3), "kind", None), {}, "rows 2–5, series s0 has no label"),
        (kinds().assign(kind=None), {}, "column kind is empty in every row"),
        (changed(kinds(), 3, "id", None), {}, "row 5, column id is empty"),
        (changed(kinds(), 3, "day", "Thursday"), {}, "row 5, column day holds 'Thursday'"),
        (kinds().assign(kind="a"), {}, "all 12 examples to train on have the label 'a'"),
        (kinds().iloc[:1], {}, "t.csv, row 2, series s0 is the only example"),
        (changed(kinds(), slice(0, 3), "kind", "z"), {}, "the label z has a single example"),
        (
            pd.concat([kinds(), kinds().iloc[:1]]),
            {},
            "row 2, series s0 and row 50 have the same time, 2025-01-20",
        ),
        (kinds().drop(index=1), {}, "row 3, series s0: between 2025-01-20 and 2025-01-22 1 row lacks"),
        (
            kinds().to_csv(index=False, header=False),
            {},
            "its first row holds no names, so its columns are 1, 2, …, 5",
        ),
        ("id,day,temp,kind\ns0,2025-01-01,1\n", {}, "t.csv, row 2 has 3 cells, expected 4"),
        ("id,day,x,x,kind\ns0,2025-01-01,1,2,a\n", {}, "t.csv, row 1 names two columns x"),
    ],
)
def test_labelled_tables(tmp_path, table, changes, message):
    said = said_of(tmp_path, LABELLED, table, {**KINDS, **changes})
    assert re.search(re.sub(r"([][?()])", r"\\\1", message), said), said


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (kinds(4).replace({"kind": {"b": "c"}}), "test.csv, rows 6–9, series s1 has the label 'c'"),
        (kinds(4).rename(columns={"temp": "temperature"}), "test.csv .* missing temp; unknown temperature"),
        (kinds(4).drop(columns="kind"), "test.csv .* missing kind"),
        (changed(kinds(4), 3, "temp", np.inf), "test.csv, row 5, column temp holds inf"),
        (
            changed(kinds(4), slice(0, 3), ["temp", "hum"], None),
            "test.csv, rows 2–5, series s0: all of its values are missing",
        ),
        (kinds(4).assign(person="p3"), "test.csv, rows 2–5, series s0: the group p3 is in both parts"),
    ],
)
def test_test_parts(tmp_path, test, message):
    table, data = kinds(), KINDS
    if "person" in test:
        table, data = kinds().assign(person=lambda rows: "p" + rows.id.str[1:]), {**KINDS, "group": "person"}
    assert re.search(message, said_of(tmp_path, LABELLED, table, data, test))


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        (sales(), {"known": ["sales"]}, "column sales is target and known at once .the values of a target"),
        (sales(), {"target": "sale"}, "no column sale for target (did you mean sales?)"),
        (sales(), {"target": []}, "needs target, the column to forecast"),
        (sales(), {"season": 9}, "season=9 is longer than the past, chain_length=8"),
        (sales(), {"calendar": ["weekdy"]}, "calendar has no weekdy (did you mean weekday?)"),
        (sales(), {"step": "1 fortnight"}, "step must be such as 1h"),
        (sales(9), {}, "no series has 10 steps, .* the longest has 9 steps"),
        (sales().drop(index=20), {}, "row 22: between 2025-01-20 and 2025-01-22 1 row lacks"),
        (sales().drop(index=20), {"gaps": "missing"}, "row 22: .* no row holds holiday"),
        (changed(sales(), 5, "holiday", None), {}, "row 7, column holiday is empty, but a known column"),
        (sales().assign(shop=lambda rows: "xy"[0]), {}, "row 2, column shop holds 'x', expected a number"),
        (
            sales(12).assign(day=pd.date_range("2025-01-01", periods=12).strftime("%m/%d/%Y")),
            {},
            "row 3, column day: '01/02/2025' is 2025-02-01 with the day first, 2025-01-02 with the month first",
        ),
    ],
)
def test_forecasts(tmp_path, table, changes, message):
    said = said_of(tmp_path, FORECAST, table, {**SALES, **changes})
    assert re.search(re.sub(r"([?()])", r"\\\1", message), said), said


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (
            sales().iloc[:20],
            r"test.csv, rows 2–21 ends where t.csv ends, or before: nothing of it comes later",
        ),
        (sales().iloc[45:], r"test.csv, rows 2–16 begins 5 steps after t.csv, rows 2–41 should go on"),
        (sales().iloc[40:].drop(columns="holiday"), r"test.csv has other columns .* missing holiday"),
    ],
)
def test_continued_series(tmp_path, test, message):
    assert re.search(message, said_of(tmp_path, FORECAST, sales().iloc[:40], SALES, test))


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("none.csv", None, [], "there is no file"),
        ("t.csv", kinds().to_csv(index=False), [], "say --label kind to learn it, or --drop kind and"),
        (
            "t.csv",
            kinds().drop(columns="kind").to_csv(index=False),
            [],
            "for series with labels, name the column of labels with --label",
        ),
        ("t.csv", kinds().to_csv(index=False), ["--label", "kid"], "did you mean kind?"),
        (
            "t.csv",
            kinds(1).to_csv(index=False),
            ["--label", "kind"],
            "1 series to train on, expected at least 2",
        ),
        ("t.csv", "b,1.5\na,2.5\nb,3.5\n", [], "name the column of labels with --label"),
        (
            "t.csv",
            sales().drop(index=20).drop(columns="holiday").to_csv(index=False),
            ["--horizon", "2", "--gaps", "error"],
            "row 22: between 2025-01-20 and 2025-01-22 1 row lacks",
        ),
        (
            "t.csv",
            sales().drop(columns="holiday").assign(sales="").to_csv(index=False),
            ["--horizon", "2"],
            "t.csv, rows 2–61: sales has no value in any row",
        ),
        (
            "t.csv",
            "shop,2025-01-01,2025-01-02\nx,1,2\ny,3,4\n",
            ["--horizon", "1", "--series", "shop"],
            "its columns are times: if each row is a whole series, say so with --rows series",
        ),
        (
            "t.csv",
            kinds().drop(columns=["id", "day"]).to_csv(index=False),
            ["--label", "kind"],
            "no column tells series apart, and temp, hum are not named as the nodes of one",
        ),
        ("t.xls", "not a workbook", [], "t.xls is of an unknown format"),
        ("t.parquet", "not a table", [], "t.parquet does not begin as a Parquet file does"),
    ],
)
def test_tables_without_a_recipe(tmp_path, name, content, options, message):
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    said = " ".join(invoke("train", tmp_path / name, *options, "-o", tmp_path / "out", code=1).split())
    assert message in said
    assert not FOREIGN.search(said)


def test_recipes_that_cannot_be_read(tmp_path):
    file = tmp_path / "recipe.yaml"
    assert f"there is no recipe {file}" in invoke("train", file, code=1)
    file.write_text("name: x\n\tdata: 3", "utf-8")
    assert "recipe.yaml, line 2 is no YAML: found character" in invoke("train", file, code=1)
    file.write_text("- a\n- b", "utf-8")
    assert "recipe.yaml must hold a mapping with name, task, data" in invoke("train", file, code=1)
