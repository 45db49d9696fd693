"""Typical mistakes of new users. Each message says what was wrong, what was expected and what to do."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from transformers import pipeline

from chainhead_plugin import ChainHeadFeatureExtractor, ChainHeadForSequenceClassification
from chainhead_plugin.tables import load

VOWELS, DIGITS, WORDS, RIDES = (
    "chainhead-japanese-vowels",
    "chainhead-digits",
    "chainhead-sentiment",
    "chainhead-ridership",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Tables as people bring them, good and bad."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    days = [f"2025-01-{day:02}" for day in range(1, 7)]
    rows = [
        {"window": f"w{i}", "day": day, "temp": round(rng.normal(i % 2), 3), "kind": "ab"[i % 2]}
        for i in range(8)
        for day in days
    ]
    table = pd.DataFrame(rows)
    table.to_csv(folder / "ok.csv", index=False)
    table.drop(columns=["kind", "day"]).to_csv(folder / "unlabelled.csv", index=False)
    table.assign(kind=["a", "b"] * 24).to_csv(folder / "mixed.csv", index=False)
    table.assign(kind="a").to_csv(folder / "one-class.csv", index=False)
    for name, cell in (("inf", "inf"), ("na", "NA"), ("word", "warm")):
        table.assign(temp=[cell, *table.temp[1:]]).to_csv(folder / f"{name}.csv", index=False)
    table.to_csv(folder / "semicolons.csv", index=False, sep=";", decimal=",")
    pd.DataFrame(
        {"id": np.repeat(["r0", "r1"], 9), **{f"c{i}": rng.normal(size=18) for i in range(12)}}
    ).to_csv(folder / "vowels.csv", index=False)
    (folder / "dates.csv").write_text("day,x\n03/04/2025,1\n04/04/2025,2\n05/04/2025,3\n")
    (folder / "gap.csv").write_text("day,x\n2025-01-01,1\n2025-01-02,2\n2025-01-03,2\n2025-01-05,3\n")
    (folder / "a.txt").write_text("good\n")
    (folder / "recipe.yaml").write_text("task: time-series-clasification\n")
    (folder / "empty").mkdir()
    (folder / "leaves" / "beech").mkdir(parents=True)
    (folder / "folder.csv").mkdir()
    (folder / "folder.png").mkdir()
    (folder / "scan.png").touch()
    return folder


MISTAKES = [
    ("predict", 2, "Missing argument 'name'"),
    (f"predict {VOWELS}", 2, "Missing argument 'FILE|-'"),
    (f"predict {VOWELS} missing.csv", 2, "there is no file missing.csv"),
    (
        "predict chainhead-japanese-vowel vowels.csv",
        1,
        f"no folder here is named chainhead-japanese-vowel (did you mean {VOWELS}?): chainhead list shows the",
    ),
    (f"predict vowels.csv {VOWELS}", 2, f"there is no file {VOWELS}"),
    (
        "predict ./nowhere vowels.csv",
        1,
        "there is no folder ./nowhere: give a model of the zoo (chainhead list)",
    ),
    ("predict empty vowels.csv", 1, "empty is no checkpoint, as it has no config.json: give a folder that"),
    (
        f"predict {VOWELS} ok.csv",
        1,
        "row 2, column kind holds 'a', expected a number: name the column as series",
    ),
    (f"predict {VOWELS} vowels.csv --top-k 0", 2, "greater than or equal to 1"),
    (f"predict {VOWELS} vowels.csv --horizon 3", 2, "--horizon: has no effect on time-series-classification"),
    (
        f"predict {VOWELS} vowels.csv --columns c1,c2",
        1,
        "2 columns of features (c1, c2), expected the model's 12",
    ),
    (
        f"predict {VOWELS} vowels.csv --columns cc2",
        1,
        "no column cc2 for features (did you mean c2?); it has id",
    ),
    (
        f"predict {VOWELS} vowels.csv --separator x",
        1,
        "separator must be a comma, a semicolon, a tab, a bar or a space",
    ),
    (f"predict {VOWELS} vowels.csv --delimiter semicolon", 1, "expected a number: name the column as series"),
    (f"predict {VOWELS} vowels.csv --decimal x", 1, "decimal must be '.' or ',', got 'x'"),
    (f"predict {VOWELS} vowels.csv --encoding x", 1, "there is no encoding 'x', expected such as utf-8"),
    (
        f"predict {VOWELS} vowels.csv --time-format %Y",
        1,
        "no effect without a column of times: name it as time (--time)",
    ),
    (
        f"predict {VOWELS} vowels.csv --output a.csv --json",
        2,
        "--json: has no effect with --output: name it .jsonl",
    ),
    (
        f"predict {VOWELS} vowels.csv --output a.doc",
        1,
        "cannot write a.doc: expected a name that ends in .csv, .tsv",
    ),
    (
        f"predict {VOWELS} vowels.csv --output folder.csv --overwrite",
        1,
        "cannot write folder.csv: it is a folder",
    ),
    (
        f"evaluate {VOWELS} --data vowels.csv --picture folder.png --overwrite",
        1,
        "cannot write folder.png: it is a folder",
    ),
    (f"plot {VOWELS} --output folder.png --overwrite", 1, "cannot write folder.png: it is a folder"),
    ("demo --picture folder.png", 1, "cannot write folder.png: it is a folder"),
    ("train vowels.csv --output vowels.csv/a", 1, "vowels.csv is a file"),
    (f"predict {VOWELS} vowels.csv --output no/a.csv", 1, "cannot write no/a.csv: there is no folder /"),
    (
        f"predict {VOWELS} vowels.csv --output ok.csv",
        1,
        "ok.csv is there already: choose another name, or overwrite",
    ),
    (
        f"predict {VOWELS} vowels.csv --output vowels.csv --overwrite",
        1,
        "vowels.csv is an input, which the output would replace: choose another name",
    ),
    (f"predict {VOWELS} ok.csv *.csv --output ./vowels.csv --overwrite", 1, "vowels.csv is an input"),
    (f"predict {VOWELS} vowels.csv . --output vowels.csv --overwrite", 1, "vowels.csv is an input"),
    (f"plot {DIGITS} --input scan.png --output scan.png --overwrite", 1, "scan.png is an input"),
    (f"evaluate {DIGITS} --data . --picture scan.png --overwrite", 1, "scan.png is an input"),
    ("compare ok.csv", 1, "ok.csv is no recipe: to compare the default model with others, name the table"),
    (f"predict {VOWELS} vowels.csv --overwrite", 2, "--overwrite: has no effect without --output"),
    (
        f"predict {VOWELS} vowels.csv --device gpu",
        1,
        "device 'gpu' cannot be used here, expected a device such as cpu, cuda:0",
    ),
    (f"predict {VOWELS} vowels.csv --format xml", 2, "'xml' is not one of 'csv'"),
    (f"predict {VOWELS} vowels.csv --gaps drop", 2, "'drop' is not one of 'error', 'missing', 'keep'"),
    (f"predict {VOWELS} vowels.csv --revision v2", 1, f"the weights of '{VOWELS}' are not on the Hub"),
    (
        f"predict {DIGITS} vowels.csv",
        1,
        "vowels.csv is no image that is read here: expected one of PNG, JPEG",
    ),
    (f"predict {DIGITS} vowels.csv --columns a", 1, "--columns has no effect on images"),
    (f"predict {DIGITS} empty", 1, "empty holds no file, expected images"),
    (
        f"predict {DIGITS} leaves",
        1,
        "leaves holds no file, but folders: name their files by a pattern, such as 'leaves/*/*'",
    ),
    (f"predict {WORDS} vowels.csv", 1, "has no column text, but id, c0"),
    (f"predict {WORDS} a.txt --series a", 1, "--series has no effect on texts"),
    (
        f"predict {WORDS} a.txt --columns a,b",
        1,
        "--columns names 2 columns, expected the column of texts alone",
    ),
    (f"predict {RIDES} dates.csv", 1, "2025-04-03 with the day first, 2025-03-04 with the month first"),
    (
        f"predict {RIDES} gap.csv",
        1,
        "between 2025-01-03 and 2025-01-05 1 row lacks, as times are 1 day apart",
    ),
    (f"predict {RIDES} gap.csv --quantiles a,b", 2, "--quantiles: expected numbers such as 0.1,0.9, got a,b"),
    (f"plot {VOWELS} --output a.doc", 1, "cannot draw a.doc: expected a file name ending in one of"),
    (f"plot {VOWELS} --length 5 --input vowels.csv", 2, "--length: has no effect with --input"),
    (f"plot {VOWELS} --target a", 2, "--target: has no effect without --input"),
    (f"plot {VOWELS} --time day", 2, "--time: has no effect without --input"),
    (f"plot {VOWELS} --input vowels.csv --target 'speaker 99'", 1, "no label 'speaker 99', it has speaker 1"),
    (
        f"plot {VOWELS} -o a.png --out b.png",
        2,
        "--out: is another name of --output: leave one of the two out",
    ),
    ("info nowhere", 1, "no folder here is named nowhere: chainhead list shows the"),
    ("card nowhere", 1, "no folder here is named nowhere: chainhead list shows the"),
    ("pull nowhere", 1, "no folder here is named nowhere: chainhead list shows the"),
    ("evaluate nowhere", 1, "no folder here is named nowhere: chainhead list shows the"),
    ("list --task poetry", 1, "no model matches"),
    ("train", 2, "Missing argument 'RECIPE|TABLE|FOLDER'"),
    ("train missing.csv --label kind", 1, "there is no file missing.csv"),
    (
        "train missing.yaml",
        1,
        "there is no recipe missing.yaml: expected the path of a YAML file that exists",
    ),
    (
        "train ok.csv",
        1,
        "column kind has a text for every series (a, b), and there are dates: say --label kind",
    ),
    (
        "train ok.csv --label kinds",
        1,
        "no column kinds for label (did you mean kind?); it has window, day, temp",
    ),
    ("train unlabelled.csv", 1, "there is no column of labels: name it with --label"),
    (
        "train mixed.csv --label kind",
        1,
        "holds 'b', but 'a' in the first row of the series: expected the same in all",
    ),
    ("train one-class.csv --label kind", 1, "have the label 'a', expected at least two labels to tell apart"),
    ("train ok.csv --label kind --task regresion", 1, "task must be one of classification, regression"),
    (
        "train inf.csv --label kind",
        1,
        "row 2, column temp holds inf, expected a finite number: write one, or leave",
    ),
    (
        "train na.csv --label kind",
        1,
        "holds 'NA', expected a number: if it stands for a missing value, name it with",
    ),
    ("train word.csv --label kind", 1, "row 2, column temp holds 'warm', expected a number"),
    (
        "train semicolons.csv --label kind --decimal point",
        1,
        "expected a number such as 1234.5: if it has a sign between thousands",
    ),
    ("train ok.csv --label kind --test-share 2", 1, "test_share must be between 0 and 1, got 2.0"),
    (
        "train ok.csv --label kind --known temp",
        2,
        "--known: has no effect on series with labels",
    ),
    (
        "train ok.csv --label kind --series kind",
        1,
        "column kind is label and series at once: name it as one of them",
    ),
    ("train chainhead-gunpoint --label kind", 2, "--label: is for tables, which chainhead-gunpoint is not"),
    ("train recipe.yaml", 1, "recipe.yaml: a recipe needs name and data and model and training"),
    (
        "compare nowhere",
        1,
        "'nowhere' is no recipe, and no file or folder here: expected a YAML file, or one of",
    ),
]


@pytest.mark.parametrize(("line", "code", "sentence"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_on_the_command_line(line, code, sentence, files, monkeypatch):
    import shlex

    monkeypatch.chdir(files)
    before = sorted(file.name for file in files.iterdir())
    shown = invoke(*shlex.split(line), code=code, env={"COLUMNS": "300"})
    words = " ".join(shown.replace("│", " ").split())
    assert sentence in words
    assert "Traceback" not in words
    assert sorted(file.name for file in files.iterdir()) == before


@pytest.fixture(scope="module")
def classify():
    return pipeline("time-series-classification", model=VOWELS, device="cpu")


NODES = np.zeros((5, 12))
IN_PYTHON = {
    "transposed": (
        lambda classify: classify(NODES.T),
        ValueError,
        r"it looks transposed, pass \[nodes, features\]",
    ),
    "too few features": (
        lambda classify: classify(NODES[:, :3]),
        ValueError,
        "has 3 features per node, expected 12",
    ),
    "a missing value": (lambda classify: classify(NODES * np.nan), ValueError, "fill in or drop missing"),
    "a text": (
        lambda classify: classify("recordings.csv"),
        TypeError,
        "expected a sequence or a batch of sequences",
    ),
    "nothing": (
        lambda classify: classify([]),
        ValueError,
        "got an empty list, expected at least one sequence",
    ),
    "a misspelt option": (
        lambda classify: classify(NODES, topk=2),
        TypeError,
        "unknown pipeline options: topk",
    ),
    "a function that is none": (
        lambda classify: classify(NODES, function_to_apply="relu"),
        ValueError,
        "function_to_apply must be one of softmax, sigmoid, none",
    ),
    "a name that nobody has": (
        lambda classify: ChainHeadForSequenceClassification.from_pretrained("nowhere"),
        OSError,
        "nowhere is no folder here, no cached repository and no model of the zoo",
    ),
    "a size that is none": (
        lambda classify: ChainHeadFeatureExtractor("3"),
        TypeError,
        "must be a whole number",
    ),
    "no such file": (lambda classify: load("nowhere.csv"), ValueError, "there is no file nowhere.csv"),
}


@pytest.mark.parametrize(("call", "error", "sentence"), IN_PYTHON.values(), ids=IN_PYTHON)
def test_in_python(call, error, sentence, classify):
    with pytest.raises(error, match=sentence):
        call(classify)


def test_there_are_fifty_of_them():
    assert len(MISTAKES) + len(IN_PYTHON) >= 50


def test_files_whose_options_are_needed(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = invoke("predict", RIDES, files / "gap.csv", "--gaps", "missing", "--json", code=1)
    assert "expected the model's 44 features" in shown
    made = pd.read_csv(files / "vowels.csv")
    odd = made.assign(c3=["?", *made.c3[1:]])
    odd.to_csv("odd.csv", index=False, sep=";")
    shown = invoke("predict", VOWELS, "odd.csv", "--delimiter", "semicolon", "--missing", "?", code=1)
    assert "column c3, series r0: the value is missing, but this model" in " ".join(shown.split())
    (one, two) = invoke("predict", VOWELS, files / "vowels.csv", "--json").splitlines()
    assert [json.loads(line)["id"] for line in (one, two)] == ["r0", "r1"]
