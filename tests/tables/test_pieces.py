"""Tables read piece by piece: the same series one after the other, with little in memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from series_in_files import WRITERS

from chainhead_plugin import tables
from chainhead_plugin.answering import records
from chainhead_plugin.tables import Reading, TableError, TableSpec, load_pieces, schema_of


def same(pieces, whole):
    found = [series for piece in pieces for series in piece]
    assert [series.id for series in found] == [series.id for series in whole]
    for series, expected in zip(found, whole, strict=True):
        np.testing.assert_array_equal(series.values, expected.values)
        assert series.labels == expected.labels
        assert series.place == expected.place


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_in_pieces(name, tmp_path):
    WRITERS[name](tmp_path / name)
    whole = tables.load(tmp_path / name)
    for block_rows in (1, 7, 1000):
        same(load_pieces(tmp_path / name, block_rows=block_rows), whole)


def test_times_gaps_and_future(tmp_path):
    file = tmp_path / "a.csv"
    rows = [f"{key},2024-01-{day:02d},{day}" for key in "ab" for day in (5, 4, 1, 2)]
    file.write_text("id,day,x\n" + "\n".join(rows) + "\n")
    spec = TableSpec(gaps="missing", time="day", step="1d", calendar=["weekend"])
    same(load_pieces(file, spec, block_rows=3), tables.load(file, spec))
    pieces = list(load_pieces(file, spec, block_rows=3))
    assert [piece.future_times(series, 1) for piece in pieces for series in piece] == [["2024-01-06"]] * 2
    schema = schema_of(tables.load(file, spec))
    same(load_pieces(file, schema, block_rows=3), tables.load(file, spec))


def test_series_in_rows_and_frames(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("label,x1,x2\nu,1,2\nv,3,\nu,5,6\n")
    same(load_pieces(file, block_rows=2), tables.load(file))
    frame = pd.read_csv(file)
    same(load_pieces(frame), tables.load(frame))


def test_a_folder(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text("x\n" + "1\n2\n3\n" * (number + 1))
    same(load_pieces(tmp_path, block_rows=2), tables.load(tmp_path))


def test_series_that_do_not_stand_together(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("id,x\na,1\nb,2\na,3\n")
    assert len(tables.load(file)) == 2
    with pytest.raises(
        TableError, match=r"a.csv, row 4, series a: rows of this series stand apart .* sort the file by id"
    ):
        list(load_pieces(file, TableSpec(series="id"), block_rows=1))


def test_memory_does_not_grow_with_the_number_of_series(tmp_path):
    def peak(series, name):
        file = tmp_path / name
        length = 20_000
        with file.open("w") as stream:
            stream.write("id,a,b,c\n")
            for key in range(series):
                stream.write(f"{key},1.25,2.5,3.75\n" * length)
        pieces = load_pieces(file, block_rows=256)
        tracemalloc.start()
        count = sum(len(next(pieces)) for _ in range(series))  # each is let go of before the next is read
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == series
        return most / (length * 3 * 8)

    few, many = peak(2, "few.csv"), peak(8, "many.csv")
    assert many < 1.1 * few
    # The series, what it is joined from, and the numbers of its rows; a block of texts.
    assert many < 3


def test_times_cost_little_memory_too(tmp_path):
    file, length = tmp_path / "a.csv", 40_000
    times = np.datetime64("2024-01-01T00:00") + np.arange(length)
    file.write_text("t,x\n" + "".join(f"{time},1.5\n" for time in times))
    tracemalloc.start()
    (found,) = next(load_pieces(file, block_rows=256))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The block of texts, and the texts that are kept for rows to come, do not grow with the series.
    assert most < 3 * (found.values.nbytes + found.times.nbytes) + 2**23


def test_long_tables_cost_little(tmp_path):
    file = tmp_path / "a.csv"
    rng = np.random.default_rng(0)
    pd.DataFrame(np.round(rng.normal(size=(20_000, 4)), 4), columns=list("abcd")).to_csv(file, index=False)
    tracemalloc.start()
    windows = tables.load(file)[0].windows(300)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert windows.shape == (19_701, 300, 4)
    # A tenth of 200,000 rows, windows of 300 of which must not cost 500 MiB.
    assert most < 50 * 2**20


def test_reading_options_reach_the_pieces(tmp_path):
    (tmp_path / "a.txt").write_text("x\n1\n2\n")
    same(load_pieces("a.txt", reading=Reading(folder=tmp_path)), tables.load(tmp_path / "a.txt"))


def test_large_files_of_the_command_line(tmp_path, monkeypatch):
    wanted = records.Wanted(kind="sequence", feature_size=1, spec=TableSpec(series="id", rows="nodes"))
    together, apart = tmp_path / "a.csv", tmp_path / "b.csv"
    together.write_text("id,x\na,1\na,3\nb,2\nb,4\n")
    apart.write_text("id,x\na,1\nb,2\na,3\nb,4\n")

    def read(file):
        return [(one.name, one.data.nodes.ravel().tolist()) for one in records.read_records(file, wanted)]

    expected = read(together)
    assert expected == read(apart) == [("a", [1, 3]), ("b", [2, 4])]
    monkeypatch.setattr(records, "_LARGE", 0)
    assert read(together) == read(apart) == expected
    monkeypatch.setattr(records, "_MOST_WHOLE", 0)
    assert read(together) == expected
    with pytest.raises(TableError, match="row 4, series a: rows of this series stand apart"):
        read(apart)
