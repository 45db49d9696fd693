"""Folders of every kind that people save models to, each with a file of its inputs, and all that is done with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image
from random_chains import two_kinds

import chainhead_plugin as c
from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadForecaster, ChainHeadRegressor

SMALL = {"num_biases": 1, "num_groups": 2, "num_levels": 4, "random_state": 0}
CHAIN = {"m": 4, "hidden_sizes": [6, 5], "num_labels": 3}
STEP = {"m": 1, "n": 4, "pooling": "flatten", "chain_length": 6, "prediction_length": 3}


class Saved(NamedTuple):
    """A folder, a file of inputs, the options that the file needs, and a function that loads and runs an estimator."""

    folder: Path
    data: Path
    options: tuple[str, ...] = ()
    run: Callable[[Path], Any] | None = None
    labelled: Path | None = None


def save_all(folder: Path) -> dict[str, Saved]:
    """Save a small model of every kind; return them by name."""
    torch.manual_seed(0)
    return {**_of_series(folder), **_of_other_inputs(folder), **_of_estimators(folder)}


def _of_series(folder: Path) -> dict[str, Saved]:
    rows = folder / "rows.csv"
    rows.write_text("0.1,0.2,0.3,0.4\n0.4,0.3,0.2,0.1\n")
    found = {}
    config = c.ChainHeadConfig(**CHAIN)
    of = c.ChainHeadForSequenceClassification
    for name, model, options in (
        ("series", of(config), {}),
        ("shards", of(config), {"max_shard_size": 200}),
        ("frames", c.ChainHeadForTokenClassification(config), {}),
    ):
        model.save_pretrained(folder / name, **options)
        c.ChainHeadFeatureExtractor(feature_size=4).save_pretrained(folder / name)
        found[name] = Saved(folder / name, rows, ("--no-header",))
    return found


def _of_other_inputs(folder: Path) -> dict[str, Saved]:
    image = c.ChainHeadConfig(image_size=8, num_channels=1, patch_size=2, n=4, num_labels=3)
    tokenizer = c.train_tokenizer(["good and cheap", "bad", "good"])
    words = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "m": 4, "n": 4}
    files = {name: folder / name for name in ("image.png", "text.txt", "past.csv")}
    Image.linear_gradient("L").resize((8, 8)).save(files["image.png"])
    files["text.txt"].write_text("good\n")
    files["past.csv"].write_text("\n".join(["value", *map(str, range(12))]) + "\n")
    found = {}
    for name, model, processor, file in (
        (
            "image",
            c.ChainHeadForImageClassification(image),
            c.ChainHeadImageProcessor.for_config(image),
            "image.png",
        ),
        (
            "text",
            c.ChainHeadForSequenceClassification(c.ChainHeadConfig(num_labels=2, **words)),
            tokenizer,
            "text.txt",
        ),
        ("forecast", c.ChainHeadForTimeSeriesPrediction(c.ChainHeadConfig(**STEP)), None, "past.csv"),
    ):
        model.save_pretrained(folder / name)
        if processor is not None:
            processor.save_pretrained(folder / name)
        found[name] = Saved(folder / name, files[file])
    return found


def _of_estimators(folder: Path) -> dict[str, Saved]:
    series, labels = two_kinds(count=12, length=12)
    days = pd.date_range("2024-01-01", periods=50, name="day")
    past = pd.DataFrame({"day": days, "sales": (10 + days.dayofweek).astype(float)})
    one, labelled, sales = folder / "one.csv", folder / "labelled.csv", folder / "sales.csv"
    pd.DataFrame({"value": series[0]}).to_csv(one, index=False)
    nodes = [(f"s{i}", value, f"c{labels[i]}") for i in range(4) for value in series[i]]
    pd.DataFrame(nodes, columns=["id", "value", "kind"]).to_csv(labelled, index=False)
    past.to_csv(sales, index=False)

    ChainHeadClassifier(**SMALL).fit(series, np.array(["c0", "c1"])[labels]).save_pretrained(
        folder / "classifier"
    )
    ChainHeadRegressor(**SMALL).fit(series, series.std(1)).save_pretrained(folder / "regressor")
    forecaster = ChainHeadForecaster().fit(past.set_index("day")["sales"], horizon=3)
    forecaster.save_pretrained(folder / "forecaster")
    return {
        "classifier": Saved(
            folder / "classifier",
            one,
            run=lambda place: ChainHeadClassifier.from_pretrained(place).predict_proba(series[:2]),
            labelled=labelled,
        ),
        "regressor": Saved(
            folder / "regressor",
            one,
            run=lambda place: ChainHeadRegressor.from_pretrained(place).predict(series[:2]),
        ),
        "forecaster": Saved(
            folder / "forecaster",
            sales,
            run=lambda place: ChainHeadForecaster.from_pretrained(place).predict_quantiles(
                y=past.set_index("day")["sales"]
            ),
        ),
    }
