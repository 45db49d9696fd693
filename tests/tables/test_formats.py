"""Every format gives the same numbers, identifiers and labels."""

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from series_in_files import WITHOUT_IDS, WRITERS, frame, twenty

from chainhead_plugin import tables
from chainhead_plugin.tables import Reading, TableError

X = np.arange(24.0).reshape(2, 4, 3)


def check(found, with_ids=True):
    ids, labels, values = twenty()
    assert len(found) == len(values)
    for number, series in enumerate(found):
        assert series.values.dtype == np.float64
        np.testing.assert_array_equal(series.values, values[number])
        assert series.labels == (labels[number],)
        assert series.id == (ids[number] if with_ids else "")


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_series_from_every_format(name, tmp_path):
    file = tmp_path / name
    WRITERS[name](file)
    found = tables.load(file)
    check(found, with_ids=name not in WITHOUT_IDS)
    assert f"{name}: 20 series of 5–8 nodes" in tables.summary(found)


def test_the_same_series_from_excel(tmp_path):
    pytest.importorskip("openpyxl")
    frame().to_excel(tmp_path / "a.xlsx", index=False)
    check(tables.load(tmp_path / "a.xlsx"))


def test_the_same_series_from_dataframes():
    check(tables.load(frame()))
    check(tables.load(frame().convert_dtypes()))
    check(tables.load(frame().astype({"id": "category", "label": "string"})))
    panel = frame()
    panel["step"] = panel.groupby("id").cumcount()
    check(tables.load(panel.set_index(["id", "step"])))


def test_a_folder_is_a_file_a_series(tmp_path):
    ids, _, values = twenty()
    for key, series in zip(ids, values, strict=True):
        pd.DataFrame(series, columns=["temp", "level"]).to_csv(tmp_path / f"s{int(key)}.csv", index=False)
    (tmp_path / "README.md").write_text("read me")
    found = tables.load(tmp_path)
    assert [series.id for series in found] == [f"s{int(key)}" for key in ids]
    for series, expected in zip(found, values, strict=True):
        np.testing.assert_array_equal(series.values, expected)
    assert "left out README.md" in tables.summary(found)
    assert "series by file" in tables.summary(found)
    by_pattern = tables.load("s*.csv", reading=Reading(folder=tmp_path))
    assert [series.id for series in by_pattern] == [series.id for series in found]


def test_series_that_go_on_in_the_next_file(tmp_path):
    table = frame()
    table.iloc[:50].to_csv(tmp_path / "1.csv", index=False)
    table.iloc[50:, ::-1].to_csv(tmp_path / "2.csv", index=False)
    check(tables.load([tmp_path / "1.csv", tmp_path / "2.csv"]))
    table.iloc[50:].rename(columns={"temp": "heat"}).to_csv(tmp_path / "2.csv", index=False)
    with pytest.raises(TableError, match=r"1.csv and 2.csv have not the same columns: temp .* heat"):
        tables.load(tmp_path)


def test_arrays_are_never_transposed_silently(tmp_path):
    file = tmp_path / "a.npy"
    aeon = np.arange(2 * 3 * 50, dtype=float).reshape(2, 3, 50)  # [cases, channels, time]
    np.save(file, aeon)
    with pytest.raises(
        TableError, match=r"a.npy, array x \[2, 3, 50\] can be read as .* axes: channels_first"
    ):
        tables.load(file)
    with pytest.raises(TableError, match="looks as if channels stand before nodes"):
        tables.load(file, reading=Reading(feature_size=3))
    found = tables.load(file, reading=Reading(axes="channels_first"))
    np.testing.assert_array_equal(found[1].values, aeon[1].T)
    np.testing.assert_array_equal(tables.load(file, reading=Reading(axes="nodes_first"))[1].values, aeon[1])
    np.save(file, aeon.transpose(0, 2, 1))
    np.testing.assert_array_equal(tables.load(file)[1].values, aeon[1].T)


def test_arrays(tmp_path):
    file = tmp_path / "a.npz"
    x = np.arange(12.0).reshape(3, 4)
    np.savez(file, x=x, y=[1.0, 2.0, 1.0], person=["a", "b", "b"])
    found = tables.load(file, tables.TableSpec(group="person"))
    assert [(s.labels, s.group) for s in found] == [(("1",), "a"), (("2",), "b"), (("1",), "b")]
    np.testing.assert_array_equal(found[2].values, x[2][:, np.newaxis])
    np.savez(file, first=x[0], second=x[1][:2])
    assert [(s.id, s.values.ravel().tolist()) for s in tables.load(file)] == [
        ("first", [0, 1, 2, 3]),
        ("second", [4, 5]),
    ]
    np.savez(file, x=np.array([[1.0, np.inf]]))
    with pytest.raises(TableError, match=r"a.npz, array x is infinite at \[0, 1\]"):
        tables.load(file)
    np.savez(file, x=np.array([x[0], x[1][:2]], dtype=object), allow_pickle=True)
    with pytest.raises(TableError, match="with an array lengths"):
        tables.load(file)
    np.savez(file, x=x, y=[1, 2])
    with pytest.raises(TableError, match=r"array y \[2\] does not fit"):
        tables.load(file)


