"""The results of a run of the order tasks, by question."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .tasks import TASKS

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """A question of a task.

    Attributes
    ----------
    task : str
    number : int
        Which of the task's questions it is.
    title : str
    chance : float
        The accuracy of guessing.
    """

    task: str
    number: int
    title: str
    chance: float

    def accuracies(self, results: Results, model: str, pooling: str = "max") -> dict[int, list[float]]:
        """Return a model's test accuracies for every seed, by length."""
        found: dict[int, list[float]] = {}
        wanted = self.task, model, pooling
        for row in results["rows"]:
            if (row["task"], row["model"], row["pooling"]) == wanted:
                found.setdefault(row["length"], []).append(row["test"][self.number])
        return dict(sorted(found.items()))


def questions(results: Results) -> list[Question]:
    """Return all questions that were asked, in order."""
    tasks = {row["task"] for row in results["rows"]}
    return [
        Question(name, number, title, task.chance)
        for name, task in TASKS.items()
        if name in tasks
        for number, title in enumerate(task.questions)
    ]
