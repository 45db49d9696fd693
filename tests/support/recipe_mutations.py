"""Almost valid recipes: recipes of every task, in which a few values are replaced."""

import copy
import datetime
import random

import numpy as np
import pandas as pd
import yaml
from recipe_writing import write_arrays

_DEEP = []
for _ in range(50):
    _DEEP = [_DEEP]

STRANGE = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        7,
        10**6,
        10**30,
        -(10**30),
        10**400,
        0.0,
        0.5,
        -0.5,
        1.5,
        1e-320,
        1e308,
    ),
    *(float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "x",
        "0",
        "1.5",
        "1e-3",
        "null",
        "balanced",
        "mean",
        "../..",
        "/",
        "~",
        "a\nb",
        "a" * 5000,
        "\x00",
    ),
    *(
        "\u202eevil",
        "é",
        "日本",
        "\U0001f600",
        "\x1b[31m",
        "{}",
        "[bold]",
        "%s",
        "*",
        "train.csv",
        "train.npz",
    ),
    *([], [[]], [None], [0], [1, 2, 3], [1.0, "x"], ["x", "x"], [True], [{}], [-1], list(range(2000)), _DEEP),
    *({}, {"a": 1}, {1: 2}, {None: None}, {"": {}}, {1.5: [1]}, {True: "x"}, {"a": {"b": {"c": [{}]}}}),
    *(b"bytes", datetime.date(2020, 2, 29), datetime.datetime(2020, 1, 1, 12), {"x", "y"}),
)

# What no value makes: tags, anchors, doubled keys, other encodings and broken syntax.
RAW = (
    b"",
    b"null",
    b"[]",
    b"- a\n- b\n",
    b"\x00\x01\x02",
    b"\xff\xfe\x00a",
    "\ufeffname: a\n".encode(),
    b"%YAML 9.9\n---\nname: a\n",
    b"name: !!python/object/apply:os.system [exit]\n",
    b"!!python/name:os.system\n",
    b"name: !!binary |\n  !!!\n",
    b"name: !!timestamp nonsense\n",
    b"name: !!int x\n",
    b"name: !!float x\n",
    b"name: 0x\nseeds: 0o9\n",
    b"? [a, b]\n: c\n",
    b"? {a: b}\n: c\n",
    b"a: &a [*a]\n",
    b"&a {*a : *a}\n",
    b"name: *missing\n",
    b"<<: 1\n",
    b"<<: [1, 2]\n",
    b"name: a\nname: b\n",
    b"name: 2020-99-99\n",
    b"name: 99999-01-01\n",
    b"name: 1:2:3:99999999999999999999\n",
    b"name: 9" + b"9" * 5000 + b"\n",
    b"name: " + b"[" * 3000 + b"\n",
    b"name: " + b"{a: " * 3000 + b"\n",
    b"- " * 3000 + b"x\n",
    b"a: &a x\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
    + b"".join(b"%c: &%c [%s]\n" % (99 + n, 99 + n, b",".join([b"*%c" % (98 + n)] * 9)) for n in range(12)),
    b"a: b: c\n",
    b"\tname: a\n",
    b"--- a\n--- b\n",
    b"name: 'unended\n",
    b'name: "\\uD800"\n',
)


def _recipe(task, data, model, **more):
    return {
        "name": "almost",
        "task": task,
        "data": data,
        "model": model,
        "training": {
            "num_train_epochs": 1,
            "per_device_train_batch_size": 16,
            "weight_decay": 0.1,
            "lr_scheduler_type": "cosine",
            "optim": "adamw_torch",
            "max_grad_norm": 1.0,
            "warmup_steps": 2,
        },
        "learning_rates": [0.01],
        "validation_share": 0.25,
        "seeds": [0],
        "threads": 1,
        "early_stopping": 2,
        "peers": ["lstm", "plain"],
        "overrides": {"lstm": {"width": 4, "learning_rates": [0.1]}},
        "card": {"summary": "A model.", "license": "mit", "limits": ["It knows little."]},
        **more,
    }


