"""Evaluate a trained model on its recipe's test part."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import registry

from ..candidates.inputs import Inputs
from ..data.load import load_data
from ..data.windows import Layout, Windows
from ..metrics import Metric
from ..recipe import Recipe, RecipeError, load_recipe, shipped_recipes
from ..task import traits_of
from ..training.fitting import quality
from .output import RECIPE, RESULTS, RUNS


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` finds.

    Attributes
    ----------
    metrics : tuple of Metric
        What was measured; the first is the task's own.
    values : dict of float
        On the test part, by the metrics' names.
    stated : dict of float
        What the catalogue, or the folder's results, say; empty if nothing.
    examples : int
    """

    metrics: tuple[Metric, ...]
    values: dict[str, float]
    stated: dict[str, float]
    examples: int


def evaluate(name: str, recipe: Recipe | None = None) -> Evaluation:
    """Evaluate a model on the test part of its data.

    Parameters
    ----------
    name : str
        A model of the zoo, or a folder that `chainhead train` wrote.
    recipe : Recipe, optional
        Whose data to take; by default that of the model itself.

    Raises
    ------
    RecipeError
        If the model has no recipe, or the labels, columns or steps of model and data differ.
    registry.RegistryError
        If the zoo has no such model.
    """
    folder, stated = Path(name), {}
    if folder.is_dir():
        results = folder / RESULTS
        if results.is_file():
            chain = json.loads(results.read_text("utf-8"))["models"]["chain"]
            stated = {key: value[0] for key, value in chain.items() if isinstance(value, list)}
        if recipe is None:
            here = folder / RUNS / RECIPE  # names its files in full
            file = here if here.is_file() else folder / RECIPE
            if not file.is_file():
                raise RecipeError(
                    f"{folder} has no {RECIPE}, as folders of `chainhead train` have: give one with --recipe"
                )
            recipe = load_recipe(file)
    else:
        stated = dict(registry.model_info(name).metrics)
        folder = registry.checkpoint_path(name)
        if recipe is None:
            if name not in shipped_recipes():
                raise RecipeError(f"{name} has no recipe with data to evaluate it on: give one with --recipe")
            recipe = load_recipe(name)
    data = load_data(recipe)
    registry.load_plugins()
    inputs = Inputs.load(recipe.task, folder)
    model = inputs.model_class.from_pretrained(folder).eval()
    if isinstance(data.test, Windows):
        _check_columns(model.config, data.test.layout, recipe)
    names = tuple(model.config.id2label[index] for index in range(model.config.num_labels))
    if not isinstance(data.test, Windows) and names != data.test.names:
        raise RecipeError(
            f"the model's labels are {', '.join(names)}; the data's {', '.join(data.test.names)}"
        )
    metrics = traits_of(recipe.task).metrics
    return Evaluation(
        metrics,
        quality(model, inputs, data.test, recipe.task),
        {metric.name: stated[f"test_{metric.name}"] for metric in metrics if f"test_{metric.name}" in stated},
        len(data.test.labels),
    )


def _check_columns(config: Any, layout: Layout, recipe: Recipe) -> None:
    found = (config.num_targets, config.num_input_channels, config.num_time_features)
    expected = (len(layout.targets), layout.channels, len(layout.known))
    if found != expected:
        raise RecipeError(
            "the model has {} targets, {} channels and {} known covariates; the data {}, {} and {}".format(
                *found, *expected
            )
        )
    if config.prediction_length != recipe.model["prediction_length"]:
        raise RecipeError(
            f"the model forecasts {config.prediction_length} steps, the recipe {recipe.model['prediction_length']}"
        )
