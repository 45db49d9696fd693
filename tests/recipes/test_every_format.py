"""The same 20 series in every file format give the same training, predictions and scores."""

import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from recipe_writing import write_recipe
from transformers import pipeline

from chainhead_plugin.recipes.data.load import load_data
from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.runs import Runs

CONTENT = {
    "name": "kinds",
    "task": "time-series-classification",
    "data": {"train": "long.csv", "test_share": 0.3, "label": "kind", "series": "id"},
    "model": {"hidden_sizes": [4], "channel_hops": [0, 1]},
    "training": {"num_train_epochs": 2, "per_device_train_batch_size": 16},
    "learning_rates": [0.01],
    "validation_share": 0.25,
    "seeds": [0],
    "threads": 1,
}
# Fractions that float32 has, so that no format rounds them.
SERIES = [np.random.default_rng(0).integers(-64, 64, (20, 9, 2))[i, : 6 + i % 3] / 8 for i in range(20)]
KINDS = ["left", "right"] * 10
# What beside the file's name a recipe says of it; by default what it says of long.csv.
LONG = {
    "long.csv": {},
    "semicolons.csv": {},
    "tabs.tsv": {},
    "utf16.csv": {},
    "packed.csv.gz": {},
    "packed.csv.zst": {},
    "packed.zip": {},
    "remarks.csv": {"comment": "%"},
    "bare.csv": {"header": False, "label": 4, "series": 1},
    "long.parquet": {},
    "long.feather": {},
    "long.xlsx": {},
    "long.json": {},
    "long.jsonl": {},
    "ragged.npz": {"label": None, "series": None},
    "case.ts": {"label": None, "series": None},
    "files": {"series": None, "drop": "id", "rows": "nodes"},
    "files/*.csv": {"series": None, "drop": "id", "rows": "nodes"},
}
WIDE = {
    "wide.csv": {"label": "kind"},
    "wide.parquet": {"label": "kind"},
    "ucr.tsv": {},
    "ucr.csv": {},
    "wide.npz": {},
    "single.ts": {},
    "weka.arff": {},
}


def long_table():
    return pd.concat(
        [
            pd.DataFrame({"id": f"s{i}", "temp": nodes[:, 0], "hum": nodes[:, 1], "kind": kind})
            for i, (nodes, kind) in enumerate(zip(SERIES, KINDS, strict=True))
        ],
        ignore_index=True,
    )


