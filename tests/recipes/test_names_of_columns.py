"""A model that a recipe trained on a table finds columns of later tables by name, in any order."""

import json

import numpy as np
import pandas as pd
from command_line import invoke
from recipe_writing import write_recipe

from chainhead_plugin import ChainHeadFeatureExtractor

TRAINING = {"num_train_epochs": 1, "per_device_train_batch_size": 16}
SHARED = {
    "training": TRAINING,
    "validation_share": 0.25,
    "learning_rates": [0.01],
    "seeds": [0],
    "threads": 1,
}
FORECAST = {
    "name": "sales",
    "task": "time-series-forecasting",
    "data": {
        "train": "sales.csv",
        "test_share": 0.25,
        "target": "sales",
        "known": ["holiday"],
        "time": "day",
    },
    "model": {
        "n": 4,
        "chain_length": 8,
        "prediction_length": 2,
        "channel_hops": [0, 1],
        "pooling": "flatten",
    },
    **SHARED,
}
LABELLED = {
    "name": "kinds",
    "task": "time-series-classification",
    "data": {"train": "kinds.csv", "test_share": 0.25, "label": "kind", "series": "id"},
    "model": {"hidden_sizes": [8], "channel_hops": [0, 1]},
    **SHARED,
}


def sales(rows=60):
    days = pd.date_range("2025-01-01", periods=rows).strftime("%Y-%m-%d")
    visitors = np.sin(np.arange(rows)) + 100
    return pd.DataFrame(
        {"visitors": visitors, "day": days, "holiday": np.arange(rows) % 3, "sales": np.arange(rows) % 7}
    )


def kinds():
    rng = np.random.default_rng(0)
    return pd.concat(
        pd.DataFrame(
            {
                "id": f"s{number}",
                "temp": rng.normal(size=6),
                "hum": rng.normal(number % 2 * 3, 1, 6),
                "kind": "ab"[number % 2],
            }
        )
        for number in range(24)
    )


def train(folder, content, table):
    table.to_csv(folder / content["data"]["train"], index=False)
    invoke("train", write_recipe(folder, content, {}), "--output", folder / "model")
    return folder / "model"


def predict(model, table, folder):
    table.to_csv(folder / "new.csv", index=False)
    lines = invoke("predict", model, folder / "new.csv", "--json").splitlines()
    return [json.loads(line) for line in lines]


def test_a_forecast_of_the_file_that_was_trained_on(tmp_path):
    model = train(tmp_path, FORECAST, sales())
    saved = ChainHeadFeatureExtractor.from_pretrained(model)
    assert saved.schema["features"] == ["sales", "visitors"]
    assert (saved.schema["known"], saved.schema["time"]) == (["holiday"], "day")

    table = sales()
    future = pd.DataFrame(
        {"visitors": None, "day": ["2025-03-02", "2025-03-03"], "holiday": [0, 1], "sales": None}
    )
    table = pd.concat([table.astype(object), future])
    found = predict(model, table, tmp_path)
    newest_first = table.iloc[::-1][["sales", "holiday", "visitors", "day"]]
    assert predict(model, newest_first, tmp_path)[0]["forecast"] == found[0]["forecast"]


def test_labels_of_series_whose_columns_moved_or_are_called_otherwise(tmp_path):
    model = train(tmp_path, LABELLED, kinds())
    table = kinds().drop(columns="kind")
    found = predict(model, table, tmp_path)
    assert len(found) == 24
    moved = predict(model, table[["hum", "id", "temp"]], tmp_path)
    assert moved == found

    kinds().rename(columns={"hum": "humidity"}).to_csv(tmp_path / "new.csv", index=False)
    output = invoke("predict", model, tmp_path / "new.csv", code=1)
    assert "hum" in output
    assert "humidity" in output
