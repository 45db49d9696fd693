"""`chainhead train` on a table of series: guesses, messages, scores, files, predictions and a second run."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from transformers import pipeline
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadRegressor
from chainhead_plugin.storage.reserved_folder import reserved

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8}


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.output


def write(file, count, seed, label=lambda number, nodes: "ab"[number % 2], names=("temp", "hum")):
    """Write series of noise, and of sums of noise, a node a row; without labels where `label` is None."""
    rng = np.random.default_rng(seed)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["window", *names, *([] if label is None else ["kind"])])
        for number in range(count):
            nodes = rng.standard_normal((rng.integers(20, 30), 2)).round(4)
            nodes = nodes.cumsum(0) if number % 2 else nodes
            end = [] if label is None else [label(number, nodes)]
            writer.writerows([f"w{number}", *row, *end] for row in nodes.tolist())
    return file


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    write(folder / "train.csv", 40, 0)
    write(folder / "test.csv", 12, 1)
    said = invoke(
        "train",
        folder / "train.csv",
        "--label",
        "kind",
        "--test",
        folder / "test.csv",
        "-o",
        folder / "model",
    )
    return folder, said


def test_everything_is_told(trained):
    _, said = trained
    assert "40 series of 20–29 nodes; features temp, hum; label kind (a 20, b 20); series by window" in said
    assert "task: classification, as the labels tell" in said
    assert "model: random chain heads" in said
    assert "why: random chain heads take little time" in said
    assert "test: accuracy" in said


def test_the_folder_is_a_checkpoint_with_everything_beside(trained):
    folder, _ = trained
    results = json.loads((folder / "model" / "results.json").read_text())
    assert (results["train_series"], results["test_series"]) == (40, 12)
    again = ChainHeadClassifier.from_pretrained(folder / "model")
    assert list(again.classes_) == ["a", "b"]
    assert results["left_out"]["accuracy"] == again.left_out_score_
    assert results["test"]["accuracy"] >= 0.8
    card = (folder / "model" / "README.md").read_text()
    assert f"| accuracy, test part | {results['test']['accuracy']:.4f} |" in card
    nodes = np.random.default_rng(2).standard_normal((25, 2)).cumsum(0)
    answer = pipeline("time-series-classification", model=str(folder / "model"))(nodes)
    assert answer[0]["label"] == again.predict([nodes.T])[0]


def test_predict_matches_columns_by_name(trained, tmp_path):
    folder, _ = trained
    right = write(tmp_path / "new.csv", 6, 3, label=None)
    answers = [json.loads(line) for line in invoke("predict", folder / "model", right, "--json").splitlines()]
    assert [answer["window"] for answer in answers] == [f"w{number}" for number in range(6)]
    rows = list(csv.reader(right.read_text().splitlines()))
    with (tmp_path / "swapped.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([row[0], row[2], row[1]] for row in rows)
    swapped = invoke("predict", folder / "model", tmp_path / "swapped.csv", "--json").splitlines()
    assert [json.loads(line) for line in swapped] == answers
    wrong = write(tmp_path / "wrong.csv", 2, 3, label=None, names=("temp", "wind"))
    assert "missing hum; unknown wind" in invoke("predict", folder / "model", wrong, code=1)


def test_missing_values_are_interpolated(tmp_path):
    table = pd.read_csv(write(tmp_path / "whole.csv", 24, 0))
    rng = np.random.default_rng(0)
    for name in ("temp", "hum"):
        table[name] = table[name].where(rng.random(len(table)) > 0.1)
    table.to_csv(tmp_path / "holes.csv", index=False)
    missing = int(table[["temp", "hum"]].isna().sum().sum())
    said = invoke("train", tmp_path / "holes.csv", "--label", "kind", "-o", tmp_path / "model")
    assert f"{missing} missing values, interpolated" in " ".join(said.split())

    filled = table.groupby("window")[["temp", "hum"]].transform(
        lambda column: column.interpolate(limit_direction="both")
    )
    by_hand = [part.to_numpy().T for _, part in filled.groupby(table.window, sort=False)]
    expected = ChainHeadClassifier.from_pretrained(tmp_path / "model").predict_proba(by_hand)
    file = tmp_path / "answers.jsonl"
    invoke("predict", tmp_path / "model", tmp_path / "holes.csv", "--top-k", 1, "--output", file)
    answers = [json.loads(line) for line in file.read_text().splitlines()]
    assert [answer["predictions"][0]["score"] for answer in answers] == pytest.approx(
        expected.max(1).tolist(), abs=1e-5
    )
    assert "1 missing value" not in invoke("evaluate", tmp_path / "model", "--data", tmp_path / "whole.csv")


def test_the_only_column_of_texts_is_the_label(tmp_path):
    table = pd.read_csv(write(tmp_path / "a.csv", 16, 0))
    table["node"] = table.groupby("window").cumcount()
    table.to_csv(tmp_path / "a.csv", index=False)
    said = " ".join(invoke("train", tmp_path / "a.csv", "-o", tmp_path / "model").split())
    assert "label kind (a 8, b 8)" in said
    assert "took kind for the label, as it is the only column of texts" in said
    assert yaml.safe_load((tmp_path / "model" / "training.yaml").read_text())["table"]["label"] == ["kind"]
    assert "a" in invoke("predict", tmp_path / "model", tmp_path / "a.csv")


def dated(table):
    return table.assign(
        day=pd.Timestamp("2026-01-01") + pd.to_timedelta(table.groupby("window").cumcount(), "D")
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            dated,
            "column kind has a text for every series (a, b), and there are dates: say --label kind to learn it",
        ),
        (lambda table: table.assign(place="here"), "no column is named label: name the column of labels"),
        (lambda table: table.assign(kind=table.window + "x"), "no column is named label"),
        (lambda table: table.drop(columns="window"), "no column is named label"),
        (lambda table: table.assign(kind="a"), "no column is named label"),
    ],
    ids=["dates", "two of texts", "a label each", "labels change", "a single label"],
)
def test_a_label_that_is_no_certain_guess_is_asked_for(tmp_path, change, expected):
    change(pd.read_csv(write(tmp_path / "a.csv", 8, 0))).to_csv(tmp_path / "b.csv", index=False)
    assert expected in " ".join(invoke("train", tmp_path / "b.csv", "-o", tmp_path / "model", code=1).split())


def test_the_plan_can_be_changed_and_run_again(trained, tmp_path):
    folder, _ = trained
    plan = yaml.safe_load((folder / "model" / "training.yaml").read_text())
    assert plan["estimator"] == {"task": "classification"}
    assert plan["table"]["label"] == ["kind"]
    plan["estimator"] |= {"causal": False, **SMALL}
    plan |= {"test": None, "test_share": 0.25}
    (tmp_path / "changed.yaml").write_text(yaml.safe_dump(plan))
    said = invoke("train", tmp_path / "changed.yaml", "-o", tmp_path / "again")
    assert "test: 10 of 40 series, drawn with seed 0" in said
    again = ChainHeadClassifier.from_pretrained(tmp_path / "again")
    assert again.causal is False
    assert again.num_groups == 4
    assert "no effect" in invoke("train", tmp_path / "changed.yaml", "--label", "kind", code=2)
    plan["estimator"] = {"kernels": 3}
    (tmp_path / "changed.yaml").write_text(yaml.safe_dump(plan))
    assert "ChainHeadClassifier does not take the options" in invoke(
        "train", tmp_path / "changed.yaml", code=1
    )
    (tmp_path / "changed.yaml").write_text(yaml.safe_dump(plan | {"speed": 3}))
    assert "there is no speed" in invoke("train", tmp_path / "changed.yaml", code=1)


def test_the_same_run_gives_the_same_files(trained, tmp_path):
    folder, _ = trained
    invoke("train", folder / "model" / "training.yaml", "-o", tmp_path / "again")
    for name in ("model.safetensors", "config.json", "preprocessor_config.json", "training.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / "model" / name).read_bytes(), name


def test_names_and_labels_of_a_table_are_no_markup_of_its_card(tmp_path):
    bad = "a\x1b[31m\nb <script> ![x](http://x.org/y.png) " + "c" * 5000
    table = write(
        tmp_path / "train.csv", 12, 0, label=lambda number, _: [bad, "d"][number % 2], names=("<i>", "|h")
    )
    said = invoke("train", table, "--label", "kind", "-o", tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    for text in (said, card):
        assert "\x1b" not in text
        assert "a [31m b" in text or "a\\x1b[31m b" in text
        assert "c" * 100 not in text
    assert "&lt;script&gt; ![x]\\(http://x.org/y.png)" in card
    assert "features &lt;i&gt;, \\|h;" in card


def test_one_process_at_a_time_trains_in_a_folder(trained, tmp_path):
    folder, _ = trained
    with reserved(tmp_path / "model", ".in-use.lock"):
        said = invoke("train", folder / "model" / "training.yaml", "-o", tmp_path / "model", code=1)
    assert "another process is training in" in said
    assert not (tmp_path / "model").exists()
    write(tmp_path / "one.csv", 1, 0)
    invoke("train", tmp_path / "one.csv", "--label", "kind", "-o", tmp_path / "model", code=1)
    assert not (tmp_path / "model").exists()


@pytest.mark.filterwarnings("default:.*README.md was edited:UserWarning")
def test_what_a_person_wrote_into_the_folder_stays(trained, tmp_path):
    folder, _ = trained
    model = tmp_path / "model"
    shutil.copytree(folder / "model", model)
    commented = "# Windows of the winter\n" + (model / "training.yaml").read_text()
    (model / "training.yaml").write_text(commented)
    assert "edited" not in invoke("train", model / "training.yaml")
    assert (model / "training.yaml").read_text() == commented
    assert not (model / "README.new.md").exists()
    (model / "README.md").write_text("My notes")
    said = " ".join(invoke("train", model / "training.yaml").split())
    assert f"Note: {model / 'README.md'} was edited, and stays" in said
    assert (model / "README.md").read_text() == "My notes"
    assert "accuracy, test part" in (model / "README.new.md").read_text()


def test_time_is_for_a_stack_of_classes(trained, tmp_path):
    folder, _ = trained
    said = invoke(
        "train", folder / "train.csv", "--label", "kind", "--minutes", "0.01", "-o", tmp_path / "model"
    )
    assert "why: there was no time left to train a stack" in said
    plan = yaml.safe_load((tmp_path / "model" / "training.yaml").read_text())
    assert plan["estimator"]["seconds"] == pytest.approx(0.6)
    table = write(tmp_path / "values.csv", 24, 0, label=lambda number, nodes: float(nodes.std()))
    assert "there is no trained stack that predicts numbers" in invoke(
        "train", table, "--label", "kind", "--minutes", "1", "-o", tmp_path / "no", code=1
    )
    assert not (tmp_path / "no").exists()


def test_numbers_are_values_or_ask(tmp_path):
    table = write(tmp_path / "values.csv", 24, 0, label=lambda number, nodes: float(nodes.std()))
    said = invoke("train", table, "--label", "kind", "-o", tmp_path / "model")
    assert "task: regression, as the labels tell" in said
    assert ChainHeadRegressor.from_pretrained(tmp_path / "model").left_out_score_ > 0.5
    table = write(tmp_path / "unclear.csv", 24, 0, label=lambda number, nodes: number)
    assert "say --task classification or --task regression" in invoke(
        "train", table, "--label", "kind", "-o", tmp_path / "no", code=1
    )
    assert not (tmp_path / "no").exists()


def test_what_is_wrong_is_said_before_anything_is_written(tmp_path):
    table = write(tmp_path / "train.csv", 12, 0)
    for arguments, message in (
        (["--label", "colour"], "no column colour"),
        (["--label", "kind", "--task", "sorting"], "task must be one of"),
        (["--label", "kind", "--test-share", "1.5"], "test_share must be between 0 and 1"),
        (["--label", "kind", "--test", "x.csv", "--test-share", "0.5"], "contradict each other"),
    ):
        assert message in invoke("train", table, *arguments, "-o", tmp_path / "no", code=1)
    table.write_text(table.read_text().replace("w3,", "w3,nan,", 1).replace(",nan,", ",,", 1))
    write(tmp_path / "unlabelled.csv", 12, 0, label=None)
    assert "no column of labels: name it with --label" in invoke(
        "train", tmp_path / "unlabelled.csv", "-o", tmp_path / "no", code=1
    )
    assert not (tmp_path / "no").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    fine = write(tmp_path / "fine.csv", 12, 0)
    assert "not empty, and was not written by this command" in invoke(
        "train", fine, "--label", "kind", "-o", tmp_path / "mine", code=1
    )
    assert "is for tables" in invoke("train", "chainhead-gunpoint", "--label", "kind", code=2)


def test_a_table_with_a_series_a_row_is_trained_on_and_predicted(tmp_path):
    nodes = np.random.default_rng(0).standard_normal((24, 20)).round(4)
    nodes[1::2] = nodes[1::2].cumsum(1)
    header = ",".join(f"t{place}" for place in range(20))
    lines = [",".join(map(str, row)) for row in nodes.tolist()]
    table, new = tmp_path / "wide.csv", tmp_path / "new.csv"
    table.write_text(
        "\n".join([f"{header},kind", *(f"{line},{'ab'[i % 2]}" for i, line in enumerate(lines))])
    )
    new.write_text("\n".join([header, *lines]))
    invoke("train", table, "--label", "kind", "-o", tmp_path / "model")
    said = invoke("predict", tmp_path / "model", new, "--json")
    labels = [json.loads(line)["predictions"][0]["label"] for line in said.splitlines()]
    expected = ChainHeadClassifier.from_pretrained(tmp_path / "model").predict(nodes)
    assert labels == expected.tolist()
    frame = pd.read_csv(new)
    classify = pipeline("time-series-classification", model=str(tmp_path / "model"))
    assert [answer[0]["label"] for answer in classify(frame)] == labels
    assert [answer[0]["label"] for answer in classify(frame.iloc[1])] == labels[1:2]
    new.write_text("\n".join(lines))
    assert "was trained on a table with a header" in invoke("predict", tmp_path / "model", new, code=1)


def test_too_little_to_learn_from_is_named_in_the_words_of_the_table(tmp_path):
    model = tmp_path / "model"
    same = write(tmp_path / "same.csv", 6, 0, lambda number, nodes: "a")
    said = invoke("train", same, "--label", "kind", "-o", model, code=1)
    assert "same.csv: all 6 series to train on have the label 'a', expected at least two" in said
    lonely = write(tmp_path / "lonely.csv", 1, 0)
    said = invoke("train", lonely, "--label", "kind", "-o", model, code=1)
    assert "lonely.csv: 1 series to train on, expected at least 2" in said
    own = write(tmp_path / "own.csv", 5, 0, lambda number, nodes: f"p{number}")
    for options in ((), ("--task", "classification"), ("--minutes", 1)):
        said = invoke("train", own, "--label", "kind", *options, "-o", model, code=1)
        assert "own.csv: each of the 5 series to train on has a label of its own (p0, p1, …, p4)" in said
    few = write(tmp_path / "few.csv", 6, 0)
    said = invoke("train", few, "--label", "kind", "--test", few, "-o", model, code=1)
    assert "few.csv is the table to train on, which cannot test its model" in said
    for share in (0.01, 0.99):
        said = invoke("train", few, "--label", "kind", "--test-share", share, "-o", model, code=1)
        assert "of 6 examples: they have 2 labels, and every label is needed on both sides" in said
        assert "--test-share" in said
    assert not model.exists()


def test_labels_that_only_the_test_part_has_are_told(tmp_path):
    train = write(tmp_path / "train.csv", 8, 0)
    test = write(tmp_path / "test.csv", 4, 1, lambda number, nodes: ("a", "new")[number % 2])
    said = invoke("train", train, "--label", "kind", "--test", test, "-o", tmp_path / "model")
    assert "test: no series to train on has the label new, so series with it count as errors" in said


def test_labels_of_one_series_are_told(tmp_path):
    train = write(tmp_path / "train.csv", 5, 0, lambda number, nodes: "abacd"[number])
    said = invoke("train", train, "--label", "kind", "-o", tmp_path / "model")
    assert (
        "labels: 3 of 4 have a single series to train on (b, c, d), whose prediction counts as wrong" in said
    )


def test_one_test_series_has_an_error_and_no_r2(tmp_path):
    train = write(tmp_path / "train.csv", 8, 0, lambda number, nodes: nodes.mean().round(5))
    test = write(tmp_path / "test.csv", 1, 1, lambda number, nodes: nodes.mean().round(5))
    said = invoke("train", train, "--label", "kind", "--test", test, "-o", tmp_path / "model")
    scores = json.loads((tmp_path / "model" / "results.json").read_text())["test"]
    assert set(scores) == {"rmse"}
    assert f"test: root mean squared error {scores['rmse']:.4g} on 1 series" in " ".join(said.split())


def test_a_model_is_no_table_to_train_on(trained):
    folder, _ = trained
    said = invoke("train", folder / "model", code=1)
    assert "is a model that this command wrote" in said
    assert "training.yaml" in said


def test_a_model_of_a_table_is_not_evaluated_by_a_recipe(trained):
    folder, _ = trained
    assert "results.json" in invoke("evaluate", folder / "model", code=1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"test_share": "lots"}, "test_share must be between 0 and 1, got 'lots'"),
        ({"estimator": {"task": "classification", "num_groups": -1}}, "num_groups must be a whole number"),
    ],
)
def test_wrong_values_in_a_plan_are_told(trained, tmp_path, change, expected):
    folder, _ = trained
    plan = yaml.safe_load((folder / "model" / "training.yaml").read_text()) | {"test": None} | change
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    assert expected in invoke("train", tmp_path / "plan.yaml", "-o", tmp_path / "model", code=1)


def test_random_chains_are_not_drawn(trained):
    folder, _ = trained
    said = invoke("plot", folder / "model", "--out", folder / "chain.png", code=1)
    assert "random chain heads, which have no chain matrix to draw" in said
