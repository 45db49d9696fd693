"""Errors of `chainhead predict`: damaged inputs, wrong options, and output pipes that close early."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import invoke
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.cli.demonstration import MODEL


def lines(*arguments, **options):
    result = CliRunner().invoke(app, ["predict", *map(str, arguments), "--json"], **options)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


MISTAKES = {
    "no such model": (["nothing", "a.csv"], 1, "no model of the zoo and no folder here is named nothing"),
    "no such folder": (["./nothing", "a.csv"], 1, "there is no folder ./nothing"),
    "a folder without checkpoint": ([".", "a.csv"], 1, "it has no config.json"),
    "a revision of a folder": ([".", "a.csv", "--revision", "v1"], 1, "--revision has no effect"),
    "no such file": ([MODEL, "b.csv"], 2, "there is no file b.csv"),
    "a folder of other things": ([MODEL, "empty"], 1, "folder empty holds no table"),
    "standard input twice": ([MODEL, "-", "-"], 2, "can be read only once"),
    "top-k of nothing": ([MODEL, "a.csv", "--top-k", "0"], 2, "'--top-k'"),
    "no such device": ([MODEL, "a.csv", "--device", "abacus"], 1, "device 'abacus' cannot be used here"),
    "no such format": ([MODEL, "a.csv", "--format", "xml"], 2, "'xml' is not one of"),
    "a format for other models": (
        [MODEL, "a.csv", "--format", "lines"],
        1,
        "there is no format 'lines', expected one of arff, csv",
    ),
    "an unknown suffix": ([MODEL, "a.xyz"], 1, "unknown format: expected one of .csv"),
    "too few columns": ([MODEL, "a.csv"], 1, "2 columns of features (x, y), expected the model's 12"),
    "no such column": ([MODEL, "a.csv", "--columns", "z"], 1, "no column z for features; it has x, y"),
    "no JSON": ([MODEL, "a.json"], 1, "a.json, row 1 is no JSON"),
    "series by a column that lacks": ([MODEL, "a.csv", "--series", "z"], 1, "no column z for series"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n", "utf-8")
    (tmp_path / "a.xyz").write_text("1", "utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.json").write_text("{", "utf-8")
    shown = invoke("predict", *arguments, code=code, env={"COLUMNS": "200"})
    assert message in " ".join(shown.split())


BAD = {
    "nothing": ("a.csv", b"\n", "nothing in it"),
    "only a header": ("a.csv", b"a,b,c\n", "no rows"),
    "ragged": ("a.csv", b"1,2,3\n3,1\n", "row 2"),
    "a word": ("a.csv", b"a,b,c\n1,2,3\n3,x,1\n", "row 3, column b holds 'x'"),
    "a name twice": ("a.csv", b"a,a,b\n1,2,3\n", "names two columns a"),
    "a missing value": ("a.csv", b"a,b,c\n1,2,3\n3,,1\n", "a.csv, row 3, column b: the value is missing"),
    "infinity": ("a.csv", b"a,b,c\n1,2,3\n3,inf,1\n", "row 3, column b"),
    "a broken line": ("a.jsonl", b"[[1, 2, 3]]\n[[1,\n", "row 2 is no JSON"),
    "a number": ("a.jsonl", b"3\n", "row 1"),
    "a field missing": (
        "a.jsonl",
        b'{"values": [[1, 2, 3]]}\n',
        "a sequence of several features belongs into nodes",
    ),
    "a feature missing": (
        "a.jsonl",
        b'{"a": [1, 2], "b": [3, 4]}\n',
        "it has 2 columns of features (a, b), expected",
    ),
    "an empty sequence": ("a.jsonl", b"[]\n", "row 1"),
    "no array": ("a.npy", b"\x93NUMPY", "no array"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_damaged_inputs(name, content, message, folders, tmp_path):
    (tmp_path / name).write_bytes(content)
    shown = " ".join(invoke("predict", folders / "sequence", tmp_path / name, code=1).split())
    assert message in shown
    assert name in shown


def test_a_column_without_name_is_a_feature(folders):
    (answer,) = lines(folders / "features", "-", input="0.5,2,3\n4,5,7\n")
    assert answer.keys() == {"features"}


@pytest.mark.parametrize(
    ("arguments", "redirection", "message"),
    [
        (["predict", MODEL, "-"], "<&-", "standard input is closed"),
        (["list"], ">/dev/full", "No space left on device"),
    ],
)
def test_streams_that_are_closed_or_full(arguments, redirection, message):
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    command = [sys.executable, "-c", "from chainhead_plugin.cli import main; main()", *arguments]
    done = subprocess.run(
        f"{shlex.join(command)} {redirection}", shell=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_extra_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    for name in [name for name in sys.modules if name.startswith("chainhead_plugin.estimators")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "a.csv").write_text("window,x,kind\na,1,u\nb,2,v\n")
    output = invoke("train", tmp_path / "a.csv", "--label", "kind", code=1)
    assert "pip install scikit-learn" in output


@pytest.mark.parametrize("model", [MODEL, "chainhead-sentiment"])
@pytest.mark.parametrize(
    ("content", "told"),
    [("[" * 10_000, "it is nested too deep"), (f"[{'9' * 5000}]\n", "a number has too many digits")],
    ids=["nested", "digits"],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_values_that_python_cannot_read_are_told(model, content, told, name, tmp_path):
    (tmp_path / name).write_text(content)
    assert f"{name}, row 1 is no JSON: {told}" in invoke("predict", model, tmp_path / name, code=1)
