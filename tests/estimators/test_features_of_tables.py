"""Columns of a table that `chainhead train` takes for features: what is told, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from command_line import invoke


def twelve():
    """Return twelve series of 20 nodes, every other one of sums of noise."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(12, 20, 2))
    noise[1::2] = noise[1::2].cumsum(1)
    frame = pd.DataFrame(noise.reshape(-1, 2), columns=["temp", "hum"])
    return frame.assign(
        window=[f"w{row // 20}" for row in frame.index], kind=["ab"[row // 20 % 2] for row in frame.index]
    )


def test_a_number_that_stays_within_each_series_is_told(tmp_path):
    file, frame = tmp_path / "train.csv", twelve()
    number = frame["window"].str[1:].astype(int)
    frame.assign(person=number // 4, tall=number % 3 / 7, step=1).to_csv(file, index=False)
    said = invoke("train", file, "--label", "kind", "-o", tmp_path / "model")
    told = [line for line in said.splitlines() if line.startswith("taken for a feature")]
    assert told == [
        "taken for a feature, though the same in all rows of each series: person; if it names what series belong to, "
        "such as a person, say --group person, and leave it out otherwise with --drop person"
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(dead=np.nan), "dead has no value in any row: leave it out (--drop dead)"),
        (
            lambda frame: frame.assign(kind=frame["kind"].where(~frame["window"].isin(["w1", "w3", "w5"]))),
            "series w1 has no label, nor have 2 others: fill it in, or leave the series out",
        ),
    ],
)
def test_columns_and_labels_that_are_empty_are_named(tmp_path, change, message):
    file = tmp_path / "train.csv"
    change(twelve()).to_csv(file, index=False)
    assert message in invoke("train", file, "--label", "kind", "-o", tmp_path / "model", code=1)


def test_series_of_single_nodes_are_told(tmp_path):
    file = tmp_path / "train.csv"
    frame = twelve().groupby("window").first().reset_index()
    frame.to_csv(file, index=False)
    said = invoke("train", file, "--label", "kind", "--series", "window", "-o", tmp_path / "model")
    assert (
        "every series is a single node, so that nothing follows in it: if each row is a whole series, say"
        in said
    )


def test_a_label_that_is_a_code_of_missing_values_is_told(tmp_path):
    frame = twelve()
    frame["kind"] = frame["kind"].where(~frame["window"].isin(["w1", "w4"]), "?")
    frame["temp"] = frame["temp"].astype(object).where(frame.index % 7 > 0, "?")
    frame.to_csv(tmp_path / "a.csv", index=False)
    said = invoke("train", tmp_path / "a.csv", "--label", "kind", "--missing", "?", "-o", tmp_path / "model")
    assert (
        "taken for a label, though it is a code of missing values in columns of numbers: ?; if the label is"
        in said
    )
