"""Evaluate a trained model on its recipe's test part."""

import json
from dataclasses import dataclass
from pathlib import Path

import registry

from .recipe import Recipe, RecipeError, load_recipe, shipped_recipes
from .recipe_data import load_data
from .recipe_fitting import accuracy
from .recipe_inputs import Inputs
from .recipe_output import RECIPE, RESULTS, RUNS


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` finds.

    Attributes
    ----------
    accuracy : float
        On the test part.
    stated : float or None
        What the catalogue, or the folder's results, say.
    examples : int
    """

    accuracy: float
    stated: float | None
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
        If the model has no recipe, or the labels of model and data differ.
    registry.RegistryError
        If the zoo has no such model.
    """
    folder, stated = Path(name), None
    if folder.is_dir():
        results = folder / RESULTS
        if results.is_file():
            stated = json.loads(results.read_text("utf-8"))["models"]["chain"]["test_accuracy"][0]
        if recipe is None:
            here = folder / RUNS / RECIPE  # names its files in full
            recipe = load_recipe(here if here.is_file() else folder / RECIPE)
    else:
        stated = registry.model_info(name).metrics.get("test_accuracy")
        folder = registry.checkpoint_path(name)
        if recipe is None:
            if name not in shipped_recipes():
                raise RecipeError(f"{name} has no recipe with data to evaluate it on: give one with --recipe")
            recipe = load_recipe(name)
    data = load_data(recipe)
    registry.load_plugins()
    inputs = Inputs.load(recipe.task, folder)
    model = inputs.model_class.from_pretrained(folder).eval()
    names = tuple(model.config.id2label[index] for index in range(model.config.num_labels))
    if names != data.test.names:
        raise RecipeError(
            f"the model's labels are {', '.join(names)}; the data's {', '.join(data.test.names)}"
        )
    return Evaluation(accuracy(model, inputs, data.test), stated, len(data.test.labels))
