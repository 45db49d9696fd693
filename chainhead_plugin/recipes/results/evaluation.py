"""Evaluate a trained model on its recipe's test part."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import registry

from ...checks.json_values import json_value
from ...storage.code_origin import without_carried_code
from ..candidates.peers import CHAIN
from ..data.load import load_data
from ..errors import RecipeError
from ..metrics.metric import Metric, json_number
from ..recipe import Recipe
from ..recipe_files import load_recipe, shipped_recipes
from ..training.fitting.predicting import quality
from ..training.report import Report
from .output import RECIPE, RESULTS, RUNS


@dataclass(frozen=True)
class Evaluation:
    """The results of `evaluate`.

    Attributes
    ----------
    metrics : tuple of Metric
        The measured metrics; the recipe compares models by the first.
    values : dict of float
        Values on the test part, by the metrics' names; NaN if not defined.
    stated : dict of float
        The values that the catalogue, or the folder's results, state, NaN if not defined; empty if they state none.
    examples : int
        The number of test examples.
    confusion : dict, optional
        As returned by `metrics.labels.confusion`.
    """

    metrics: tuple[Metric, ...]
    values: dict[str, float]
    stated: dict[str, float]
    examples: int
    confusion: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the results for JSON, with None for metrics that are not defined."""
        told: dict[str, Any] = {
            "examples": self.examples,
            "metrics": {name: json_number(value) for name, value in self.values.items()},
            "stated": {name: json_number(value) for name, value in self.stated.items()},
        }
        if self.confusion is not None:
            told |= {"labels": self.confusion["labels"], "confusion": self.confusion["counts"]}
        return told


def evaluate(name: str, recipe: Recipe | None = None, *, with_confusion: bool = False) -> Evaluation:
    """Evaluate a model on the test part of its data.

    Parameters
    ----------
    name : str
        A model of the zoo, or a folder that `chainhead train` wrote.
    recipe : Recipe, optional
        The recipe whose data are taken; by default the recipe of the model.
    with_confusion : bool
        Whether to count how often each label was predicted for each true label, if examples or nodes have a label each.

    Returns
    -------
    Evaluation

    Raises
    ------
    RecipeError
        If the model has no recipe, or the labels, columns or steps of model and data differ.
    registry.RegistryError
        If the zoo has no such model.
    ValueError
        If the model needs code that it carries, which is not run.
    """
    folder = Path(name)
    is_trained_here = folder.is_dir()
    if is_trained_here:
        if recipe is None:
            here = folder / RUNS / RECIPE  # this copy has the full paths of its files
            file = here if here.is_file() else folder / RECIPE
            if not file.is_file():
                raise RecipeError(
                    f"{folder} has no {RECIPE}, as folders of `chainhead train` have: name a recipe with --recipe"
                )
            recipe = load_recipe(file)
    else:
        folder = registry.checkpoint_path(name)
        if recipe is None:
            if name not in shipped_recipes():
                raise RecipeError(
                    f"{name} has no recipe with data to evaluate it on: name a recipe with --recipe"
                )
            recipe = load_recipe(name)
    data = load_data(recipe)
    registry.load_plugins()
    with without_carried_code(name):
        inputs = recipe.task.load_inputs(folder)
        model = inputs.model_class.from_pretrained(folder, trust_remote_code=False).eval()
    recipe.task.check_model(model.config, data.test, recipe)

    metrics = recipe.task.metrics
    stated = _results_of(folder, metrics) if is_trained_here else _catalogued(name, metrics)
    told = recipe.task.inspect(recipe, model, inputs, data.test) if with_confusion else {}
    return Evaluation(
        metrics,
        quality(model, inputs, data.test, recipe.task),
        stated,
        len(data.test.labels),
        told.get("confusion"),
    )


def _results_of(folder: Path, metrics: Sequence[Metric]) -> dict[str, float]:
    """Return the test metrics of a folder's own model, whose weights are those of the first seed."""
    file = folder / RESULTS
    if not file.is_file():
        return {}
    try:
        report = Report.from_json(json_value(file.read_text("utf-8")), metrics)
        return {name: outcome.values[0] for name, outcome in report.models[CHAIN].outcomes.items()}
    except (ValueError, TypeError, LookupError, AttributeError, StopIteration) as error:
        raise ValueError(
            f"{file} is damaged, or was written by another version: chainhead train with the same recipe and folder "
            "writes it anew"
        ) from error


def _catalogued(name: str, metrics: Sequence[Metric]) -> dict[str, float]:
    stated = registry.model_info(name).metrics
    return {
        metric.name: stated[f"test_{metric.name}"] for metric in metrics if f"test_{metric.name}" in stated
    }
