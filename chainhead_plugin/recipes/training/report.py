"""The results of training: a report of every model, and the report of a recipe, to and from JSON."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..metrics.metric import Metric, Outcome, json_number

# Parts of the results about a frozen encoder or backbone.
_FROZEN = ("encoder", "backbone")


@dataclass(frozen=True)
class Measurement:
    """The metrics and times of a trained model on a part that it was not trained on.

    Attributes
    ----------
    values : dict of float
        The metrics by name, NaN if a metric is not defined.
    training_seconds, prediction_seconds : float
        The times for training, and for predicting the part.
    """

    values: dict[str, float]
    training_seconds: float
    prediction_seconds: float


@dataclass(frozen=True)
class ModelReport:
    """A model, trained on every seed and tested once on each.

    Attributes
    ----------
    title : str
        The model's name in tables.
    validation : float
        The mean of the first metric over the validation parts, by which the learning rate was chosen.
    outcomes : mapping of Outcome
        The metrics on the test part, by name. Older results may lack metrics that were added later.
    training_seconds : float
        The mean over the seeds.
    prediction_seconds : float, optional
        The shortest time among the seeds for predicting the test part; None if it was not measured.
    parameters : int, optional
        The number of weights, of the model of the first seed; None for models without weights, such as nearest
        neighbours.
    learning_rate : float, optional
        None for models that are fitted without a learning rate.
    gives_scores : bool
        Whether it gives a score for every label, as some metrics need.
    notes : tuple of str
        Remarks on how the model was fitted.
    """

    title: str
    validation: float
    outcomes: Mapping[str, Outcome]
    training_seconds: float
    prediction_seconds: float | None
    parameters: int | None = None
    learning_rate: float | None = None
    gives_scores: bool = True
    notes: tuple[str, ...] = ()

    @classmethod
    def of_tests(
        cls, title: str, validation: float, tests: Sequence[Measurement], **fields: Any
    ) -> "ModelReport":
        """Return the report of a model from its tests.

        Parameters
        ----------
        title : str
        validation : float
        tests : sequence of Measurement
            The test of every seed.
        **fields
            Further attributes.
        """
        return cls(
            title,
            validation,
            {name: Outcome(tuple(test.values[name] for test in tests)) for name in tests[0].values},
            training_seconds=round(statistics.mean(test.training_seconds for test in tests), 2),
            prediction_seconds=round(min(test.prediction_seconds for test in tests), 4),
            **fields,
        )

    @classmethod
    def from_json(cls, found: Mapping[str, Any], metrics: Sequence[Metric]) -> "ModelReport":
        """Return the report of a model from its part of the results; `metrics` are those of the results."""
        return cls(
            found["title"],
            _number(found[f"validation_{metrics[0].name}_mean"]),
            {
                metric.name: Outcome(tuple(map(_number, found[f"test_{metric.name}"])))
                for metric in metrics
                if f"test_{metric.name}" in found
            },
            training_seconds=found["training_seconds_mean"],
            prediction_seconds=found.get("prediction_seconds"),
            parameters=found["parameters"],
            learning_rate=found["learning_rate"],
            gives_scores=found.get("gives_scores", True),
            notes=tuple(found.get("notes", ())),
        )

    def to_json(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return the model's part of the results, with None in place of NaN, as JSON has no NaN."""
        tested: dict[str, Any] = {}
        for metric in metrics:
            if metric.name not in self.outcomes:
                continue
            outcome = self.outcomes[metric.name]
            tested[f"test_{metric.name}"] = [json_number(value) for value in outcome.values]
            tested[f"test_{metric.name}_mean"] = outcome.mean
            tested[f"test_{metric.name}_sd"] = outcome.sd

        return {
            "title": self.title,
            "parameters": self.parameters,
            "learning_rate": self.learning_rate,
            **({} if self.gives_scores else {"gives_scores": False}),
            **({"notes": list(self.notes)} if self.notes else {}),
            f"validation_{metrics[0].name}_mean": json_number(self.validation),
            **tested,
            "training_seconds_mean": self.training_seconds,
            **({} if self.prediction_seconds is None else {"prediction_seconds": self.prediction_seconds}),
        }


