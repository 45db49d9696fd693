"""Train a recipe's model, and its peers, on every seed, and measure each once on the test part."""

import math
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers.utils import logging

from ..candidates.classical_peers import CLASSICAL_PEERS
from ..candidates.inputs import Inputs
from ..candidates.peers import CHAIN, TITLES
from ..candidates.series_peers import SERIES_PEERS
from ..data.examples import Data
from ..data.load import load_data
from ..data.splits import unvalidated_labels
from ..metrics import Metric
from ..recipe import Recipe
from .classical_runs import run_classical_peer
from .fingerprints import package_versions
from .pretraining import backbone_epochs
from .runs import Runs
from .series_runs import SeriesRuns, run_series_peer

# Peers that are fitted outside of the Trainer.
_IN_ONE_GO = {**{name: peer.title for name, peer in SERIES_PEERS.items()}, **CLASSICAL_PEERS}


@dataclass(frozen=True)
class Measured:
    """What a recipe gives.

    Attributes
    ----------
    results : dict
        What the card tells, ready for JSON.
    model : nn.Module
        The chain head of the first seed: what is published.
    inputs : Inputs
        Its preprocessing.
    data : Data
    """

    results: dict[str, Any]
    model: nn.Module
    inputs: Inputs
    data: Data


def planned_epochs(recipe: Recipe, peers: list[str]) -> int:
    """Return how many epochs `measure` trains at most."""
    epochs = int(recipe.training.get("num_train_epochs", 3))
    checks = recipe.validation_folds or 1
    trained = [CHAIN, *(name for name in peers if name not in _IN_ONE_GO)]
    runs = sum(checks * len(recipe.rates_of(name)) + len(recipe.seeds) for name in trained)
    return backbone_epochs(recipe) + epochs * runs


def measure(
    recipe: Recipe,
    folder: Path,
    peers: list[str],
    on_epochs: Callable[[int], None] = lambda _: None,
    on_model: Callable[[str], None] = lambda _: None,
    on_read: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Choose each learning rate by validation, train on every seed, then look at the test part.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Where finished runs are kept, and found again.
    peers : list of str
        The peers to train beside the model.
    on_epochs : callable
        Called with the number of epochs that are done.
    on_model : callable
        Called with the title of the model that comes next.
    on_read : callable
        Called with a line for everything that was read, before anything is trained.

    Returns
    -------
    Measured

    Raises
    ------
    RecipeError
        If recipe, data and folder do not fit each other.
    """
    # Every run would announce the one file that it saves.
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        data = load_data(recipe)
        for line in (*data.said, *unvalidated_labels(recipe, data)):
            on_read(line)
        runs = Runs(recipe, data, folder, on_epochs)
        shared = 0 if runs.backbone is None else runs.backbone.parameters
        metrics = recipe.task.metrics
        models: dict[str, Any] = {}
        not_run: dict[str, str] = {}
        trained = [name for name in peers if name not in _IN_ONE_GO]
        for name, candidate in runs.candidates(peers=trained).items():
            on_model(TITLES[name])
            rate, validation, checked = runs.choose(name)
            final = [runs.final(name, rate, seed) for seed in recipe.seeds]
            models[name] = {
                "title": candidate.title,
                "parameters": candidate.count() + shared,
                "learning_rate": rate,
                f"validation_{metrics[0].name}_mean": validation,
                **_tested(metrics, [runs.test(run) for run in final], [run.seconds for run in final]),
            }
            if name == CHAIN:
                released, history = final[0], final[0].history if recipe.validation_share else checked.history
        for name in peers:
            if name not in _IN_ONE_GO:
                continue
            on_model(_IN_ONE_GO[name])
            run = run_classical_peer if name in CLASSICAL_PEERS else run_series_peer
            found = run(name, runs, folder)
            if isinstance(found, str):
                not_run[_IN_ONE_GO[name]] = found
            else:
                models[name] = _of_series_peer(name, metrics, found)
        model, inputs = runs.released(released)
        told = recipe.task.inspect(recipe, runs.model(released), released.trial.fold.inputs, runs.data.test)
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
    results = {
        "released_seed": recipe.seeds[0],
        "seeds": list(recipe.seeds),
        "recipe": dict(recipe.training),
        "examples": {"train": len(runs.data.train.labels), "test": len(runs.data.test.labels)},
        **_backbone(recipe, runs),
        "models": models,
        **({"not_run": not_run} if not_run else {}),
        "history": history,
        "versions": package_versions(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads_used": recipe.threads or torch.get_num_threads(),
        },
        **recipe.task.findings(recipe, runs.data),
        **told,
    }
    return Measured(results, model, inputs, data)


def _backbone(recipe: Recipe, runs: Runs) -> dict[str, Any]:
    if runs.backbone is None:
        return {}
    if runs.backbone.seconds is None:
        return {"encoder": {"parameters": runs.backbone.parameters}}
    return {
        "backbone": {
            **recipe.pretraining,
            "parameters": runs.backbone.parameters,
            "training_seconds": round(runs.backbone.seconds, 1),
        }
    }


def _of_series_peer(name: str, metrics: Sequence[Metric], found: SeriesRuns) -> dict[str, Any]:
    return {
        "title": found.title,
        "parameters": None,
        "learning_rate": None,
        **({"gives_scores": SERIES_PEERS[name].gives_scores} if name in SERIES_PEERS else {}),
        **({"notes": list(found.notes)} if found.notes else {}),
        f"validation_{metrics[0].name}_mean": found.validation,
        **_tested(metrics, found.tests, found.training_seconds),
    }


def _tested(
    metrics: Sequence[Metric], tests: list[dict[str, float]], training_seconds: list[float]
) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for metric in metrics:
        values = [test[metric.name] for test in tests]
        # JSON has no NaN: what is not defined is null.
        is_defined = not any(map(math.isnan, values))
        found[f"test_{metric.name}"] = [None if math.isnan(value) else value for value in values]
        found[f"test_{metric.name}_mean"] = statistics.mean(values) if is_defined else None
        found[f"test_{metric.name}_sd"] = statistics.stdev(values) if is_defined and len(values) > 1 else None
    return {
        **found,
        "training_seconds_mean": round(statistics.mean(training_seconds), 2),
        "prediction_seconds": round(min(test["seconds"] for test in tests), 4),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
