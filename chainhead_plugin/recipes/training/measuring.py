"""Train a recipe's model and its peers on every seed, and measure each of them once on the test part."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...storage.quiet import quiet_transformers
from ..candidates.classical_peers import CLASSICAL_PEERS
from ..candidates.inputs.inputs import Inputs
from ..candidates.peers import CHAIN
from ..candidates.series_peers import SERIES_PEERS
from ..data.examples import Data
from ..data.load import load_data
from ..data.splits import unvalidated_labels
from ..fields.random_chains import RANDOM_CHAINS
from ..recipe import Recipe
from .classical_runs import run_classical_peer
from .fingerprints import package_versions
from .fitting.pretraining import backbone_epochs
from .report import ModelReport, Report
from .runs import Runs
from .series_runs import run_series_peer

# The titles of peers that are fitted without the Trainer.
IN_ONE_GO = {**{name: peer.title for name, peer in SERIES_PEERS.items()}, **CLASSICAL_PEERS}


@dataclass(frozen=True)
class Measured:
    """The results of a recipe.

    Attributes
    ----------
    report : Report
        All results, which the card shows.
    model : nn.Module
        The recipe's own model of the first seed, which is published.
    inputs : Inputs
        The model's preprocessing.
    data : Data
        The data of the recipe.
    """

    report: Report
    model: nn.Module
    inputs: Inputs
    data: Data

    @cached_property
    def results(self) -> dict[str, Any]:
        """The report, ready for JSON."""
        return self.report.to_json()


def planned_epochs(recipe: Recipe, peers: list[str]) -> int:
    """Return the most epochs that `measure` trains."""
    epochs = int(recipe.training.get("num_train_epochs", 3))
    checks = recipe.validation_folds or 1
    trained = [name for name in (CHAIN, *peers) if name not in (*IN_ONE_GO, RANDOM_CHAINS)]
    if recipe.is_random_chain:
        trained.remove(CHAIN)
    runs = sum(checks * len(recipe.rates_of(name)) + len(recipe.seeds) for name in trained)
    return backbone_epochs(recipe) + epochs * runs


def measure(
    recipe: Recipe,
    folder: Path,
    peers: list[str],
    on_epochs: Callable[[int], None] = lambda _: None,
    on_model: Callable[[str], None] = lambda _: None,
    on_read: Callable[[str], None] = lambda _: None,
    run_before: Callable[[Runs, list[str]], None] = lambda *_: None,
) -> Measured:
    """Choose each learning rate by validation, train on every seed, and then measure on the test part.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        The folder in which finished runs are kept, and found again.
    peers : list of str
        The peers to train beside the model.
    on_epochs : callable
        Called with the number of epochs that are done.
    on_model : callable
        Called with the title of the model that comes next.
    on_read : callable
        Called with each line about the reading, before anything is trained.
    run_before : callable
        Called with the runs and the names of the peers before anything is trained: runs that it keeps are done.

    Returns
    -------
    Measured

    Raises
    ------
    RecipeError
        If recipe, data and folder do not fit each other.
    """
    with quiet_transformers():
        data = load_data(recipe)
        for line in (*data.said, *unvalidated_labels(recipe, data)):
            on_read(line)

        runs = Runs(recipe, data, folder, on_epochs)
        run_before(runs, peers)
        shared = 0 if runs.backbone is None else runs.backbone.parameters
        models: dict[str, ModelReport] = {}
        not_run: dict[str, str] = {}
        trained = [name for name in peers if name not in IN_ONE_GO]
        for name, candidate in runs.candidates(peers=trained).items():
            on_model(candidate.title)
            rate, validation, checked = runs.choose(name)
            final = [runs.final(name, rate, seed) for seed in recipe.seeds]
            models[name] = ModelReport.of_tests(
                candidate.title,
                validation,
                [runs.test(run) for run in final],
                parameters=candidate.count(**final[0].fitted) + shared,
                learning_rate=rate,
            )
            if name == CHAIN:
                released, history = final[0], final[0].history if recipe.validation_share else checked.history

        for name in peers:
            if name not in IN_ONE_GO:
                continue
            on_model(IN_ONE_GO[name])
            found = run_in_one_go(name, runs)
            if isinstance(found, str):
                not_run[IN_ONE_GO[name]] = found
            else:
                models[name] = found

        model, inputs = runs.released(released)
        told = recipe.task.inspect(recipe, runs.model(released), released.trial.fold.inputs, runs.data.test)

    report = Report(
        metrics=tuple(recipe.task.metrics),
        seeds=tuple(recipe.seeds),
        training=recipe.training,
        examples={"train": len(runs.data.train.labels), "test": len(runs.data.test.labels)},
        models=models,
        history=history,
        versions=package_versions(),
        machine={
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads_used": recipe.threads or torch.get_num_threads(),
        },
        not_run=not_run,
        baselines=recipe.task.baselines(recipe, runs.data),
        frozen=_frozen(recipe, runs),
        findings={**recipe.task.findings(recipe, runs.data), **told},
    )
    return Measured(report, model, inputs, data)


def run_in_one_go(name: str, runs: Runs) -> ModelReport | str:
    """Return the report of a peer that is fitted without the Trainer, or the reason why it cannot be run."""
    run = run_classical_peer if name in CLASSICAL_PEERS else run_series_peer
    return run(name, runs, runs.folder)


def _frozen(recipe: Recipe, runs: Runs) -> dict[str, Any]:
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


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
