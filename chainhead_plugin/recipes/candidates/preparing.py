"""From a recipe's examples to a model's inputs."""

from ..data.examples import Examples
from ..recipe import Recipe
from .inputs import Inputs
from .node_inputs import prepare_nodes


def prepare(recipe: Recipe, training: Examples) -> Inputs:
    """Fit a task's preprocessing to the training examples; of a frozen backbone or encoder, these are nodes already."""
    if recipe.pretraining or recipe.on_frozen_encoder:
        return prepare_nodes(training)
    return recipe.task.prepare(recipe, training)
