"""Interrupts saves over an existing checkpoint many times, and counts what the folder then loads as.

Usage: interrupted_saves.py FOLDER TRIALS. Prints {mode: {outcome: count}}, with TRIALS trials in each mode, but at
least 60 in the first mode, and as many as there are calls in the last:

- calls: SIGKILL just before a file system call of Python, from the first call to the last
- times: SIGKILL at random times, also while a file is written
- errors: a full disk at such a call
- file-size: no file may be larger than half the weights
- estimator: SIGKILL just before every single call of a save of an estimator, with its state and feature extractor

Every trial saves in a forked process. This process then loads the folder through `AutoModel`.
"""

import collections
import errno
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from random_chains import two_kinds
from transformers import AutoModel
from transformers.utils import logging

from chainhead_plugin import ChainHeadConfig, ChainHeadFeatureExtractor, ChainHeadModel
from chainhead_plugin.estimators import ChainHeadClassifier

# Calls that change something: killed before one that only looks, the folder is as before the next of these.
CALLS = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"}
SHARDED = {"max_shard_size": "300KB"}


def build(width, hops, seed):
    torch.manual_seed(seed)
    config = ChainHeadConfig(m=width, hidden_sizes=[width] * 4, with_multihop=True, h=hops)
    return ChainHeadModel(config).eval()


# Same sizes, so that new weights under the old configuration would load without an error.
OLD, NEW = build(192, 1, seed=1), build(192, 2, seed=2)
SCENARIOS = [({}, {}), (SHARDED, SHARDED), ({}, SHARDED), (SHARDED, {})]
EXTRACTORS = [ChainHeadFeatureExtractor(feature_size=size) for size in (1, 2)]


def outcome(folder):
    """Tell which model a folder loads as."""
    loaded = AutoModel.from_pretrained(folder)
    for name, model in (("old", OLD), ("new", NEW)):
        weights = zip(loaded.state_dict().items(), model.state_dict().items(), strict=True)
        if loaded.config.h == model.config.h and all(
            a == b and torch.equal(v, w) for (a, v), (b, w) in weights
        ):
            return name
    return "a mixture"


def interrupt_call(folder, number, action):
    """Do `action` just before the file system call of that number that concerns the folder."""
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if event in CALLS and any(str(argument).startswith(str(folder)) for argument in arguments):
            count += 1
            if count == number:
                action()

    sys.addaudithook(hook)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def save(folder, options, prepare):
    """Save the new model in a process of its own; return its exit status."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            prepare()
            NEW.save_pretrained(folder, **options)
            EXTRACTORS[1].save_pretrained(folder)
            status = 0
        except OSError as error:
            status = 3 if error.errno in (errno.ENOSPC, errno.EFBIG) else 4
        except Exception as error:
            # safetensors has an exception of its own, which wraps the system's.
            status = 3 if "File too large" in str(error) or "No space" in str(error) else 4
        finally:
            os._exit(status)
    return process


def estimators():
    """Return two classifiers of the same sizes, and the outcome that each stands for."""
    series, labels = two_kinds(count=12, length=12)
    options = {"num_biases": 1, "num_groups": 2, "num_levels": 4}
    fitted = {}
    for seed, name in enumerate(("old", "new")):
        classifier = ChainHeadClassifier(**options, random_state=seed)
        classifier.fit(series, np.array([f"{name} a", f"{name} b"])[labels])
        classifier.feature_extractor_ = ChainHeadFeatureExtractor(1, mean=[seed], std=[1])
        fitted[name] = classifier
    return series, fitted


def estimator_outcome(folder, series, fitted):
    found = ChainHeadClassifier.from_pretrained(folder)
    name = found.classes_[0].partition(" ")[0]
    same = np.array_equal(found.predict_proba(series), fitted[name].predict_proba(series))
    return name if same and found.random_state == fitted[name].random_state else "a mixture"


def kill_estimators(folder):
    """Kill a save of an estimator before each of its calls, from the first until it is done without."""
    series, fitted = estimators()
    outcomes = collections.Counter()
    for number in itertools.count(1):
        shutil.rmtree(folder, ignore_errors=True)
        fitted["old"].save_pretrained(folder)
        process = os.fork()
        if process == 0:
            interrupt_call(folder, number, kill)
            fitted["new"].save_pretrained(folder)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        outcome = estimator_outcome(folder, series, fitted)
        assert outcome == "new" or status, "saved, and not there"
        outcomes[f"{'killed' if status else 'saved'}: {outcome}"] += 1
        fitted["new"].save_pretrained(folder)
        assert estimator_outcome(folder, series, fitted) == "new"
        if status == 0:
            return outcomes
    return outcomes


def trial(mode, folder, before, after, number, generator, longest):
    shutil.rmtree(folder, ignore_errors=True)
    OLD.save_pretrained(folder, **before)
    EXTRACTORS[0].save_pretrained(folder)
    (folder / "notes.txt").write_text("the user's own")
    prepare = {
        "calls": lambda: interrupt_call(folder, number, kill),
        "errors": lambda: interrupt_call(folder, number, fill_disk),
        "times": lambda: None,
        "file-size": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    }[mode]
    process = save(folder, after, prepare)
    if mode == "times":
        time.sleep(generator.uniform(0, longest))
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 3, -signal.SIGKILL), f"the saving process ended with {code}"
    assert (folder / "notes.txt").read_text() == "the user's own"
    assert ChainHeadFeatureExtractor.from_pretrained(folder).feature_size in (1, 2)
    found = outcome(folder)
    ended = {0: "saved", 3: "raised"}.get(code, "killed")
    hidden = list(folder.glob(".chainhead-saving-*"))
    assert ended == "killed" or found == "new" or not hidden, f"{ended} and left {hidden}"
    # The next save finds nothing in its way, and leaves nothing of the two models but the new one.
    NEW.save_pretrained(folder, **before)
    assert outcome(folder) == "new"
    for left in folder.glob(".chainhead-saving-*"):
        os.utime(left, (0, 0))
        for file in left.iterdir():
            os.utime(file, (0, 0))
    NEW.save_pretrained(folder)
    expected = {"config.json", "model.safetensors", "notes.txt", "preprocessor_config.json"}
    # A killed extractor leaves its unfinished file under a hidden name.
    names = {file.name for file in folder.iterdir() if not file.name.startswith(".preprocessor_config.json-")}
    assert names == expected, names
    return f"{ended}: {found}"


def run(mode, folder, trials, longest):
    generator = random.Random(0)
    outcomes = collections.Counter()
    # A save makes some 20 to 60 of these calls. Few trials see some of them, and others with other shards.
    step = max(1, 240 // trials)
    for index in range(trials):
        scenario = index % len(SCENARIOS)
        number = 1 + scenario % step + step * (index // len(SCENARIOS))
        outcomes[trial(mode, folder, *SCENARIOS[scenario], number, generator, longest)] += 1
    return outcomes


def main(folder, trials):
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for _ in range(3):
        start = time.perf_counter()
        NEW.save_pretrained(folder)
        longest = time.perf_counter() - start
    counts = {"calls": max(60, trials), "times": trials, "errors": trials, "file-size": trials}
    found = {mode: run(mode, folder, count, longest) for mode, count in counts.items()}
    found["estimator"] = kill_estimators(folder)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
