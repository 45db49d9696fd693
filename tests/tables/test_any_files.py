"""Random series in folders of classes, with codes for missing values, and in recipes, are read alike."""

import shutil

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from chainhead_plugin import tables
from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.tables import TableSpec, load_matched, load_pieces, schema_of

quickly = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
labels = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=6)
cells = st.floats(-1e6, 1e6).map(lambda value: f"{value:.6g}")
nodes = st.lists(st.tuples(cells, cells), min_size=2, max_size=4)


def written(file, rows, names=("a", "b")):
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(names), *(",".join(row) for row in rows)]
    file.write_text("\n".join(lines) + "\n", "utf-8")


def numbers(rows):
    return np.array([[float(cell) for cell in row] for row in rows])


@pytest.mark.filterwarnings("ignore:.*far from all other values")
@quickly
@given(
    classes=st.dictionaries(labels, st.lists(nodes, min_size=1, max_size=2), min_size=2, max_size=3),
    turned=st.booleans(),
)
def test_folders_of_classes(classes, turned, tmp_path):
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    expected = {}
    for place, (label, series) in enumerate(classes.items()):
        for number, rows in enumerate(series):
            names = ("b", "a") if turned and number else ("a", "b")
            ordered = [row[::-1] for row in rows] if names == ("b", "a") else rows
            written(tmp_path / "data" / label / f"{place}_{number}.csv", ordered, names)
            expected[f"{label}/{place}_{number}"] = (label, numbers(rows))
    spec = TableSpec(features=["a", "b"], label="folder", rows="nodes")
    whole = tables.load(tmp_path / "data", spec)
    pieces = [one for piece in load_pieces(tmp_path / "data", spec) for one in piece]
    later = load_matched(tmp_path / "data", schema_of(whole), labelled=True)
    for found in (whole, pieces, later):
        assert {one.id for one in found} == expected.keys()
        for one in found:
            label, values = expected[one.id]
            assert one.labels == (label,)
            np.testing.assert_array_equal(one.values, values)


@quickly
@given(
    rows=nodes,
    code=st.sampled_from(["NA", "-9999999", "?", "n/a", "missing"]),
    data=st.data(),
)
def test_codes_for_missing_values(rows, code, data, tmp_path):
    is_missing = [(data.draw(st.booleans()), data.draw(st.booleans())) for _ in rows]
    coded = [
        tuple(code if gone else cell for cell, gone in zip(row, flags, strict=True))
        for row, flags in zip(rows, is_missing, strict=True)
    ]
    written(tmp_path / "a.csv", coded)
    spec = TableSpec(missing=code, features=["a", "b"], rows="nodes")
    expected = np.where(is_missing, np.nan, numbers(rows))
    found = tables.load(tmp_path / "a.csv", spec)
    np.testing.assert_array_equal(found[0].values, expected)
    [piece] = load_pieces(tmp_path / "a.csv", schema_of(found), block_rows=1)
    np.testing.assert_array_equal(piece[0].values, expected)


@pytest.mark.filterwarnings("ignore:.*far from all other values")
@quickly
@given(
    classes=st.lists(labels, min_size=2, max_size=3, unique=True),
    series=st.lists(nodes, min_size=6, max_size=6),
    columns=st.permutations(["id", "step", "kind", "a", "b"]),
    data=st.data(),
)
def test_recipes(classes, series, columns, data, tmp_path):
    kinds = [classes[number % len(classes)] for number in range(6)]
    rows = [
        dict(
            zip(
                ("id", "step", "kind", "a", "b"), (f"s{number}", str(step), kinds[number], *node), strict=True
            )
        )
        for number, one in enumerate(series)
        for step, node in enumerate(one)
    ]
    shuffled = data.draw(st.permutations(rows))
    for file, order in (("train.csv", columns), ("test.csv", columns[::-1])):
        kept = rows if file == "train.csv" else shuffled
        written(tmp_path / file, [tuple(row[name] for name in order) for row in kept], order)
    recipe = {
        "name": "any",
        "task": "time-series-classification",
        "data": {"train": "train.csv", "test": "test.csv", "label": "kind", "series": "id", "time": "step"},
        "model": {"n": 2},
        "training": {"num_train_epochs": 1, "per_device_train_batch_size": 8},
        "learning_rates": [0.01],
        "validation_folds": 2,
        "seeds": [0],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    found = load_data(load_recipe(tmp_path / "recipe.yaml"))
    expected = sorted((kind, numbers(one).tolist()) for kind, one in zip(kinds, series, strict=True))
    by_name = found.train.schema.features
    assert set(by_name) == {"a", "b"}
    place = [by_name.index(name) for name in ("a", "b")]
    for part in (found.train, found.test):
        read = [
            (part.names[label], np.asarray(nodes)[:, place].tolist())
            for label, nodes in zip(part.labels, part.inputs, strict=True)
        ]
        assert sorted(read) == expected
