"""Predictions written to files."""

import datetime
import json
import math

import numpy as np
import pytest

from chainhead_plugin.tables import TableError, to_plain, write_rows

ROWS = [
    {"id": "007", "day": datetime.date(2024, 1, 2), "label": "=1+1", "score": 0.5, "n": 1, "all": [1, 2.5]},
    {"id": "-5", "day": datetime.date(2024, 1, 3), "label": "@a,\nb", "score": math.nan, "n": 2, "all": []},
]


def test_csv(tmp_path):
    file = tmp_path / "out.csv"
    assert write_rows(file, ROWS) == 2
    assert file.read_text() == (
        'id,day,label,score,n,all\n007,2024-01-02,\'=1+1,0.5,1,"[1, 2.5]"\n-5,2024-01-03,"\'@a,\nb",,2,[]\n'
    )
    write_rows(file, ROWS, overwrite=True, escape=False)
    assert ",=1+1," in file.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_json_lines(tmp_path):
    file = tmp_path / "out.jsonl"
    write_rows(file, iter(ROWS))
    first, second = map(json.loads, file.read_text().splitlines())
    assert first == {"id": "007", "day": "2024-01-02", "label": "=1+1", "score": 0.5, "n": 1, "all": [1, 2.5]}
    assert second["score"] is None


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "out.parquet"
    rows = (
        {"id": str(n), "at": np.datetime64("2024-01-01", "ns") + n, "score": float(n)} for n in range(10_000)
    )
    assert write_rows(file, rows) == 10_000
    table = parquet.read_table(file)
    assert table.num_rows == 10_000
    assert table["score"].to_pylist()[-1] == 9999
    assert str(table.schema.field("at").type).startswith("timestamp")
    with pytest.raises(TableError, match="cannot write Parquet from row"):
        write_rows(tmp_path / "b.parquet", [{"a": 1}, {"a": "x"}])
    assert not (tmp_path / "b.parquet").exists()


def test_nothing_is_left_after_an_error(tmp_path):
    def rows():
        yield ROWS[0]
        raise RuntimeError("the model")

    for name in ("a.csv", "a.jsonl"):
        (tmp_path / name).write_text("before")
        with pytest.raises(RuntimeError, match="the model"):
            write_rows(tmp_path / name, rows(), overwrite=True)
        assert (tmp_path / name).read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 2


def test_files_that_cannot_be_written(tmp_path):
    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(TableError, match="is there already"):
        write_rows(tmp_path / "a.csv", ROWS)
    with pytest.raises(TableError, match=r"ends in .csv, .tsv, .xlsx, .parquet, .jsonl"):
        write_rows(tmp_path / "a.xls", ROWS)
    with pytest.raises(TableError, match="there is no folder"):
        write_rows(tmp_path / "none" / "a.csv", ROWS)
    with pytest.raises(TableError, match="there is nothing to write"):
        write_rows(tmp_path / "b.csv", [])
    with pytest.raises(TableError, match=r"row 2 for b\.csv has x, expected id"):
        write_rows(tmp_path / "b.csv", [{"id": 1}, {"x": 1}])


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([[1, np.nan]]), [[1, None]]),
        (np.datetime64("2024-01-01T05", "ns"), "2024-01-01T05:00"),
        (np.datetime64("NaT"), None),
        (datetime.datetime(2024, 1, 1, 5, tzinfo=datetime.timezone.utc), "2024-01-01T05:00:00+00:00"),
        ({1: (True, None)}, {"1": [True, None]}),
        (-math.inf, None),
    ],
)
def test_plain_values(value, plain):
    assert to_plain(value) == plain


def test_values_that_are_not_plain():
    with pytest.raises(TableError, match="of the type set as JSON"):
        to_plain({1})
