"""Labelled tables in recipes: columns matched by name in both parts, labels and identifiers unchanged."""

from types import SimpleNamespace

import numpy as np
import pytest

from chainhead_plugin.recipes.data.files import load_files
from chainhead_plugin.recipes.errors import RecipeError

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