def write_long(folder):
    table = long_table()
    table.to_csv(folder / "long.csv", index=False)
    table.to_csv(folder / "semicolons.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    table.to_csv(folder / "tabs.tsv", index=False, sep="\t")
    table.to_csv(folder / "utf16.csv", index=False, encoding="utf-16")
    table.to_csv(folder / "packed.csv.gz", index=False)
    table.to_csv(folder / "packed.csv.zst", index=False)
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.write(folder / "long.csv", "long.csv")
    head, *rows = (folder / "long.csv").read_text("utf-8").splitlines()
    (folder / "remarks.csv").write_text("\n".join(["% a logger", head, rows[0], "% a pause", *rows[1:]]))
    (folder / "bare.csv").write_text("\n".join(rows))
    table.to_parquet(folder / "long.parquet")
    table.to_feather(folder / "long.feather")
    table.to_excel(folder / "long.xlsx", index=False)
    table.to_json(folder / "long.json", orient="records")
    table.to_json(folder / "long.jsonl", orient="records", lines=True)
    np.savez(folder / "ragged.npz", x=np.concatenate(SERIES), lengths=[len(one) for one in SERIES], y=KINDS)
    cases = [
        ":".join([*(",".join(map(str, channel)) for channel in nodes.T), kind])
        for nodes, kind in zip(SERIES, KINDS, strict=True)
    ]
    (folder / "case.ts").write_text("\n".join(["@classLabel true left right", "@data", *cases]))
    (folder / "files").mkdir()
    for number, part in table.groupby("id", sort=False):
        part.to_csv(folder / "files" / f"{number}.csv", index=False)


def write_wide(folder):
    values = np.stack([nodes[:6, 0] for nodes in SERIES])
    values = np.hstack([values, values[:, ::-1]]) + 1 / 16  # no whole numbers, which might be classes
    names = [f"t{i}" for i in range(values.shape[1])]
    table = pd.DataFrame(values, columns=names).assign(kind=KINDS)
    table.to_csv(folder / "wide.csv", index=False)
    table.to_parquet(folder / "wide.parquet")
    classes_first = table[["kind", *names]]
    classes_first.to_csv(folder / "ucr.tsv", index=False, header=False, sep="\t")
    classes_first.to_csv(folder / "ucr.csv", index=False, header=False)
    np.savez(folder / "wide.npz", x=values, y=KINDS)
    rows = [",".join(map(str, row)) for row in values]
    cases = [f"{row}:{kind}" for row, kind in zip(rows, KINDS, strict=True)]
    (folder / "single.ts").write_text("\n".join(["@classLabel true left right", "@data", *cases]))
    attributes = [*(f"@attribute {name} numeric" for name in names), "@attribute kind {left,right}"]
    cases = [f"{row},{kind}" for row, kind in zip(rows, KINDS, strict=True)]
    (folder / "weka.arff").write_text("\n".join(["@relation r", *attributes, "@data", *cases]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All files, and models that were trained on long.csv and wide.csv."""
    folder = tmp_path_factory.mktemp("formats")
    write_long(folder)
    write_wide(folder)
    for name in ("long.csv", "wide.csv"):
        recipe = write_recipe(folder, CONTENT, {"data": data_of(name)})
        said = invoke("train", recipe, "--output", folder / "models" / name)
        assert f"{name}: 20 series of " in said
        assert "label kind (left 10, right 10)" in said
        assert "test: 6 of 20 examples (left 3, right 3), drawn with seed 0" in said
    return folder


def data_of(name, **changes):
    given = {**CONTENT["data"], **LONG[name]} if name in LONG else {"test_share": 0.3, **WIDE[name]}
    return {
        option: value for option, value in {**given, "train": name, **changes}.items() if value is not None
    }


@pytest.mark.parametrize("name", [*LONG, *WIDE])
def test_the_same_training(folder, name):
    model = folder / "models" / ("long.csv" if name in LONG else "wide.csv")
    recipe = load_recipe(write_recipe(folder, CONTENT, {"data": data_of(name)}))
    data = load_data(recipe)
    runs = Runs(recipe, data, model / ".runs")  # refuses other data than what was trained on
    expected = json.loads((model / "results.json").read_text("utf-8"))["models"]["chain"]
    epochs = []
    again = measure(recipe, model / ".runs", [], epochs.append).results["models"]["chain"]
    assert again == expected
    assert runs.data.train.names == ("left", "right")


def predictions(model, file, *options):
    lines = invoke("predict", model, file, "--json", *options).splitlines()
    return [json.loads(line)["predictions"][0] for line in lines]


@pytest.mark.parametrize("name", [name for name in [*LONG, *WIDE] if "*" not in name])
def test_the_same_predictions(folder, name):
    source = "long.csv" if name in LONG else "wide.csv"
    if name in ("bare.csv", "ucr.tsv", "ucr.csv"):
        said = invoke("predict", folder / "models" / source, folder / name, code=1)
        assert "without" in said or "no names of columns" in " ".join(said.split())
        return
    if name == "remarks.csv":
        pytest.skip("its comments are told to recipes")
    expected = predictions(folder / "models" / source, folder / source)
    found = predictions(folder / "models" / source, folder / name)
    assert [one["label"] for one in found] == [one["label"] for one in expected]
    assert [one["score"] for one in found] == pytest.approx([one["score"] for one in expected], rel=1e-6)


@pytest.mark.parametrize("name", ["semicolons.csv", "long.parquet", "files", "case.ts"])
def test_the_same_evaluation(folder, name):
    data = data_of("long.parquet", test_share=None, test="long.csv")
    expected = invoke("evaluate", folder / "models" / "long.csv", "--recipe", write(folder, data))
    copy = folder / f"copy-{name}"
    (shutil.copytree if (folder / name).is_dir() else shutil.copy)(folder / name, copy)
    data = data_of(name, test_share=None, test=copy.name)
    assert invoke("evaluate", folder / "models" / "long.csv", "--recipe", write(folder, data)) == expected


def write(folder, data):
    return write_recipe(folder, CONTENT, {"data": data})


def test_the_same_pipeline(folder):
    expected = predictions(folder / "models" / "long.csv", folder / "long.csv")
    classify = pipeline("time-series-classification", model=str(folder / "models" / "long.csv"), device="cpu")
    panel = long_table().drop(columns="kind").set_index(["id", long_table().groupby("id").cumcount()])
    for batch in (long_table(), panel[["hum", "temp"]], SERIES):
        found = [answer[0] for answer in classify(batch)]
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in expected], rel=1e-6)
