"""Training a model on an order task: plain torch, fresh chains at every step."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .models import MODELS, Classifier, widest
from .tasks import IGNORED, TASKS, Task

ENOUGH = 0.995
_PIECE = 16_384
"""Nodes that are looked at together when a model is tested."""


@dataclass(frozen=True)
class Budget:
    """The budget of every model.

    Attributes
    ----------
    steps : int
        At the most: training ends once validation accuracy reaches 99.5 %.
    nodes : int
        In a batch, where every node has answers.
    chains, most_nodes : int
        In a batch, where chains have: as many chains, unless that makes more nodes.
    check_every : int
        Steps between validations.
    check_nodes, check_chains : int
        The same of validation,
    test_nodes, test_chains : int
        and of the test.
    """

    steps: int = 250
    nodes: int = 2048
    chains: int = 32
    most_nodes: int = 8192
    check_every: int = 25
    check_nodes: int = 4096
    check_chains: int = 128
    test_nodes: int = 32_768
    test_chains: int = 1024

    def batch(self, task: Task, length: int) -> int:
        """Return the number of chains in a batch."""
        if task.per_node:
            return max(1, self.nodes // length)
        return max(1, min(self.chains, self.most_nodes // length))

    def check(self, task: Task, length: int) -> int:
        """Return the number of validation chains."""
        return max(2, self.check_nodes // length) if task.per_node else self.check_chains

    def test(self, task: Task, length: int) -> int:
        """Return the number of test chains."""
        return max(2, self.test_nodes // length) if task.per_node else self.test_chains


@dataclass(frozen=True)
class Job:
    """A training: `rate` is Adam's learning rate, which falls to 0 in a straight line."""

    task: str
    model: str
    length: int
    seed: int
    rate: float
    pooling: str = "max"

    @property
    def name(self) -> str:
        """A file's name."""
        words = "-".join(str(value) for value in asdict(self).values())
        return "".join(c if c.isalnum() or c in "-." else "_" for c in words)


def train(job: Job, budget: Budget) -> dict[str, Any]:
    """Train and test a model.

    Weights, training and test chains depend on the job's seed, validation chains do not; all models get the same.

    Returns
    -------
    dict
        The job, `width`, `weights`, `steps`, `seconds`, and the accuracies of every question: `validation` after
        the last step, and `test`.
    """
    task, model = TASKS[job.task], MODELS[job.model]
    width = widest(model, task, job.length)
    if width is None:
        raise ValueError(f"{job.model} does not fit {job.task!r} at {job.length} nodes")
    start = time.perf_counter()
    torch.manual_seed(job.seed)
    classifier = Classifier(model, task, job.length, width, job.pooling)
    optimiser = torch.optim.Adam(classifier.parameters(), lr=job.rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0, total_iters=budget.steps)
    fresh = torch.Generator().manual_seed(1000 + job.seed)
    checks = task.make(budget.check(task, job.length), job.length, torch.Generator().manual_seed(1))
    for step in range(1, budget.steps + 1):
        tokens, answers = task.make(budget.batch(task, job.length), job.length, fresh)
        logits = classifier(tokens)
        loss = F.cross_entropy(logits.flatten(0, -2), answers.flatten(), ignore_index=IGNORED)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(classifier.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % budget.check_every == 0 or step == budget.steps:
            validation = accuracy(classifier, *checks)
            if min(validation) >= ENOUGH:
                break
    tests = task.make(
        budget.test(task, job.length), job.length, torch.Generator().manual_seed(2000 + job.seed)
    )
    return asdict(job) | {
        "width": width,
        "weights": sum(p.numel() for p in classifier.parameters()),
        "steps": step,
        "seconds": round(time.perf_counter() - start, 2),
        "validation": validation,
        "test": accuracy(classifier, *tests),
    }


@torch.no_grad()
def accuracy(classifier: Classifier, tokens: Tensor, answers: Tensor) -> list[float]:
    """Return the accuracy of every question."""
    piece = max(1, _PIECE // tokens.size(1))
    guesses = torch.cat([classifier(part).argmax(-1) for part in tokens.split(piece)]).flatten(0, -2)
    answers = answers.flatten(0, -2)
    asked = answers != IGNORED
    return (((guesses == answers) & asked).sum(0) / asked.sum(0)).tolist()
