"""Loads a checkpoint in every way while another process saves two models in turn, and counts what was loaded.

Usage: replaced_checkpoints.py FOLDER LOADS PAUSE. Prints how often the writer saved each model, and
{"way: outcome": count}. Every way loads at least LOADS times. The writer saves at least twice as often, with pauses of
PAUSE seconds. An outcome is "first" or "second" for a complete model, "mixed" for the configuration of one model with
the weights of the other, or an error.
"""

import collections
import itertools
import json
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from random_chains import two_kinds
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    Pipeline,
    pipeline,
)
from transformers.utils import logging

import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
)
from chainhead_plugin.estimators import ChainHeadClassifier

SMALL = {"num_biases": 1, "num_groups": 2, "num_levels": 4, "random_state": 0}
FIELDS = {"m": 4, "hidden_sizes": [6, 6], "with_multihop": True, "num_labels": 2}


def models(of):
    """Return two models of the same sizes: either's weights fit the other's configuration."""
    if of is ChainHeadClassifier:
        return estimators()
    made = []
    for number in (1, 2):
        model = of(ChainHeadConfig(**FIELDS, h=number))
        for weight in model.parameters():
            torch.nn.init.constant_(weight, number)
        made.append(model)
    return made


def estimators():
    """Return two classifiers with other labels, weights and means."""
    series, labels = two_kinds(count=12, length=12)
    made = []
    for number, name in ((1, "first"), (2, "second")):
        one = ChainHeadClassifier(**SMALL).fit(series, np.array([f"{name} a", f"{name} b"])[labels])
        torch.nn.init.constant_(one.model_.classifier.weight, number)
        one.feature_extractor_ = ChainHeadFeatureExtractor(1, mean=[number], std=[1])
        made.append(one)
    return made


def outcome_of_estimator(found):
    weight = found.model_.classifier.weight
    told = {
        found.classes_[0].partition(" ")[0],
        found.model_.config.id2label[0].partition(" ")[0],
        {1: "first", 2: "second"}[found.feature_extractor_.mean[0]],
        {1: "first", 2: "second"}[weight[0, 0].item()],
    }
    return told.pop() if len(told) == 1 and (weight == weight[0, 0]).all() else "mixed"


def outcome_of_pipeline(found):
    told = {
        found.model.config.id2label[0].partition(" ")[0],
        {1: "first", 2: "second"}[found.feature_extractor.mean[0]],
        {1: "first", 2: "second"}[found.model.classifier.weight[0, 0].item()],
    }
    return told.pop() if len(told) == 1 else "mixed"


def outcome(model):
    if isinstance(model, Pipeline):
        return outcome_of_pipeline(model)
    if isinstance(model, ChainHeadClassifier):
        return outcome_of_estimator(model)
    numbers = {value for weight in model.parameters() for value in weight.detach().flatten().tolist()}
    return {1: "first", 2: "second"}[model.config.h] if numbers == {model.config.h} else "mixed"


def write(places, pause, log):
    pairs = [(folder, models(of), every_options) for folder, of, every_options in places]
    for options_at in itertools.cycle((0, 1)):
        for number in (0, 1):
            for folder, pair, every_options in pairs:
                pair[number].save_pretrained(folder, **every_options[options_at])
            with log.open("a") as stream:
                stream.write(".")
            time.sleep(pause)


def ways(folder):
    base, shards, labels, nodes = (str(folder / name) for name in ("base", "shards", "labels", "nodes"))

    def with_a_configuration():
        config = AutoConfig.from_pretrained(labels)
        return AutoModelForSequenceClassification.from_pretrained(labels, config=config)

    return {
        "AutoModel": lambda: AutoModel.from_pretrained(base),
        "its class": lambda: ChainHeadModel.from_pretrained(base),
        "shards": lambda: AutoModel.from_pretrained(shards),
        "AutoModelForSequenceClassification": lambda: AutoModelForSequenceClassification.from_pretrained(
            labels
        ),
        "overrides": lambda: AutoModelForSequenceClassification.from_pretrained(labels, pooling="max"),
        "a configuration": with_a_configuration,
        "AutoModelForTokenClassification": lambda: AutoModelForTokenClassification.from_pretrained(nodes),
        "estimator": lambda: ChainHeadClassifier.from_pretrained(folder / "estimator"),
        "pipeline": lambda: pipeline("time-series-classification", model=labels, device="cpu").model,
        "pipeline of an estimator": lambda: pipeline(
            "time-series-classification", model=folder / "estimator", device="cpu"
        ),
    }


def main(folder, loads, pause):
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    registry.load_plugins()
    places = [
        (folder / "base", ChainHeadModel, ({}, {})),
        (folder / "shards", ChainHeadModel, ({}, {"max_shard_size": 200})),
        (folder / "labels", ChainHeadForSequenceClassification, ({}, {})),
        (folder / "nodes", ChainHeadForTokenClassification, ({}, {})),
        (folder / "estimator", ChainHeadClassifier, ({}, {})),
    ]
    for place, of, _ in places:
        models(of)[0].save_pretrained(place)
    ChainHeadFeatureExtractor(feature_size=4).save_pretrained(folder / "labels")
    log = folder / "saves"
    log.touch()
    writer = os.fork()
    if writer == 0:
        try:
            write(places, pause, log)
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(1)
    counts = collections.Counter()
    try:
        rounds = itertools.count()
        # A busy machine may let the writer wait.
        while next(rounds) < loads or log.stat().st_size < 2 * loads:
            if os.waitpid(writer, os.WNOHANG) != (0, 0):
                raise RuntimeError("the writer has ended")
            for name, load in ways(folder).items():
                try:
                    found = outcome(load())
                except Exception as error:
                    found = f"{type(error).__name__}: {error}"[:200]
                counts[f"{name}: {found}"] += 1
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
    saves = log.stat().st_size
    sys.stdout.write(json.dumps({"saves": saves, "loads": counts}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
