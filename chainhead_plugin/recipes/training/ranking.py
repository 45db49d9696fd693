"""Which of two validations is better: by the metric, and of equal ones by the loss."""

from collections.abc import Sequence
from typing import NamedTuple

from ..metrics.metric import Metric


class Validation(NamedTuple):
    """What a model reaches on a validation part.

    Attributes
    ----------
    value : float
        Of the task's first metric.
    loss : float
    """

    value: float
    loss: float


def is_better(metric: Metric, found: Validation, other: Validation) -> bool:
    """Return whether a validation is better than another.

    Few examples give few different values of a metric such as the accuracy: a model that has learnt little may tell all
    of them right. The loss then still tells models apart.
    """
    if metric.better(found.value, other.value):
        return True
    return found.value == other.value and found.loss < other.loss


def best_epochs(metric: Metric, history: Sequence[dict[str, float]]) -> list[tuple[int, Validation]]:
    """Return the epochs that were the best so far, the best of all being the last.

    Parameters
    ----------
    metric : Metric
    history : sequence of dict
        The Trainer's log.

    Returns
    -------
    list of tuple
        Of each epoch its place among those that were validated, and its validation.
    """
    found: list[tuple[int, Validation]] = []
    for place, validation in enumerate(validations(metric, history)):
        if not found or is_better(metric, validation, found[-1][1]):
            found.append((place, validation))
    return found


def validations(metric: Metric, history: Sequence[dict[str, float]]) -> list[Validation]:
    """Return the validations of all epochs in the Trainer's log, in their order."""
    name = f"eval_{metric.name}"
    return [Validation(record[name], record["eval_loss"]) for record in history if name in record]
