"""What training came to: the outcome of every metric, a report of every model, and the results that are saved."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..metrics import Metric


@dataclass(frozen=True)
class Measurement:
    """One trained model on the examples of a part that it was not trained on.

    Attributes
    ----------
    values : dict of float
        The metrics by name, NaN where a metric is not defined.
    training_seconds, prediction_seconds : float
    """

    values: dict[str, float]
    training_seconds: float
    prediction_seconds: float


@dataclass(frozen=True)
class Outcome:
    """One metric of a model on the test part.

    Attributes
    ----------
    values : tuple of float
        A value for every seed, NaN where the metric is not defined.
    """

    values: tuple[float, ...]

    @property
    def is_defined(self) -> bool:
        """Whether the metric is defined for every seed."""
        return not any(map(math.isnan, self.values))

    @property
    def mean(self) -> float | None:
        """The mean over the seeds, None where the metric is not defined for all of them."""
        return statistics.mean(self.values) if self.is_defined else None

    @property
    def sd(self) -> float | None:
        """The standard deviation over the seeds, None of a single seed and where there is no mean."""
        return statistics.stdev(self.values) if self.is_defined and len(self.values) > 1 else None


@dataclass(frozen=True)
class ModelReport:
    """A model, trained on every seed and tested once on each.

    Attributes
    ----------
    title : str
        In tables.
    validation : float
        The first metric on held-out parts, by which the learning rate was chosen.
    tests : tuple of Measurement
        A seed each.
    parameters : int, optional
        Number of weights; None of a model that is not counted in weights.
    learning_rate : float, optional
        None of a model that is fitted in closed form.
    facts : mapping
        More for JSON that only this kind of model has.
    """

    title: str
    validation: float
    tests: tuple[Measurement, ...]
    parameters: int | None = None
    learning_rate: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def outcome(self, metric: Metric) -> Outcome:
        """Return a metric of the tests."""
        return Outcome(tuple(test.values[metric.name] for test in self.tests))

    def to_json(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return the model's part of the results. JSON has no NaN: a value that is not defined is null."""
        found: dict[str, Any] = {}
        for metric in metrics:
            outcome = self.outcome(metric)
            found[f"test_{metric.name}"] = [None if math.isnan(value) else value for value in outcome.values]
            found[f"test_{metric.name}_mean"] = outcome.mean
            found[f"test_{metric.name}_sd"] = outcome.sd

        return {
            "title": self.title,
            "parameters": self.parameters,
            "learning_rate": self.learning_rate,
            **self.facts,
            f"validation_{metrics[0].name}_mean": self.validation,
            **found,
            "training_seconds_mean": round(statistics.mean(test.training_seconds for test in self.tests), 2),
            "prediction_seconds": round(min(test.prediction_seconds for test in self.tests), 4),
        }


@dataclass(frozen=True)
class Report:
    """Everything that a recipe's card tells, apart from the recipe's own texts.

    Attributes
    ----------
    metrics : tuple of Metric
        The first one is that by which is chosen.
    seeds : tuple of int
        The weights of the first one are published.
    training : mapping
        The recipe's training arguments.
    examples : mapping of int
        Number of examples by part.
    models : mapping of ModelReport
        By name: the recipe's own model, and its peers that ran.
    not_run : mapping of str
        By title: why a peer did not run.
    history : list of dict
        The Trainer's log of the run whose learning curve is drawn.
    versions, machine : mapping
        Packages and processor.
    frozen : mapping
        Results about a frozen encoder or backbone, if any.
    findings : mapping
        Results that only the recipe's task has.
    """

    metrics: tuple[Metric, ...]
    seeds: tuple[int, ...]
    training: Mapping[str, Any]
    examples: Mapping[str, int]
    models: Mapping[str, ModelReport]
    not_run: Mapping[str, str]
    history: list[dict[str, float]]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    frozen: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the results as `results.json` holds them, and cards read them."""
        return {
            "released_seed": self.seeds[0],
            "seeds": list(self.seeds),
            "recipe": dict(self.training),
            "examples": dict(self.examples),
            **self.frozen,
            "models": {name: model.to_json(self.metrics) for name, model in self.models.items()},
            **({"not_run": dict(self.not_run)} if self.not_run else {}),
            "history": self.history,
            "versions": dict(self.versions),
            "machine": dict(self.machine),
            **self.findings,
        }
