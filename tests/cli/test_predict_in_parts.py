"""`chainhead predict --engine ray` gives the answers of one process. Ray itself is tested in tests/registry/jobs/."""

import json

import numpy as np
import pytest
from command_line import TEXTS, invoke
from PIL import Image
from sounds import write_sound

from registry.jobs import running

pytest.importorskip("ray", reason="the extra ray is not installed")


@pytest.fixture(autouse=True)
def _in_a_loop(monkeypatch):
    """The parts of a job are the same without workers."""
    here = running.Where("plain")
    monkeypatch.setattr(running, "Where", lambda *_: here)


def series(folder):
    rows = [
        {"who": f"w{number}", "nodes": np.sin(np.arange(3 * length)).reshape(-1, 3).tolist()}
        for number, length in enumerate((4, 9, 5))
    ]
    (folder / "series.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return ["series.jsonl"]


def sales(folder):
    rows = "".join(f"{key},{3.5 + value % 5}\n" for key in "ab" for value in range(12))
    (folder / "sales.csv").write_text(f"id,amount\n{rows}", "utf-8")
    return ["sales.csv", "--horizon", "2"]


def texts(folder):
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.csv").write_text(f'key,text\nk{number},"{text}"\n', "utf-8")
    return ["0.csv", "1.csv", "2.csv"]


def images(folder):
    (folder / "scans").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8), np.uint8)
        Image.fromarray(pixels).save(folder / "scans" / f"{number}.png")
    return ["scans"]


def sounds(folder):
    (folder / "calls").mkdir()
    for number, length in enumerate((800, 500, 650)):
        tone = 2**14 * np.sin(np.arange(length) / (5 + number))
        write_sound(folder / "calls" / f"{number}.wav", tone, 16_000)
    return ["calls"]


CASES = {
    "sequence": series,
    "features": series,
    "frames": series,
    "forecast": sales,
    "text": texts,
    "tokens": texts,
    "image": images,
    "sound": sounds,
}


@pytest.mark.parametrize("name", CASES)
def test_answers_are_those_of_one_process(name, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["predict", folders / name, *CASES[name](tmp_path), "--device", "cpu"]
    invoke(*given, "--output", "plain.jsonl")
    told = invoke(*given, "--output", "parts.jsonl", "--engine", "ray")
    assert told.startswith("parts.jsonl: ")
    assert "without an answer" not in told

    expected = [json.loads(line) for line in (tmp_path / "plain.jsonl").read_text("utf-8").splitlines()]
    parts = sorted((tmp_path / "parts.jsonl").glob("part-*"))
    found = [json.loads(line) for part in parts for line in part.read_text("utf-8").splitlines()]
    assert [line.pop("error") for line in found] == [None] * len(expected)
    assert [list(line) for line in found] == [list(line) for line in expected]
    assert_same(found, expected)


def assert_same(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == (pytest.approx(expected, abs=1e-6) if isinstance(expected, float) else expected)


def test_an_image_that_cannot_be_read_stops_nothing(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images(tmp_path)
    (tmp_path / "scans" / "1.png").write_bytes(b"no image")
    given = ["predict", folders / "image", "scans", "--engine", "ray"]
    told = invoke(*given, "--output", "parts.jsonl")
    assert "3 inputs in 1 part, 1 of them without an answer: the column error says why" in told
    [part] = (tmp_path / "parts.jsonl").glob("part-*")
    lines = [json.loads(line) for line in part.read_text("utf-8").splitlines()]
    assert [line["file"] for line in lines] == ["scans/0.png", "scans/1.png", "scans/2.png"]
    assert "1.png" in lines[1]["error"]
    assert "1.png" in invoke(*given, "--output", "again.jsonl", "--on-error", "raise", code=1)


BROKEN = {
    "an empty text": (
        "text",
        "texts.csv",
        'key,text\na,good\nb,\nc,"fine, too"\n',
        ("key", ["a", "b", "c"]),
        "texts.csv, row 3, column text is empty",
    ),
    "a line that is no JSON": (
        "text",
        "texts.jsonl",
        '{"key": "a", "text": "good"}\n{"key": "b", "te\n{"key": "c", "text": "fine"}\n',
        ("key", ["a", None, "c"]),
        "texts.jsonl, row 2 is no JSON",
    ),
    "a series with a missing value": (
        "sequence",
        "series.csv",
        "id,x,y,z\na,1,2,3\na,4,5,6\nb,1,,3\nb,4,5,6\nc,1,2,3\n",
        ("id", ["a", "b", "c"]),
        "series.csv, row 4, column y, series b: the value is missing",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_record_that_no_model_takes_stops_nothing(case, folders, tmp_path, monkeypatch):
    model, name, content, (key, keys), reason = BROKEN[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(content, "utf-8")
    given = ["predict", folders / model, name, "--engine", "ray", "--output"]
    told = invoke(*given, "parts.jsonl")
    assert "3 inputs in 1 part, 1 of them without an answer: the column error says why" in told
    [part] = (tmp_path / "parts.jsonl").glob("part-*")
    lines = [json.loads(line) for line in part.read_text("utf-8").splitlines()]
    assert [line.get(key) for line in lines] == keys
    assert [line["error"] is None for line in lines] == [True, False, True]
    assert reason in lines[1]["error"]
    told = " ".join(invoke(*given, "again.jsonl", "--on-error", "raise", code=1).split())
    assert reason in told
    # In one process the first such record ends the command, before anything is written.
    assert reason in " ".join(invoke(*given[:3], code=1).split())


def test_a_line_that_is_broken_stops_nothing(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good, short = '{"who": "me", "nodes": [[1, 2, 3], [4, 5, 6]]}', '{"who": "you", "nodes": [[1, 2]]}'
    (tmp_path / "series.jsonl").write_text("\n".join([good, short, "", '{"who":', good]), "utf-8")
    told = invoke(
        "predict", folders / "sequence", "series.jsonl", "--engine", "ray", "--output", "parts.jsonl"
    )
    assert "4 inputs in 1 part, 2 of them without an answer" in told
    [part] = (tmp_path / "parts.jsonl").glob("part-*")
    lines = [json.loads(line) for line in part.read_text("utf-8").splitlines()]
    assert [line["error"] is None for line in lines] == [True, False, False, True]
    assert lines[0] == lines[3]
    assert lines[1]["error"].startswith("line 2: it has 2 columns of features")
    assert lines[2]["error"].startswith("line 4 is no JSON")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--engine", "ray"], 2, "needs --output"),
        (["--engine", "ray", "--output", "a.xlsx"], 2, "parquet or .jsonl with --engine ray"),
        (["--workers", "2"], 2, "has no effect without --engine ray"),
        (["--engine", "spark", "--output", "a"], 2, "spark"),
    ],
)
def test_mistakes(options, code, message, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    series(tmp_path)
    assert message in " ".join(
        invoke("predict", folders / "sequence", "series.jsonl", *options, code=code).split()
    )


def test_the_output_of_another_model_stays(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    series(tmp_path)
    given = ["series.jsonl", "--engine", "ray", "--output", "parts.parquet"]
    invoke("predict", folders / "sequence", *given)
    assert "(call, model changed)" not in invoke("predict", folders / "sequence", *given)
    assert "model changed" in invoke("predict", folders / "hops", *given, code=1)
    invoke("predict", folders / "hops", *given, "--overwrite")
