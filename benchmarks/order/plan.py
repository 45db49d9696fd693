"""Which trainings make up a run, and doing those that are not yet done."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from chainhead_plugin.storage.whole_files import whole_file

from .models import MODELS, widest
from .tasks import TASKS
from .training import ENOUGH, Budget, Job, train

Run = dict[str, Any]
POOLED = "first"
"""The task that pools, and is trained with every pooling."""


@dataclass(frozen=True)
class Plan:
    """The trainings of a run.

    Attributes
    ----------
    models : tuple of str
    seeds : dict
        How many seeds, by length.
    rates : tuple of float
        Learning rates, from which validation chooses: with seed 0, for every task, model and length up to
        `longest_choice`; longer chains take the rate that was chosen there. The first rate that reaches 99.5 % is
        taken.
    longest_choice : int
    pooling_length : int
        Where the other poolings are compared.
    budget : Budget
    """

    models: tuple[str, ...] = tuple(MODELS)
    seeds: dict[int, int] = field(default_factory=lambda: {16: 2, 64: 2, 256: 2, 1024: 1, 4096: 1})
    rates: tuple[float, ...] = (0.01, 0.003)
    longest_choice: int = 64
    pooling_length: int = 64
    budget: Budget = field(default_factory=Budget)

    def cells(self) -> list[tuple[str, str, int, str]]:
        """Task, model, length and pooling of everything that is trained, short chains first."""
        cells = []
        for length in self.seeds:
            cells += [(task, model, length, "max") for task in TASKS for model in self.models]
            if length == self.pooling_length:
                rest = "mean", "last"
                cells += [(POOLED, model, length, pooling) for pooling in rest for model in self.models]
        return [cell for cell in cells if widest(MODELS[cell[1]], TASKS[cell[0]], cell[2]) is not None]

    def seeds_of(self, model: str, length: int) -> int:
        """Return how many seeds a model is trained with."""
        return 1 if MODELS[model].slow and length >= 256 else self.seeds[length]


QUICK = Plan(
    models=("head without hops", "single hop, uni", "inverse, uni", "hops 0, 1, 2, 4", "LSTM", "MLP"),
    seeds={16: 1, 64: 1},
    rates=(0.01,),
    pooling_length=16,
    budget=Budget(steps=60, check_every=20, nodes=1024, test_nodes=4096, test_chains=256),
)


class OutOfTime(Exception):  # noqa: N818 - nothing went wrong
    """The time that a run was given is over."""


class Runs:
    """Trainings that are kept in a folder, each as a JSON file, so that a run that was cut off goes on.

    Parameters
    ----------
    folder : Path
    budget : Budget
    deadline : float, optional
        When to begin no more trainings, in seconds of `time.monotonic`.

    Raises
    ------
    ValueError
        If the folder's trainings were made with another budget.
    """

    def __init__(self, folder: Path, budget: Budget, deadline: float | None = None) -> None:
        self.folder, self.budget, self.deadline = folder, budget, deadline
        folder.mkdir(parents=True, exist_ok=True)
        stamp, text = folder / "budget.json", json.dumps(asdict(budget))
        if stamp.exists() and stamp.read_text(encoding="utf-8") != text:
            raise ValueError(f"{folder} holds runs of another budget: choose another folder, or remove it")
        with whole_file(stamp) as new:
            new.write_text(text, encoding="utf-8")

    def get(self, job: Job) -> Run:
        """Return the results of a training, made now or before.

        Raises
        ------
        OutOfTime
            If it is not yet done, and the time is over.
        """
        file = self.folder / f"{job.name}.json"
        if not file.exists():
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise OutOfTime
            text = json.dumps(train(job, self.budget))
            with whole_file(file) as new:
                new.write_text(text, encoding="utf-8")
        run: Run = json.loads(file.read_text(encoding="utf-8"))
        return run


def run(plan: Plan, runs: Runs) -> Iterator[Run]:
    """Yield the results of every cell's trainings, with seed 0 first everywhere, then with the other seeds."""
    torch.set_num_threads(1)
    chosen: dict[tuple[str, str, str], float] = {}
    best: dict[tuple[str, str, int, str], float] = {}
    for cell in plan.cells():
        task, model, length, pooling = cell
        key = task, model, pooling
        tried: list[Run] = []
        for rate in plan.rates if length <= plan.longest_choice else (chosen[key],):
            tried.append(runs.get(Job(task, model, length, 0, rate, pooling)))
            if min(tried[-1]["validation"]) >= ENOUGH:
                break
        winner = max(tried, key=lambda training: sum(training["validation"]))
        chosen[key] = best[cell] = winner["rate"]
        yield winner
    for cell, rate in best.items():
        task, model, length, pooling = cell
        for seed in range(1, plan.seeds_of(model, length)):
            yield runs.get(Job(task, model, length, seed, rate, pooling))


def steps(plan: Plan) -> int:
    """How often `run` reports progress."""
    return sum(plan.seeds_of(model, length) for _, model, length, _ in plan.cells())
