"""Train every candidate on every seed, and measure each once on the test part."""

import os
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.progress import Progress

from .candidates import CANDIDATES, CHAIN, Candidate
from .data import Chains, folds
from .fitting import RECIPE, Fit, accuracy, fit

_PACKAGES = ("torch", "transformers", "numpy", "aeon")


@dataclass(frozen=True)
class Measured:
    """What a run of the script gives.

    Attributes
    ----------
    results : dict
        What the card tells, ready for JSON.
    released : Fit
        The chain head of the first seed: what is published.
    curve : list of dict
        The Trainer's log for the chain head, trained on the first fold.
    """

    results: dict[str, Any]
    released: Fit
    curve: list[dict[str, float]]


def measure(
    training: Chains,
    test: Chains,
    seeds: Sequence[int],
    epochs: int,
    candidates: Mapping[str, Candidate] = CANDIDATES,
) -> Measured:
    """Cross-validate every candidate on `training`, train it there on every seed and test it.

    Parameters
    ----------
    training, test : Chains
    seeds : sequence of int
        At least two, for a spread.
    epochs : int
    candidates : mapping
        The chain head among them.

    Returns
    -------
    Measured
    """
    parts = folds(training)
    with Progress() as progress:
        task = progress.add_task("Training", total=len(candidates) * (len(parts) + len(seeds)))

        def track(runs: Iterator[Fit]) -> Iterator[Fit]:
            for run in runs:
                progress.advance(task)
                yield run

        models = {}
        for name, candidate in candidates.items():
            checked = list(
                track(fit(candidate, kept, seeds[0], epochs, held_out) for kept, held_out in parts)
            )
            final = list(track(fit(candidate, training, seed, epochs) for seed in seeds))
            models[name] = _result(candidate, checked, final, test)
            if name == CHAIN:
                released, curve = final[0], checked[0].history
    results = {
        "released_seed": seeds[0],
        "seeds": list(seeds),
        "recipe": {**RECIPE, "num_train_epochs": epochs},
        "models": models,
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "threads_used": 1},
    }
    return Measured(results, released, curve)


def _result(
    candidate: Candidate, checked: Sequence[Fit], final: Sequence[Fit], test: Chains
) -> Mapping[str, Any]:
    accuracies = [accuracy(run.model, run.extractor, test) for run in final]
    return {
        "title": candidate.title,
        "parameters": sum(parameter.numel() for parameter in final[0].model.parameters()),
        "learning_rate": candidate.learning_rate,
        "validation_accuracy_mean": statistics.mean(_last_validation(run.history) for run in checked),
        "test_accuracy": accuracies,
        "test_accuracy_mean": statistics.mean(accuracies),
        "test_accuracy_sd": statistics.stdev(accuracies),
        "training_seconds_mean": round(statistics.mean(run.seconds for run in final), 1),
    }


def _last_validation(history: Sequence[Mapping[str, float]]) -> float:
    return [record["eval_accuracy"] for record in history if "eval_accuracy" in record][-1]


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