HEAD = {
    "n": 4,
    "channel_hops": [0, 1],
    "enable_bias": True,
    "pooling": "mean",
    "with_dropout": True,
    "p": 0.1,
}
RECIPES = {
    "series": _recipe(
        "time-series-classification",
        {
            "train": "train.csv",
            "test_share": 0.25,
            "test_seed": 3,
            "label": "label",
            "series": "id",
            "drop": ["place"],
        },
        HEAD,
        metric="macro_f1",
        class_weight={"up": 2.0},
    ),
    "folds": {
        **_recipe("time-series-classification", {"train": "train.npz", "test": "test.npz"}, HEAD),
        "validation_share": None,
        "early_stopping": None,
        "validation_folds": 2,
    },
    "numbers": _recipe(
        "time-series-regression",
        {
            "train": "train.csv",
            "test_share": 0.3,
            "label": ["size"],
            "series": "id",
            "drop": ["place", "label"],
        },
        HEAD,
    ),
    "nodes": _recipe(
        "time-series-segmentation",
        {"train": "train.csv", "test_share": 0.3, "label": "place", "series": ["id"], "drop": ["label"]},
        HEAD,
    ),
    "images": _recipe(
        "image-classification", {"train": "images.npz", "test_share": 0.5}, {"n": 4, "patch_size": 2}
    ),
    "backbone": _recipe(
        "image-classification",
        {"train": "images.npz", "test_share": 0.5},
        {
            "n": 4,
            "freeze_backbone": True,
            "backbone_config": {
                "model_type": "resnet",
                "embedding_size": 4,
                "hidden_sizes": [4],
                "depths": [1],
                "layer_type": "basic",
                "num_channels": 1,
            },
        },
        pretraining={"share": 0.5, "learning_rate": 0.01, "num_train_epochs": 1, "seed": 1},
    ),
    "texts": _recipe(
        "text-classification",
        {"train": "texts.csv", "test_share": 0.3, "text": "text", "label": "label"},
        {"m": 4, "n": 4, "channel_hops": [0, 1]},
        tokenizer={"vocab_size": 60},
    ),
    "forecasts": _recipe(
        "time-series-forecasting",
        {"train": "hours.csv", "test_share": 0.2, "time": "time", "target": ["load"]},
        {"chain_length": 6, "prediction_length": 2, "quantiles": [0.1, 0.5, 0.9], "scaling": "std"},
    ),
}


def write_data(folder):
    """Write the files that the recipes name."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "id": f"s{number}",
            "a": rng.normal() + (number % 2) * node,
            "b": rng.normal(),
            "place": "early" if node < 3 else "late",
            "size": number / 7,
            "label": ("down", "up")[number % 2],
        }
        for number in range(32)
        for node in range(6)
    ]
    pd.DataFrame(rows).to_csv(folder / "train.csv", index=False)
    for name in ("train.npz", "test.npz"):
        write_arrays(folder / name, (rng.normal(size=(32, 6)), np.array(["down", "up"] * 16)))
    write_arrays(
        folder / "images.npz", (rng.integers(0, 255, (32, 4, 4)).astype(np.uint8), np.arange(32) % 2)
    )
    texts = [
        {"text": f"this is {('good', 'bad')[n % 2]} number {n}", "label": ("+", "-")[n % 2]}
        for n in range(32)
    ]
    pd.DataFrame(texts).to_csv(folder / "texts.csv", index=False)
    hours = pd.date_range("2024-01-01", periods=120, freq="h")
    pd.DataFrame({"time": hours, "load": rng.normal(size=120), "wind": rng.normal(size=120)}).to_csv(
        folder / "hours.csv", index=False
    )


def mutated(rng: random.Random):
    """Return the name of a valid recipe, and bytes of one like it in which a few things are something else."""
    base = rng.choice(sorted(RECIPES))
    if rng.random() < 0.08:
        return base, rng.choice(RAW)
    content = copy.deepcopy(RECIPES[base])
    for _ in range(rng.choice((1, 1, 1, 2))):
        _change(content, rng)
    data = yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
    if rng.random() < 0.08:
        place = rng.randrange(len(data))
        data = (
            data[:place]
            + rng.choice((b"", b":", b"\t", b"\xff", b"&a ", b"*a", b"!!set ", b"\n"))
            + data[place + 1 :]
        )
    return base, data


def _change(content, rng):
    places = list(_places(content))
    owner, key = rng.choice(places)
    kind = rng.random()
    if kind < 0.75:
        owner[key] = copy.deepcopy(rng.choice(STRANGE))
    elif kind < 0.85:
        owner[key] = [owner[key]]
    elif kind < 0.9:
        owner[key] = {key: owner[key]}
    elif kind < 0.95 and isinstance(owner, dict):
        name = rng.choice([value for value in STRANGE if value.__hash__ and not isinstance(value, bytes)])
        owner[name] = owner.pop(key)
    else:
        del owner[key]


def _places(content):
    """Return every container and key within a recipe; top-level fields thrice, as most checks are about them."""
    for key, value in list(content.items() if isinstance(content, dict) else enumerate(content)):
        yield content, key
        if isinstance(value, dict | list):
            yield from _places(value)