@pytest.mark.parametrize("suffix", [".tsv", ".txt"])
def test_ucr_files_have_classes_first(suffix, tmp_path):
    separator = "\t" if suffix == ".tsv" else "   "
    rows = [
        [1, *np.linspace(0.5, 3, 12)],
        [2, *np.linspace(-1.5, 4, 12)],
        [1, *np.linspace(0.1, 1, 11), np.nan],
    ]
    lines = [separator.join(str(cell) if i else f"{cell}" for i, cell in enumerate(row)) for row in rows]
    file = tmp_path / f"X_TRAIN{suffix}"
    file.write_text("".join(f"{line}\n" for line in lines).replace("nan", "NaN"))
    found = tables.load(file)
    assert [(len(series), series.labels) for series in found] == [(12, ("1",)), (12, ("2",)), (11, ("1",))]
    np.testing.assert_allclose(found[1].values.ravel(), rows[1][1:])
    assert "classes first, as in the UCR archive; label" not in tables.summary(found)
    assert tables.summary(found).endswith("classes first, as in the UCR archive")


def test_archives_say_where_they_are_wrong(tmp_path):
    file = tmp_path / "a.ts"
    file.write_text("@classLabel true a\n@data\n1,2:3,4:a\n1,2:3:a\n")
    with pytest.raises(TableError, match=r"a.ts, row 4: its channels have several lengths"):
        tables.load(file)
    file.write_text("@classLabel true a\n@data\n1,x:a\n")
    with pytest.raises(TableError, match=r"a.ts, row 3 holds 'x'"):
        tables.load(file)
    file = tmp_path / "a.arff"
    file.write_text("@relation r\n@attribute a numeric\n@attribute target {x,y}\n@data\n1,x\n1e999,y\n")
    with pytest.raises(TableError, match=r"a.arff, row 6 holds '1e999'"):
        tables.load(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"nodes": [[1, 2], [3]]}', "row 1: node 2 has 1 features, expected 2"),
        ('{"nodes": [1, "x"]}', "row 1: node 2 holds 'x'"),
        ('{"nodes": [1, Infinity]}', "row 1: node 2 holds an infinite number"),
        ('{"nodes": []}', "row 1 is empty"),
        ('{"nodes": [1]}\n{"nodes": [1}', "row 2 is no JSON"),
        ('{"nodes": [1]}\n{"values": [1]}', "row 2 has no field nodes, only values"),
        ('{"a": 1}\n{"a": [1, 2]}', "row 2, column a holds"),
        ("", "there is nothing in it"),
    ],
)
def test_json_lines_say_where_they_are_wrong(content, message, tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(content)
    with pytest.raises(TableError, match=f"a.jsonl.*{message}"):
        tables.load(file)


def test_json_keeps_long_integers_and_texts(tmp_path):
    file = tmp_path / "a.jsonl"
    rows = [{"id": 2**60 + 1, "x": 1}, {"id": 2**60 + 1, "x": None}, {"id": 2**60, "x": 0.5}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [series.id for series in tables.load(file)] == [str(2**60 + 1), str(2**60)]


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    table = pd.DataFrame(
        {"day": pd.date_range("2024-01-30", periods=3), "x": [1, None, 3], "label": ["NA", "NA", "NA"]}
    )
    table.to_excel(tmp_path / "a.xlsx", index=False)
    found = tables.load(tmp_path / "a.xlsx")
    assert found[0].labels == ("NA",)
    assert np.isnan(found[0].values[1, 0])
    assert [str(day) for day in found.future_times(found[0], 2)] == ["2024-02-02", "2024-02-03"]
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    book.create_sheet("second").append(["x", 1])
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(TableError, match="has the sheets Sheet1, second: name one"):
        tables.load(tmp_path / "b.xlsx")


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.json"])
def test_a_list_for_each_feature(name, tmp_path):
    ids, labels, values = twenty()
    columns = {
        "id": ids,
        "label": labels,
        "temp": [[None if x != x else x for x in one[:, 0].tolist()] for one in values],
        "level": [[None if x != x else x for x in one[:, 1].tolist()] for one in values],
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if name.endswith("parquet"):
        pd.DataFrame(columns).to_parquet(tmp_path / name)
    else:
        text = json.dumps(rows) if name.endswith("json") else "\n".join(map(json.dumps, rows))
        (tmp_path / name).write_text(text)
    found = tables.load(tmp_path / name)
    check(found)
    assert found.features == ("temp", "level")
    rows[3]["temp"].append(1)
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(
        TableError, match=r"b.jsonl, row 4: the features have not the same length: temp 9, level 8"
    ):
        tables.load(tmp_path / "b.jsonl")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": X, "y": np.array(["a", "b"], object)},
            "array y is no array of numbers or texts: it holds pickled",
        ),
        (
            {"x": np.array([X[0], X[0, :2]], object)},
            r"array x is .* series of several lengths behind each other",
        ),
        (
            {"x_train": X, "y": np.array(["a", "b"])},
            "has several series in each of its arrays x_train: save those",
        ),
        ({"a": X[0], "b": X}, r"array b has shape \[2, 4, 3\], expected \[L\] or \[L, m\]"),
    ],
)
def test_arrays_that_are_none_are_named(arrays, message, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(TableError, match=message):
        tables.load(tmp_path / "a.npz")


@pytest.mark.parametrize(("above", "before"), [(0, 0), (2, 0), (0, 3), (2, 1)])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_begins_anywhere_in_a_sheet(tmp_path, above, before, header):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row, cells in enumerate([["x", "y"]] * header + [[1.5, 2], [2.5, "warm" if above else 3]]):
        for column, cell in enumerate(cells):
            book.active.cell(1 + above + row, 1 + before + column).value = cell
    book.save(tmp_path / "a.xlsx")
    if above:
        with pytest.raises(TableError, match=f"a.xlsx, row {above + 2 + header}, column .* holds 'warm'"):
            tables.load(tmp_path / "a.xlsx", tables.TableSpec(rows="nodes"))
    else:
        assert tables.load(tmp_path / "a.xlsx")[0].values.tolist() == [[1.5, 2], [2.5, 3]]


def test_formulas_that_were_never_calculated(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["x", "twice"], [1, "=A2*2"], [2, "=A3*2"], [3, 7]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(
        TableError, match=r"a.xlsx, row 2, column 2 holds a formula without its result, as all"
    ):
        tables.load(tmp_path / "a.xlsx")
    # Spreadsheet programs write results, some of which are empty.
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name.endswith("sheet1.xml"):
                text = re.sub(rb"<f>A2\*2</f><v\s*/?>(</v>)?", b"<f>A2*2</f><v>2</v>", text)
            new.writestr(name, text)
    np.testing.assert_array_equal(tables.load(tmp_path / "b.xlsx")[0].values, [[1, 2], [2, np.nan], [3, 7]])


def test_cells_merged_over_rows_and_titles_in_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    steps = frame().groupby("id").cumcount().rename("step")
    table = frame().set_index("id").set_index(steps.to_numpy(), append=True).rename_axis(["id", "step"])
    table.to_excel(tmp_path / "a.xlsx")  # pandas merges the cells of equal ids
    found = tables.load(tmp_path / "a.xlsx")
    check(found)
    assert "the value of merged cells taken for all of their rows (20)" in tables.summary(found)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    sheet = book.active
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    sheet.insert_rows(1, 3)
    sheet["B1"], sheet["A2"] = "Report", "of May"
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(
        TableError, match=r"'Report', 'of May' stand above a table of \d columns, .* in row 4"
    ):
        tables.load(tmp_path / "b.xlsx")


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.npz", "a.csv.gz", "a.csv.zip", "a.csv.zst"])
def test_damaged_files(name, tmp_path):
    WRITERS.get(name, WRITERS["ragged.npz"])(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TableError, match=name):
        tables.load(tmp_path / name)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(TableError, match="there is no file"):
        tables.load(tmp_path / "a.csv")
    with pytest.raises(TableError, match="no file is called"):
        tables.load(tmp_path / "*.csv")
    with pytest.raises(TableError, match="holds no table"):
        tables.load(tmp_path)
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(TableError, match=r"a.pdf is of an unknown format: expected one of .csv"):
        tables.load(tmp_path / "a.pdf")


def test_content_in_memory():
    content = frame().to_csv(index=False).encode()
    check(tables.load(tables.source_of(content, "-")))


def test_modules_of_optional_dependencies_are_named(tmp_path, monkeypatch):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(TableError, match=r"a.xlsx needs openpyxl: pip install openpyxl"):
        tables.load(tmp_path / "a.xlsx")
