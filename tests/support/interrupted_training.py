"""Interrupts the training of a recipe many times, continues it, and compares weights with an uninterrupted training.

Usage: interrupted_training.py FOLDER TRIALS. Prints {mode: {outcome: count}}, with TRIALS trials in each mode:

- calls: SIGKILL just before a file system call of Python, from the first call to the last
- times: SIGKILL at random times, also while a file is written
- errors: a full disk at such a call
- file-size: no file may be larger than a few kB, as if the disk were full during a write

Every interrupted training runs in a forked process. This process then continues it in the same folder.
"""

import collections
import json
import logging
import os
import random
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
from interrupted_saves import CALLS, fill_disk, interrupt_call, kill
from recipe_writing import write_arrays, write_recipe
from safetensors.torch import load_file
from transformers.utils import logging as transformers_logging

from chainhead_plugin.recipes.recipe_files import load_recipe
from chainhead_plugin.recipes.training.measuring import measure
from chainhead_plugin.recipes.training.records import in_use

CONTENT = {
    "name": "cut",
    "task": "time-series-classification",
    "data": {"train": "train.npz", "test": "test.npz"},
    "model": {"n": 6, "channel_hops": [0, 1], "pooling": "max"},
    "training": {"num_train_epochs": 3, "per_device_train_batch_size": 8},
    "learning_rates": [0.05],
    "validation_share": 0.25,
    "early_stopping": 2,
    "seeds": [0, 1],
    "threads": 1,
}


def write_data(folder):
    rng = np.random.default_rng(0)
    for name, count in (("train", 32), ("test", 8)):
        labels = np.arange(count) % 2
        chains = rng.normal(0, 1, (count, 6)) + labels[:, None] * np.arange(6)
        write_arrays(folder / f"{name}.npz", (chains, np.array(["flat", "steep"])[labels]))
    return load_recipe(write_recipe(folder, CONTENT, {}))


def train(recipe, runs):
    with in_use(runs):
        return measure(recipe, runs, [])


def count_calls(runs):
    """Return a list that grows by one entry for every file system call in a folder from now on."""
    calls = []
    sys.addaudithook(
        lambda event, arguments: (
            calls.append(event)
            if event in CALLS and any(str(argument).startswith(str(runs)) for argument in arguments)
            else None
        )
    )
    return calls


def weights_in(runs):
    """All weights of all finished runs that are not set aside, by the names of their folders."""
    return {
        file.parent.name: {name: value.numpy().tobytes() for name, value in load_file(file).items()}
        for file in sorted(runs.glob("*/weights.safetensors"))
        if ".damaged-" not in file.parent.name
    }


def trial(mode, recipe, runs, number, generator, seconds):
    process = os.fork()
    if process == 0:
        status = 1
        try:
            if mode == "calls":
                interrupt_call(runs, number, kill)
            elif mode == "errors":
                interrupt_call(runs, number, fill_disk)
            elif mode == "file-size":
                resource.setrlimit(resource.RLIMIT_FSIZE, (32 * number, 32 * number))
            train(recipe, runs)
            status = 0
        except Exception:
            status = 3
        finally:
            os._exit(status)
    if mode == "times":
        time.sleep(generator.uniform(0, seconds))
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return {0: "finished", 3: "raised"}.get(os.waitstatus_to_exitcode(status), "killed")


def main(folder, trials):
    transformers_logging.set_verbosity_error()
    logging.disable(logging.WARNING)
    folder.mkdir(parents=True)
    recipe = write_data(folder)
    calls, start = count_calls(folder / "whole"), time.perf_counter()
    accuracy = train(recipe, folder / "whole").results["models"]["chain"]["test_accuracy"]
    seconds, count = time.perf_counter() - start, len(calls)
    expected = weights_in(folder / "whole")
    generator = random.Random(0)
    counts = collections.defaultdict(collections.Counter)
    for mode in ("calls", "times", "errors", "file-size"):
        for index in range(trials):
            runs = folder / f"{mode}-{index}"
            ended = trial(mode, recipe, runs, 1 + index * count // trials, generator, seconds)
            results = train(recipe, runs).results["models"]["chain"]
            same = weights_in(runs) == expected and results["test_accuracy"] == accuracy
            counts[mode][f"{ended}: {'the same weights' if same else 'other weights'}"] += 1
            shutil.rmtree(runs)
    sys.stdout.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
