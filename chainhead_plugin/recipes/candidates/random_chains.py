"""Random chain heads as a recipe's model or as a peer. They are fitted in closed form."""

from collections.abc import Callable, Sequence
from typing import Any

from ...config.configuration_random_chain import RandomChainConfig
from ...models.modeling_random_chain import RandomChainForSequenceClassification
from ...models.random_chain_fit import usual_sizes
from ..recipe import Recipe
from .inputs.inputs import Inputs, as_recipe_errors


def random_chain_config(recipe: Recipe, inputs: Inputs, names: Sequence[str]) -> RandomChainConfig:
    """Return the configuration of random chain heads, with the usual sizes for options that a recipe does not state.

    Parameters
    ----------
    recipe : Recipe
        Its `model` states their options if random chain heads are the model. As a peer, they have the usual options.
    inputs : Inputs
        Fitted to the training series.
    names : sequence of str
        The labels.

    Raises
    ------
    RecipeError
        If an option is not valid.
    """
    assert inputs.typical_length is not None
    features = int(inputs.fields["m"])
    stated = recipe.model if recipe.is_random_chain else {}
    options = {
        **usual_sizes(inputs.typical_length, features),
        **{name: value for name, value in stated.items() if name != "model_type"},
    }
    with as_recipe_errors():
        return RandomChainConfig(m=features, **options, **recipe.task.label_fields(names))


def random_chain_builder(
    recipe: Recipe, inputs: Inputs, names: Sequence[str]
) -> Callable[..., RandomChainForSequenceClassification]:
    """Return a function that makes an untrained model.

    The function's keyword arguments are fields that a fit has chosen, as `closed_form.fit_in_closed_form` returns them.

    Raises
    ------
    RecipeError
        If an option is not valid.
    """
    config = random_chain_config(recipe, inputs, names)

    def build(**fitted: Any) -> RandomChainForSequenceClassification:
        return RandomChainForSequenceClassification(
            RandomChainConfig.from_dict({**config.to_dict(), **fitted})
        )

    return build
