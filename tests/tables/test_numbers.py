"""Numbers and missing values."""

import re

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError


def test_ids_and_labels_stay_as_they_stand(load):
    found = load("id,label,x\nNA,007,1\nNone,null,2\nNA,007,3\nnan,1e3,4\n01,NaN,5\n 1, a ,6\n")
    assert [series.id for series in found] == ["NA", "None", "nan", "01", " 1"]
    assert [series.labels[0] for series in found] == ["007", "null", "1e3", "NaN", " a "]


def test_empty_cells_and_nan_are_missing_and_codes_are_named(load):
    values = load("a,b\n1,\n,2\nnan,NaN\n")[0].values
    assert np.isnan(values).tolist() == [[False, True], [True, False], [True, True]]
    with pytest.raises(TableError, match=r"a.csv, row 3, column b holds 'NA', .* missing: \[NA\]"):
        load("a,b\n1,2\n3,NA\n")
    found = load("id,a\nNA,1\nNA,-200\nNA,-200.0\nNA,NA\n", missing=[-200, "NA"])
    assert found[0].id == "NA"
    assert np.isnan(found[0].values.ravel()).tolist() == [False, True, True, True]
    assert "3 missing values" in tables.summary(found)
    typed = pd.DataFrame({"a": [1.0, -200.0], "b": [-200, 3]})
    assert np.isnan(tables.load(typed, tables.TableSpec(missing=-200))[0].values).tolist() == [
        [False, True],
        [True, False],
    ]


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_infinite_cells_are_placed(load, cell):
    with pytest.raises(TableError, match=r"a.csv, row 3, column b holds -?inf, expected a finite number"):
        load(f"a,b\n1,2\n3,{cell}\n")


def test_infinite_cells_of_frames_and_arrays():
    with pytest.raises(TableError, match="the DataFrame, row 2, column x holds inf"):
        tables.load(pd.DataFrame({"x": [1, np.inf]}))


@pytest.mark.parametrize("cell", ["abc", "1_000", "0x10", "1 2", "--1"])
def test_cells_that_are_no_numbers(load, cell):
    with pytest.raises(TableError, match=rf"a.csv, row 3, column b holds '{cell}', expected a number"):
        load(f"a,b\n1,2\n3,{cell}\n")


def test_levels_keep_their_digits(load):
    expected = 1e8 + np.arange(5) / 8
    found = load("x\n" + "".join(f"{value!r}\n" for value in expected.tolist()))
    assert found[0].values.ravel().tolist() == expected.tolist()


def test_columns_of_every_type():
    frame = pd.DataFrame(
        {
            "boolean": [True, False, True],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "float": pd.array([0.5, None, 1], dtype="Float64"),
            "category": pd.Categorical(["1.5", "2", "1.5"]),
            "codes": pd.Categorical([3, 4, 3]),
            "object": [1, 2.5, None],
        }
    )
    import decimal

    frame["decimal"] = [decimal.Decimal("0.1"), decimal.Decimal("2"), None]
    found = tables.load(frame)
    nan = np.nan
    expected = [
        [1, 0, 1],
        [1, nan, 3],
        [1, nan, 0],
        [0.5, nan, 1],
        [1.5, 2, 1.5],
        [3, 4, 3],
        [1, 2.5, nan],
        [0.1, 2, nan],
    ]
    np.testing.assert_array_equal(found[0].values.T, expected)


def test_typed_columns_of_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import decimal

    from pyarrow import parquet

    table = pyarrow.table(
        {
            "id": pyarrow.array([2**60 + 1, 2**60 + 1, None], pyarrow.int64()).fill_null(5),
            "d": pyarrow.array([decimal.Decimal("0.1"), None, decimal.Decimal("2.5")]),
            "flag": [True, None, False],
            "count": pyarrow.array([1, None, 3], pyarrow.int32()),
            "text": pyarrow.array(["1", None, "2"]).dictionary_encode(),
            "empty": pyarrow.nulls(3),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    found = tables.load(tmp_path / "a.parquet")
    assert [series.id for series in found] == [str(2**60 + 1), "5"]
    nan = np.nan
    np.testing.assert_array_equal(
        np.concatenate([series.values for series in found]).T,
        [[0.1, nan, 2.5], [1, nan, 0], [1, nan, 3], [1, nan, 2], [nan, nan, nan]],
    )


def test_booleans_as_pandas_writes_them(load):
    assert load("x,y\nTrue,1\nFalse,2\n,3\n")[0].values[:2, 0].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([*np.linspace(0.1, 11.9, 40), -200, -200], r"column a holds -200 2 times, .* 0\.1 to 11\.9"),
        ([*np.linspace(647, 2040, 40), -200, -200], "holds -200 2 times"),
        ([*np.linspace(-5, 30, 40), 9999, 9999, -999, -999], r"holds -999 2 times.*\n.*holds 9999 2 times"),
        ([*np.linspace(-5, 30, 40), 500, 500, 500], "holds 500 3 times"),
    ],
)
def test_likely_codes_are_told_and_left_as_they_are(values, told):
    with pytest.warns(UserWarning, match="taken for a value") as warned:
        found = tables.load(pd.DataFrame({"a": values, "b": 1.5}))
    assert re.search(told, "\n".join(str(warning.message) for warning in warned))
    np.testing.assert_array_equal(found[0].values[:, 0], values)
    codes = [value for value in values if abs(value) > 100 and values.count(value) > 1]
    tables.load(pd.DataFrame({"a": values}), tables.TableSpec(missing=codes))  # named, it is told no more


@pytest.mark.parametrize(
    "values",
    [
        [0] * 40 + [1000] * 3,
        [*np.linspace(0, 30, 40), 500],
        [*np.linspace(-200, 200, 40), -200, 200],
        np.clip(np.random.default_rng(0).normal(size=400) * 60, -99, 99),
        [*range(40), -1, -1],
    ],
)
def test_values_that_may_well_be_meant(values):
    tables.load(pd.DataFrame({"a": values}), tables.TableSpec(features="a"))


def test_missing_values_are_placed(load):
    def message(*given, **options):
        with pytest.raises(TableError) as error:
            load(*given, **options).check_complete()
        return str(error.value)

    assert message("id,a,b\nx,1,2\nx,,3\n").startswith(
        "a.csv, row 3, column a, series x: the value is missing"
    )
    assert message("c0,c1,c2,label\n1,,3,u\n1,2,3,v\n").startswith("a.csv, row 2, column c1: ")
    gap = message("id,day,a\nx,2024-01-04,3\nx,2024-01-01,1\nx,2024-01-02,2\n", gaps="missing")
    assert gap.startswith("a.csv, after row 4, column a, series x: no row has the time 2024-01-03, but")


@pytest.mark.parametrize("rows", ["label,age,t0,t1\na,,1,2\nb,4,3,4\n", "label,id,age,x\na,1,,1\na,1,,2\n"])
def test_what_is_static_may_not_be_missing(load, rows):
    with pytest.raises(TableError, match=r"a.csv, row [23], column age"):
        load(rows, static="age")
