"""`chainhead evaluate` on new labelled files: columns matched by name, scores, and errors for unsuitable files."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from recipe_writing import write_recipe
from sklearn import metrics

from chainhead_plugin.cli import SAMPLES

CONTENT = {
    "name": "kinds",
    "task": "time-series-classification",
    "data": {"train": "kinds.csv", "test_share": 0.25, "label": "kind", "series": "id"},
    "model": {"hidden_sizes": [8], "channel_hops": [0, 1]},
    "training": {"num_train_epochs": 4, "per_device_train_batch_size": 8},
    "validation_share": 0.25,
    "learning_rates": [0.03],
    "seeds": [0],
    "threads": 1,
}


def kinds(seed=0, count=24):
    rng = np.random.default_rng(seed)
    return pd.concat(
        pd.DataFrame(
            {
                "id": f"s{number}",
                "temp": rng.normal(size=6),
                "hum": rng.normal(number % 3, 1, 6),
                "kind": ["007", "NA", "c"][number % 3],
            }
        )
        for number in range(count)
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    kinds().to_csv(folder / "kinds.csv", index=False)
    invoke("train", write_recipe(folder, CONTENT, {}), "--output", folder / "model")
    return folder / "model"


def written(folder, table, name="new.csv"):
    table.to_csv(folder / name, index=False)
    return folder / name


def evaluated(*arguments):
    return json.loads(invoke("evaluate", *arguments, "--json"))


def test_new_files_whose_columns_moved(model, tmp_path):
    table = kinds(seed=1)
    file = written(tmp_path, table)
    found = evaluated(model, "--data", file)
    assert found["examples"] == 24
    answers = [json.loads(line) for line in invoke("predict", model, file, "--json").splitlines()]
    named = [answer["predictions"][0]["label"] for answer in answers]
    true = table.groupby("id", sort=False)["kind"].first().tolist()
    assert found["metrics"]["accuracy"] == metrics.accuracy_score(true, named)
    assert found["metrics"]["macro_f1"] == pytest.approx(metrics.f1_score(true, named, average="macro"))
    assert found["confusion"] == metrics.confusion_matrix(true, named, labels=["007", "NA", "c"]).tolist()
    assert [label["count"] for label in found["labels"]] == [8, 8, 8]

    moved = written(tmp_path, table[["kind", "hum", "id", "temp"]], "moved.csv")
    assert evaluated(model, "--data", moved, "--label", "kind")["metrics"] == found["metrics"]
    assert "--label has no effect" in invoke("evaluate", model, "--data", moved, "--label", "hum", code=1)
    table.to_parquet(tmp_path / "new.parquet")
    assert evaluated(model, "--data", tmp_path / "new.parquet")["metrics"] == found["metrics"]


def test_table_and_picture(model, tmp_path):
    table = kinds(seed=1)
    file = written(tmp_path, table[table["kind"] != "c"])
    picture = tmp_path / "confusion.png"
    output = invoke("evaluate", model, "--data", file, "--picture", picture)
    for words in (
        "balanced accuracy",
        "log loss",
        "Rows are true labels",
        "not defined: no example has the label c",
    ):
        assert words in output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "is there already" in invoke("evaluate", model, "--data", file, "--picture", picture, code=1)
    assert evaluated(model, "--data", file)["metrics"]["auc"] is None


def test_what_does_not_fit_is_said_with_both_sides(model, tmp_path):
    table = kinds(seed=1)
    unknown = written(tmp_path, table.replace({"kind": {"c": "d"}}), "unknown.csv")
    output = invoke("evaluate", model, "--data", unknown, code=1)
    assert "has the label 'd', which the model does not know: it knows 007, NA, c, and not d" in output
    output = invoke("evaluate", model, "--data", written(tmp_path, table.drop(columns="kind")), code=1)
    assert "missing kind" in output
    empty = written(tmp_path, table.assign(kind=""), "empty.csv")
    assert "kind" in invoke("evaluate", model, "--data", empty, code=1)
    hole = table.copy()
    hole.iloc[7, hole.columns.get_loc("hum")] = np.nan
    file = written(tmp_path, hole, "hole.csv")
    assert "1 missing value, interpolated" in invoke("evaluate", model, "--data", file)
    settings = model / "preprocessor_config.json"
    plain = {k: v for k, v in json.loads(settings.read_text()).items() if k != "interpolate_missing"}
    strict = shutil.copytree(model, tmp_path / "strict")
    (strict / "preprocessor_config.json").write_text(json.dumps(plain))
    output = invoke("evaluate", strict, "--data", file, code=1)
    assert "hole.csv, row 9, column hum, series s1: the value is missing" in output
    for arguments, message in (
        (["--data", tmp_path / "none.csv"], "there is no file"),
        (["--label", "kind"], "has no effect without --data"),
        (["--data", empty, "--recipe", "r.yaml"], "contradict each other"),
        (["--data", empty, "--picture", "a.txt"], "expected a name that ends in"),
        (["--overwrite"], "has no effect without --picture"),
    ):
        assert message in " ".join(invoke("evaluate", model, *arguments, code=2).replace("│", " ").split())


def test_a_model_of_the_zoo_and_one_that_was_trained_on_a_table(tmp_path):
    samples = json.loads(SAMPLES.read_text("utf-8"))["samples"]
    with open(tmp_path / "speech.csv", "w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(["recording", *(f"c{i}" for i in range(1, 13)), "who"])
        for number, sample in enumerate(samples):
            for node in sample["nodes"]:
                write([f"r{number}", *node, sample["label"]])
    options = ["--data", tmp_path / "speech.csv", "--label", "who", "--series", "recording"]
    found = evaluated("chainhead-japanese-vowels", *options)
    assert found["examples"] == 9
    recorded = [int(np.argmax(sample["scores"])) for sample in samples]
    assert found["metrics"]["accuracy"] == np.mean(np.array(recorded) == np.arange(9))

    numbers = kinds().assign(
        quality=lambda table: table.groupby("id")["hum"].transform("mean").round(3) * 1000
    )
    file = written(tmp_path, numbers.drop(columns="kind"))
    invoke("train", file, "--label", "quality", "--task", "regression", "--output", tmp_path / "model")
    found = evaluated(tmp_path / "model", "--data", file)
    assert found["metrics"].keys() == {"rmse", "mae", "r2"}
    assert found["metrics"]["r2"] > 0.5
    answer = json.loads(invoke("predict", tmp_path / "model", file, "--json").splitlines()[0])
    assert answer["predictions"][0]["label"] == "quality"
    picture = tmp_path / "c.png"
    output = invoke("evaluate", tmp_path / "model", "--data", file, "--picture", picture, code=1)
    assert "a confusion matrix needs a single label" in output
    assert not picture.exists()


def test_a_model_on_the_hub_needs_data():
    told = " ".join(invoke("evaluate", "me/model", code=1).split())
    assert "there is no folder me/model" in told
    assert "chainhead evaluate me/model --data FILE" in told


@pytest.mark.parametrize(
    "content", ["[", "[" * 10_000, "null", "{}", '{"models": 3}', '{"models": {"x": {}}}']
)
def test_damaged_results_are_told(model, content, tmp_path):
    results = model / "results.json"
    whole = results.read_bytes()
    try:
        results.write_text(content)
        told = " ".join(invoke("evaluate", model, code=1).split())
    finally:
        results.write_bytes(whole)
    assert told.startswith("Error: ")
    assert "results.json is damaged" in told
