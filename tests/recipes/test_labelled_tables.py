"""Labelled tables in recipes: columns matched by name in both parts, labels and identifiers unchanged."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from command_line import invoke

from chainhead_plugin import tables
from chainhead_plugin.estimators.tables.label import labelled_alike
from chainhead_plugin.recipes.data.files import load_files
from chainhead_plugin.recipes.errors import RecipeError
from chainhead_plugin.tables.columns.numerals.spelling import spelled_as

TASK = SimpleNamespace(name="time-series-classification", reads="nodes", of_nodes=False, axes=(2, 3))
TRAIN = ["id,a,b,kind", "NA,1,2,007", "NA,3,4,007", "None,5,6,NA"]


def load(folder, train, test):
    (folder / "train.csv").write_text("\n".join(train), "utf-8")
    (folder / "test.csv").write_text("\n".join(test), "utf-8")
    data = {"train": "train.csv", "test": "test.csv", "label": "kind", "series": "id"}
    return load_files(SimpleNamespace(data=data, folder=folder, task=TASK))


def test_columns_of_the_test_part_stand_in_any_order(tmp_path):
    data = load(tmp_path, TRAIN, ["b,kind,a,id", "2,007,1,x", "4,007,3,x"])
    assert data.train.names == ("007", "NA")
    assert [chain.tolist() for chain in data.train.inputs] == [[[1, 2], [3, 4]], [[5, 6]]]
    np.testing.assert_array_equal(data.test.inputs[0], data.train.inputs[0])
    assert data.test.labels.tolist() == [0]


@pytest.mark.parametrize(
    ("header", "message"),
    [("id,a,c,kind", "missing b; unknown c"), ("id,a,b,c,kind", "missing none; unknown c")],
)
def test_columns_of_one_part_alone(tmp_path, header, message):
    row = ",".join({"id": "x", "kind": "NA"}.get(name, "1") for name in header.split(","))
    with pytest.raises(RecipeError, match=message):
        load(tmp_path, TRAIN, [header, row])


def test_an_empty_label_is_missing(tmp_path):
    with pytest.raises(RecipeError, match="column kind is empty in every row"):
        load(tmp_path, TRAIN, ["id,a,b,kind", "x,1,2,"])


KINDS = {
    "ints": [0, 1],
    "floats": [0.0, 1.0],
    "texts": ["0", "1"],
    "points": ["0.0", "1.0"],
    "blanks": [" 0", "1 "],
}


def written(folder, kind, suffix):
    """Write eight series, a node a row, whose labels are 0 and 1 in one of the ways in which people have them."""
    rows = [
        {"id": f"s{one}", "x": float(step % 3 * (one % 2)), "y": KINDS[kind][one % 2]}
        for one in range(8)
        for step in range(6)
    ]
    folder.mkdir(exist_ok=True)
    file = folder / f"{kind}{suffix}"
    frame = pd.DataFrame(rows)
    write = {".csv": frame.to_csv, ".parquet": frame.to_parquet, ".xlsx": frame.to_excel}[suffix]
    write(file, index=False)
    return file


WAYS = [
    *((kind, ".csv") for kind in KINDS),
    ("ints", ".parquet"),
    ("floats", ".parquet"),
    ("floats", ".xlsx"),
]


@pytest.mark.parametrize("way", WAYS)
def test_labels_that_are_numbers_are_the_same_in_every_spelling(tmp_path, way):
    """In a test part, in later files for a model of a table, and in both parts of a recipe."""
    file = written(tmp_path, *way)
    for number, other in enumerate([("ints", ".parquet"), ("floats", ".csv")]):
        later = written(tmp_path / "later", *other)
        found, stated = (tables.load(one, tables.TableSpec(label=("y",))) for one in (file, later))
        names = [series.labels[0] for series in found]
        assert [series.labels[0] for series in labelled_alike(found, stated)] == names
        folder = tmp_path / f"model{number}"
        invoke("train", file, "--label", "y", "-o", folder)
        assert json.loads(invoke("evaluate", folder, "--data", later, "--json"))["metrics"]["accuracy"] == 1
        data = {"train": str(file), "test": str(later), "label": "y", "series": "id"}
        loaded = load_files(SimpleNamespace(data=data, folder=tmp_path, task=TASK))
        assert loaded.test.labels.tolist() == loaded.train.labels.tolist()


def test_other_spellings_are_other_labels():
    assert spelled_as(["7", "1.5", "a"], ["7.0", "007", " 7", "1.50", "A", "a", ""]) == [
        "7", "007", "7", "1.50", "A", "a", "",
    ]  # fmt: skip
    # Names that are told apart by such a spelling alone need it.
    assert spelled_as(["7", "7.0"], ["7.00", "7"]) == ["7.00", "7"]
