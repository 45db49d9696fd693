"""Fingerprints of everything that a run depends on: they differ whenever its weights may differ."""

import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..candidates.peers import Candidate
from ..data.examples import Examples
from ..pretrained.places import encoder_hashes
from ..recipe import Recipe

# Rows of an array that are copied at once.
_ROWS = 4096
_PACKAGES = ("torch", "transformers", "numpy")

# Fields of recipes that do not change a run, or are part of the run's name.
_NOT_OF_RUNS = (
    *("card", "peers", "seeds", "learning_rates", "overrides", "folder", "data"),
    *("calibrate", "backtest"),
)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that compute a run."""
    return {name: metadata.version(name) for name in _PACKAGES}


def of_recipe(recipe: Recipe, training: Examples) -> dict[str, Any]:
    """Return everything that all runs of a recipe depend on: its options, the training part, and package versions."""
    fixed = asdict(replace(recipe, card={}, peers=[], folder=Path()))
    for name in _NOT_OF_RUNS:
        del fixed[name]
    fixed["task"] = recipe.task.name
    # The encoder's content counts, and not its folder.
    if recipe.encoder:
        fixed["encoder"] = {**recipe.encoder, "folder": None, "sha256": encoder_hashes(recipe)}
    else:
        del fixed["encoder"]
    if not recipe.spectrum:
        del fixed["spectrum"]
    versions = {"chainhead-plugin": metadata.version("chainhead-plugin"), **package_versions()}
    return {**fixed, "data": of_examples(training), "versions": versions}


def of_candidate(candidate: Candidate) -> str:
    """Return a short digest of a model's layers, their options and the shapes of their weights."""
    with torch.device("meta"):
        model = candidate.build()
    shapes = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    told = re.sub(" at 0x[0-9a-f]+", "", f"{model!r}{shapes}")  # addresses of functions in memory
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def of_examples(examples: Examples) -> str:
    """Return a digest of examples in their order: every input with its shape, its label, and its group."""
    digest = hashlib.sha256()
    groups = None if examples.groups is None else examples.groups.tolist()
    digest.update(repr((examples.names, groups)).encode())
    for content in itertools.chain([examples.labels], examples.inputs):
        # The length is included, so that no two sequences of inputs give the same bytes.
        if isinstance(content, str):
            data = content.encode()
            digest.update(f"text {len(data)} ".encode() + data)
            continue
        array = np.asarray(content)
        digest.update(f"{array.dtype} {array.shape} {array.nbytes} ".encode())
        for start in range(0, len(array), _ROWS):
            digest.update(np.ascontiguousarray(array[start : start + _ROWS]).tobytes())
    return digest.hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names of the entries in which two fingerprints differ, sorted."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