@dataclass(frozen=True)
class Baseline:
    """The results of a forecast without weights.

    Attributes
    ----------
    validation : float
        The first metric on the validation part.
    outcomes : mapping of Outcome
        The metrics on the test part by name, each with a single value.
    """

    validation: float
    outcomes: Mapping[str, Outcome]

    @classmethod
    def from_json(cls, found: Mapping[str, Any], metrics: Sequence[Metric]) -> "Baseline":
        """Return a baseline from its part of the results; metrics that were added later are NaN."""
        tested = {metric.name: found.get(f"test_{metric.name}", math.nan) for metric in metrics}
        return cls(
            _number(found[f"validation_{metrics[0].name}"]),
            {name: Outcome((_number(value),)) for name, value in tested.items()},
        )

    def to_json(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return the baseline's part of the results."""
        tested = {f"test_{metric.name}": self.outcomes[metric.name].mean for metric in metrics}
        return {**tested, f"validation_{metrics[0].name}": json_number(self.validation)}


@dataclass(frozen=True)
class Report:
    """Everything that a recipe's card shows, except for the recipe's own texts.

    Attributes
    ----------
    metrics : tuple of Metric
        The first metric chooses learning rates and epochs.
    seeds : tuple of int
        The weights of the first seed are published.
    training : mapping
        The recipe's training arguments.
    examples : mapping of int
        Number of examples by part.
    models : mapping of ModelReport
        By name: the recipe's own model, and its peers that ran.
    history : list of dict
        The Trainer's log of the run whose learning curve is drawn.
    versions, machine : mapping
        Packages and processor.
    not_run : mapping of str
        The reason why a peer did not run, by its title.
    baselines : mapping of Baseline
        Forecasts without weights, by title.
    frozen : mapping
        Results about a frozen encoder or backbone, if any.
    findings : mapping
        Results that only some tasks have, ready for JSON.
    """

    metrics: tuple[Metric, ...]
    seeds: tuple[int, ...]
    training: Mapping[str, Any]
    examples: Mapping[str, int]
    models: Mapping[str, ModelReport]
    history: list[dict[str, float]]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    not_run: Mapping[str, str] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    frozen: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metric(self) -> Metric:
        """The first metric, by which models are compared."""
        return self.metrics[0]

    @classmethod
    def from_json(cls, results: Mapping[str, Any], metrics: Sequence[Metric]) -> "Report":
        """Return the report that results were saved from.

        Parameters
        ----------
        results : mapping
            As returned by `to_json`, perhaps with further entries.
        metrics : sequence of Metric
            The metrics of the recipe's task. Older results lack metrics that were added later; the metric that the
            results chose by becomes the first.
        """
        rest = dict(results)
        saved = rest.pop("models")
        first = next(iter(saved.values()))
        measured = sorted(
            (metric for metric in metrics if f"test_{metric.name}" in first),
            key=lambda metric: f"validation_{metric.name}_mean" not in first,
        )
        rest.pop("released_seed")
        return cls(
            tuple(measured),
            tuple(rest.pop("seeds")),
            rest.pop("recipe"),
            rest.pop("examples", {}),
            {name: ModelReport.from_json(model, measured) for name, model in saved.items()},
            rest.pop("history", []),
            rest.pop("versions"),
            rest.pop("machine"),
            rest.pop("not_run", {}),
            {
                title: Baseline.from_json(found, measured)
                for title, found in rest.pop("baselines", {}).items()
            },
            {name: rest.pop(name) for name in _FROZEN if name in rest},
            rest,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the content of `results.json`."""
        baselines = {title: found.to_json(self.metrics) for title, found in self.baselines.items()}
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
            **({"baselines": baselines} if baselines else {}),
            **self.findings,
        }


def best_of(models: Sequence[ModelReport], metric: Metric) -> ModelReport:
    """Return the model with the best mean over the seeds, of equal models the first; undefined means are the worst."""

    def place(model: ModelReport) -> float:
        mean = model.outcomes[metric.name].mean
        if mean is None:
            return -math.inf
        return mean if metric.greater_is_better else -mean

    return max(models, key=place)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
