"""Folders of files as one data set: a file for each series, or a folder for each label."""

import gzip
import shutil

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError, TableSpec
from chainhead_plugin.tables.formats.files import find_sources


def write(folder, label=None, seed=0):
    frame = pd.DataFrame({"x": np.arange(4) + seed, "y": 1.5})
    folder.mkdir(parents=True, exist_ok=True)
    (frame if label is None else frame.assign(label=label)).to_csv(folder / f"s{seed}.csv", index=False)


@pytest.fixture
def by_folder(tmp_path):
    for kind in ("run", "walk"):
        for seed in range(2):
            write(tmp_path / "data" / kind, seed=seed)
    return tmp_path / "data"


def test_folders_side_by_side_are_labels(by_folder, tmp_path):
    shutil.make_archive(str(tmp_path / "packed"), "zip", by_folder)
    patterns = [by_folder / "run" / "*.csv", by_folder / "walk"]
    for where in (by_folder, f"{by_folder}/*/*.csv", patterns, tmp_path / "packed.zip"):
        found = tables.load(where)
        assert [(one.id, one.labels, len(one)) for one in found] == [
            (f"{kind}/s{seed}", (kind,), 4) for kind in ("run", "walk") for seed in range(2)
        ]
        assert found.features == ("x", "y")
        assert "4 series of 4 nodes; features x, y; label folder (run 2, walk 2)" in tables.summary(found)
        assert found[1].place == "run/s1.csv, rows 2–5, series run/s1"
        schema = tables.schema_of(found)
        assert tables.load_matched(where, schema, labelled=True)[2].labels == ("walk",)
        assert tables.load_matched(where, schema)[2].labels == ()
    alone = tables.load_matched(by_folder / "run" / "s0.csv", schema)
    np.testing.assert_array_equal(alone[0].values, found[0].values)


def test_class_folders_in_pieces(by_folder):
    whole = tables.load(by_folder)
    parts = [series for found in tables.load_pieces(by_folder) for series in found]
    assert [(one.id, one.labels) for one in parts] == [(one.id, one.labels) for one in whole]
    np.testing.assert_array_equal(parts[2].values, whole[2].values)


def test_other_meanings_of_folders(by_folder):
    assert tables.load(by_folder, TableSpec(rows="nodes", drop="folder"))[0].labels == ()
    assert tables.load(by_folder, TableSpec(target="x"))[0].labels == ()
    assert tables.load(by_folder, TableSpec(group="folder", rows="nodes"))[2].group == "walk"
    plain = tables.schema_of(tables.load(by_folder / "run" / "s0.csv"))
    assert len(tables.load_matched(by_folder, plain)) == 4


def test_files_with_a_column_of_labels(tmp_path):
    for seed in range(4):
        write(tmp_path / "data", "ab"[seed % 2], seed)
    found = tables.load(tmp_path / "data")
    assert [(one.id, one.labels) for one in found] == [(f"s{seed}", ("ab"[seed % 2],)) for seed in range(4)]
    for name in ("b", "a"):  # several rows with labels of their own, in each of several files
        (tmp_path / f"wide_{name}.csv").write_text("label,t0,t1,t2\nu,1,2,3\nu,2,3,4\n")
    assert len(tables.load(f"{tmp_path}/wide_*.csv")) == 4


def test_what_is_left_out_is_said(by_folder):
    (by_folder / "notes.md").write_text("x")
    (by_folder / "run" / "sensor.json5").write_text("x")
    assert "left out notes.md, run/sensor.json5" in tables.summary(tables.load(by_folder))
    write(by_folder)
    assert "left out notes.md, run, walk" in tables.summary(tables.load(by_folder))
    (by_folder.parent / "none" / "inner").mkdir(parents=True)
    with pytest.raises(TableError, match="none holds no table, and neither do the folders in it"):
        tables.load(by_folder.parent / "none")


TABLE = "x\n1\n2\n"


@pytest.mark.parametrize(
    ("files", "tables_found", "left_out"),
    [
        (["a.csv", "b.csv", "notes.txt"], ["a.csv", "b.csv"], "left out notes.txt"),
        (["a.csv", "settings.json"], ["a.csv"], "left out settings.json"),
        (["a.csv", "b.tsv", "c.csv.gz"], ["a.csv", "b.tsv", "c.csv.gz"], None),
        # As many notes as tables are left out, but not more: these are recordings, and a table that lists them.
        (["a.csv", "b.csv", "1.txt", "2.txt"], ["a.csv", "b.csv"], "left out 1.txt, 2.txt"),
        (["a.csv", "1.txt", "2.txt"], ["1.txt", "2.txt", "a.csv"], None),
        (["1.txt", "2.txt"], ["1.txt", "2.txt"], None),
        # Beside folders of tables, too.
        (["readme.txt", "u/1.csv", "v/1.csv"], ["u/1.csv", "v/1.csv"], "left out readme.txt"),
        (["readme.txt", "u/1.txt", "v/1.txt"], ["u/1.txt", "v/1.txt"], "left out readme.txt"),
        (
            ["readme.txt", "u/1.csv", "u/notes.txt", "v/1.csv"],
            ["u/1.csv", "v/1.csv"],
            "readme.txt, u/notes.txt",
        ),
        (["1.csv", "u/2.csv", "v/3.csv"], ["1.csv"], "left out u, v"),
        (["1.txt", "2.txt", "u/2.csv"], ["1.txt", "2.txt"], "left out u"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_notes_and_settings_are_no_tables(tmp_path, files, tables_found, left_out, packed):
    for name in files:
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(TABLE.encode()) if name.endswith(".gz") else TABLE.encode())
    where = tmp_path / "data"
    if packed:
        if any("/" in name or name.endswith(".gz") for name in files):
            return  # an archive is read with all of its folders
        where = shutil.make_archive(str(tmp_path / "packed"), "zip", where)
    sources, notes = find_sources(where)
    assert sorted(source.name.removeprefix("packed.zip/") for source in sources) in (
        tables_found,
        ["packed.zip"],
    )
    assert len(sources) == len(tables_found)
    assert (left_out in notes[0]) if left_out else not notes
