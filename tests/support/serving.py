"""Serves one model from threads and from processes under mixed load, and reports failures and memory.

Usage: serving.py SECONDS. Prints {"threads": …, "processes": …, "requests": …, "dropped": …, "failures": […],
"memory": [additional MiB after warming up, at each fifth of the time]}. Warming up takes a tenth of the time more.
"""

import gc
import json
import multiprocessing
import os
import resource
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from transformers import pipeline
from transformers.utils import logging

from chainhead_plugin import ChainHeadConfig, ChainHeadFeatureExtractor, ChainHeadForSequenceClassification

warnings.simplefilter("error")
logging.set_verbosity_error()
torch.set_num_threads(1)
torch.manual_seed(0)
KINDS = [
    {"with_multihop": True, "h": 3, "bi_directional": True},
    {"with_inverse_approx": True, "bi_directional": True},
    {"with_exponential_approx": True, "with_lorr": True},
    {"with_inverse_approx": True, "with_batch_norm": True},
]


def build(fields):
    model = ChainHeadForSequenceClassification(
        ChainHeadConfig(m=3, hidden_sizes=[8, 8], num_labels=4, **fields)
    )
    extractor = ChainHeadFeatureExtractor(feature_size=3)
    return pipeline(
        "time-series-classification",
        model=model.eval(),
        feature_extractor=extractor,
        device="cpu",
        top_k=None,
    )


PIPELINES = [build(fields) for fields in KINDS]
RNG = np.random.default_rng(0)
REQUESTS = [
    (index % len(KINDS), RNG.normal(size=(length, 3)).astype(np.float32))
    for index, length in enumerate(range(1, 81))
]


def answer(request):
    kind, sequence = request
    return {entry["label"]: entry["score"] for entry in PIPELINES[kind](sequence)}


def answers(_=None):
    return [answer(request) for request in REQUESTS]


def load(seconds, expected, failures):
    """Mixed requests from 8 threads: single, batched, from generators, and bad ones; count them and the lost."""
    end = time.monotonic() + seconds

    def client(number):
        count = dropped = 0
        generator = np.random.default_rng(number)
        while time.monotonic() < end:
            chosen = generator.integers(len(REQUESTS), size=generator.integers(1, 9))
            kind = int(generator.integers(len(KINDS)))
            chosen = [index for index in chosen if REQUESTS[index][0] == kind]
            if not chosen:
                continue
            sequences = [REQUESTS[index][1] for index in chosen]
            inputs = sequences if generator.random() < 0.5 else (sequence for sequence in sequences)
            results = list(PIPELINES[kind](inputs, batch_size=int(generator.integers(1, 5))))
            try:
                PIPELINES[kind]([[float("nan")] * 3])
                failures.append("took NaN")
            except ValueError:
                pass
            dropped += len(chosen) - len(results)
            for index, result in zip(chosen, results, strict=False):
                for entry in result:
                    if abs(entry["score"] - expected[index][entry["label"]]) > 1e-5:
                        failures.append(f"request {index}: {entry}")
            count += len(chosen)
        return count, dropped

    with ThreadPoolExecutor(8) as pool:
        return [sum(numbers) for numbers in zip(*pool.map(client, range(8)), strict=True)]


def used():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main(seconds):
    expected = answers()
    with ThreadPoolExecutor(8) as pool:
        threads = sum(found == expected for found in pool.map(answers, range(8)))
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    with context.Pool(4) as pool:
        processes = sum(found == expected for found in pool.map(answers, range(4), chunksize=1))
    failures = []
    totals = [load(seconds / 10, expected, failures)]
    before, memory = used(), []
    for _ in range(5):
        totals.append(load(seconds / 5, expected, failures))
        memory.append(round((used() - before) / 2**20, 1))
    requests, dropped = map(sum, zip(*totals, strict=True))
    result = {"threads": threads, "processes": processes, "requests": requests, "dropped": dropped}
    sys.stdout.write(json.dumps({**result, "failures": failures[:5], "memory": memory}) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
