"""Files whose content does not match their name: found by their first bytes, with advice."""

import gzip
import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin.tables import Reading, TableError, TableSpec, load, load_texts, source_of, summary

TABLE = pd.DataFrame({"x": [1.5, 2.5, 3.5]})
CSV = TABLE.to_csv(index=False)
TS = "@problemName p\n@classLabel true a b\n@data\n1,2:a\n3,4:{}\n"


def parquet():
    out = io.BytesIO()
    TABLE.to_parquet(out)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", parquet(), "t.csv is a Parquet file, not a table in text: rename it to .parquet"),
        (
            "t.csv",
            zipped(sheet_xml="<x/>"),
            "t.csv is a zip archive, such as a workbook, not a table in text",
        ),
        ("t.csv", gzip.compress(CSV.encode()), "t.csv is compressed by gzip, .* table.csv.gz"),
        ("t.json", npy(np.ones(3)), "t.json is an array of NumPy, not JSON: rename it to .npy"),
        ("t.csv", b"%PDF-1.4\n", "t.csv is a PDF document"),
        (
            "t.csv",
            b"\n <!DOCTYPE html>\n<html>404, not found",
            "t.csv is a page of the web .* failed download",
        ),
        (
            "t.csv",
            b"version https://git-lfs.github.com/spec/v1\n",
            "t.csv is a pointer of Git LFS .* git lfs pull",
        ),
        ("t.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "t.xlsx is a workbook of old Excel"),
        (
            "t.xlsx",
            CSV.encode(),
            "t.xlsx does not begin as an .xlsx workbook does: it seems to be text: rename",
        ),
        ("t.parquet", CSV.encode(), "t.parquet does not begin as a Parquet file does: it seems to be text"),
        ("t.parquet", b"\0\1\2", "t.parquet does not begin as a Parquet file does: it is damaged"),
        ("t.npy", b"", "t.npy: there is nothing in it"),
        ("t.csv.gz", CSV.encode(), "t.csv.gz cannot be read, or is damaged"),
        ("t.tar.gz", b"\x1f\x8bxx", "t.tar.gz cannot be read, or is damaged"),
        ("t.npy", npy(np.ones((2, 3)) * 1j), "t.npy, array .* holds complex numbers, expected real numbers"),
        ("t.npy", npy(np.array(["a"])), "holds texts, expected real numbers"),
        ("t.ts", TS.format("c").encode(), "t.ts, row 5 has the class 'c', but @classLabel lists a, b"),
        ("t.arff", b"@attribute a numeric\n@attribute class {a,b}\n@data\n{0 1.5, 1 a}\n", "row 4 is sparse"),
    ],
    # Archives hold the time at which they were made.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_files_that_are_something_else(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=re.sub(r"([()])", r"\\\1", message)):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.4\n", " is a PDF document, not {kind}: save the table or text"),
        (gzip.compress(b"a text"), " is compressed by gzip, not {kind}"),
        (parquet(), " is a Parquet file, not {kind}"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ", row 3 holds a zero byte"),
        (b"a text\n" * 2**18 + b"\0", ", row 262145 holds a zero byte"),
    ],
    ids=["PDF", "gzip", "Parquet", "picture", "NUL at the end"],
)
@pytest.mark.parametrize(("read_as", "kind"), [("lines", "lines of text"), ("document", "a text")])
def test_files_that_are_no_texts(tmp_path, read_as, kind, content, message):
    file = tmp_path / "t.txt"
    file.write_bytes(content)
    with pytest.raises(TableError, match=rf"^t\.txt{message.format(kind=kind)}"):
        load_texts(file, reading=Reading(format=read_as))


def test_a_page_of_the_web_is_a_text(tmp_path):
    (tmp_path / "t.txt").write_text("<html>good</html>")
    (tmp_path / "empty.txt").write_bytes(b"")
    [text] = load_texts(tmp_path, reading=Reading(format="document"))[0]
    assert text.text == "<html>good</html>"


@pytest.mark.parametrize(("name", "content"), [("t.csv", CSV), ("t.txt", CSV), ("t.ts", TS.format("b"))])
def test_tables_that_hold_zero_bytes(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode() + bytes(5))
    row = content.count("\n") + 1
    with pytest.raises(TableError, match=f"^{name}, row {row} holds a zero byte"):
        load(tmp_path / name)


def test_an_archive_of_tables_and_other_files(tmp_path):
    (tmp_path / "t.zip").write_bytes(zipped(a_csv=CSV, README_md="about it", licence_pdf="%PDF"))
    found = load(tmp_path / "t.zip")
    assert [one.values.ravel().tolist() for one in found] == [[1.5, 2.5, 3.5]]
    assert "left out README.md, licence.pdf in t.zip" in summary(found)


def test_nothing_on_standard_input_and_in_folders(tmp_path):
    with pytest.raises(TableError, match="-: there is nothing in it"):
        load(source_of(b"", "-"))
    (tmp_path / "inside").mkdir()
    with pytest.raises(TableError, match="holds no table, and neither do the folders in it"):
        load(tmp_path)


def test_classes_that_the_header_of_a_ts_file_lists(tmp_path):
    (tmp_path / "t.ts").write_text(TS.format("b"), "utf-8")
    assert [one.labels for one in load(tmp_path / "t.ts", TableSpec())] == [("a",), ("b",)]
