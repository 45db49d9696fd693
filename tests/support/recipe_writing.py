"""Writes recipes and their data into a folder."""

import numpy as np
import yaml

# Fields of recipes that train in a moment.
SHARED = {
    "training": {"num_train_epochs": 1, "per_device_train_batch_size": 16},
    "validation_share": 0.25,
    "learning_rates": [0.01],
    "seeds": [0],
    "threads": 1,
}
LABELLED = {
    "name": "kinds",
    "task": "time-series-classification",
    "model": {"hidden_sizes": [4], "channel_hops": [0, 1]},
    **SHARED,
}


def write_recipe(folder, content, changes):
    """Write a recipe with changes to its fields, without those that become None; return the file."""
    content = {name: value for name, value in {**content, **changes}.items() if value is not None}
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    return file


def write_arrays(file, examples):
    """Write inputs and labels as a recipe reads them."""
    x, y = examples
    np.savez(file, x=x, y=y)
