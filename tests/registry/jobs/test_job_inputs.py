"""Files of a job are found by paths, patterns, folders and addresses; broken rows have a reason and end nothing."""

import bz2
import gzip
import wave

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from registry.jobs.inputs.file_rows import rows_of_file, rows_of_table
from registry.jobs.inputs.files import input_files
from registry.jobs.inputs.tables import pieces_of
from registry.jobs.inputs.values import input_of, values_in


def names(paths):
    return [file.address.rpartition("/")[2] for file in input_files(paths)[1]]


def test_folders_are_searched_and_patterns_filled_in(tmp_path):
    for name in ("b.csv", "a.csv", "deep/c.csv", ".hidden.csv", "_notes.csv", "_done/d.csv"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("text\ngood\n")
    assert names([str(tmp_path)]) == ["a.csv", "b.csv", "c.csv"]
    assert names([f"{tmp_path}/[ab].csv"]) == ["a.csv", "b.csv"]
    assert names([f"{tmp_path}/b.csv", str(tmp_path)]) == ["b.csv", "a.csv", "c.csv"]
    assert names([f"file://{tmp_path}/a.csv"]) == ["a.csv"]


def test_object_stores_are_read_by_their_addresses():
    with fsspec.open("memory://bucket/in/a.jsonl", "wb") as stream:
        stream.write(b'{"text": "good"}\n')
    kind, [file] = input_files(["memory://bucket/in/*.jsonl"])
    assert (kind, file.size) == ("jsonl", 17)
    assert list(rows_of_file(file.address, kind)) == [({"text": "good"}, "")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "names no file"),
        (["a.csv", "b.jsonl"], "different kinds"),
        (["a.csv", "b.docx"], "no known kind"),
    ],
)
def test_what_cannot_be_told_is_an_error(files, message, tmp_path):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        input_files([str(tmp_path)])


def found(file, content, compress=bytes):
    file.write_bytes(compress(content))
    kind, [listed] = input_files([str(file)])
    return list(rows_of_file(listed.address, kind))


def test_csv_keeps_texts_and_names_broken_rows(tmp_path):
    content = 'id,text\n007,"good, and\ncheap"\n8\n9,bad,slow\n\n10,né\n'.encode() + b"11,\xff\n"
    assert found(tmp_path / "a.csv.gz", content, gzip.compress) == [
        ({"id": "007", "text": "good, and\ncheap"}, ""),
        ({"id": "8"}, "line 4 has 1 cells, expected 2"),
        ({"id": "9", "text": "bad"}, "line 5 has 3 cells, expected 2"),
        ({"id": "10", "text": "né"}, ""),
        (
            {"id": "11", "text": "\ufffd"},
            "line 8 is no UTF-8: 'utf-8' codec can't decode byte 0xff in position 3: invalid start byte",
        ),
    ]
    assert found(tmp_path / "a.tsv", b"a\tb\n1\t2,5\n") == [({"a": "1", "b": "2,5"}, "")]


def test_json_lines_name_broken_lines(tmp_path):
    rows = found(tmp_path / "a.jsonl.bz2", b'\xef\xbb\xbf{"n": [1, 2]}\n{"n":\n\n[3]\n', bz2.compress)
    assert [row for row, _ in rows] == [{"n": [1, 2]}, {}, {}]
    assert [reason[:22] for _, reason in rows] == ["", "line 2 is no JSON: Exp", "line 4 holds [3], expe"]


def test_texts_and_parquet(tmp_path):
    assert found(tmp_path / "a.txt", b"good\r\nbad") == [({"text": "good"}, ""), ({"text": "bad"}, "")]
    pq.write_table(pa.table({"id": [1, 2], "nodes": [[1.5], None]}), tmp_path / "a.parquet")
    assert list(rows_of_file(str(tmp_path / "a.parquet"), "parquet")) == [
        ({"id": 1, "nodes": [1.5]}, ""),
        ({"id": 2, "nodes": None}, ""),
    ]
    with pytest.raises(ValueError, match="no Parquet file"):
        found(tmp_path / "b.parquet", b"PAR1 and no more")


def test_tables_in_memory_are_cut_and_known_again():
    frame = pd.DataFrame({"id": range(3), "text": ["a", "b", "c"]})
    pieces, digest = pieces_of(frame)
    assert [row for piece in pieces for row, _ in rows_of_table(piece)] == frame.to_dict("records")
    assert pieces_of(pa.Table.from_pandas(frame, preserve_index=False))[1] == digest
    assert pieces_of(frame.assign(id=1))[1] != digest
    with pytest.raises(TypeError, match="data is a dict"):
        pieces_of({"id": [1]})
    with pytest.raises(ValueError, match="no rows"):
        pieces_of(frame[:0])


def test_values_become_what_pipelines_take(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((2, 2, 8000, 3, "NONE", ""))
        sound.writeframes(np.array([[0, 16384]] * 3, "<i2").tobytes())

    image = input_of(str(tmp_path / "a.png"), "image")
    assert (image.size, values_in(image)) == ((4, 3), 36)
    assert input_of({"bytes": (tmp_path / "a.png").read_bytes(), "path": None}, "image").size == (4, 3)
    heard = input_of(str(tmp_path / "a.wav"), "audio")
    assert (heard["sampling_rate"], heard["raw"].tolist()) == (8000, [0.25] * 3)
    assert input_of([[1, 2], [3, 4]], "").dtype == np.float32
    assert input_of({"question": "who?", "context": "me"}, "text") == {"question": "who?", "context": "me"}
    for value, kind in [(None, "text"), ([[1], [2, 3]], ""), (3, "image"), (b"RIFF", "audio")]:
        with pytest.raises(ValueError, match=r"expected|missing|WAV"):
            input_of(value, kind)
