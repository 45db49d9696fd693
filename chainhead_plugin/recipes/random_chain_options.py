"""What a recipe may say of random chain heads, which are fitted in closed form."""

from collections.abc import Mapping
from typing import Any

from .errors import RecipeError
from .task import Task

# As configurations name this kind of model, the only one beside chain heads that are trained.
MODEL_TYPE = "chainhead-random"
# As recipes name it where it is a peer.
RANDOM_CHAINS = "random_chains"
# Peers that take a chain head apart, or are the same model.
NOT_BESIDE = ("no_hops", "plain", RANDOM_CHAINS)
_OPTIONS = (
    "dilations",
    "causal",
    "with_differences",
    "num_biases",
    "num_groups",
    "group_size",
    "num_levels",
)


def check_random_chain(model: Mapping[str, Any], task: Task) -> None:
    """Check a recipe's model that is of this kind.

    Raises
    ------
    RecipeError
        If the task is not for it, or it has no such option.
    """
    if RANDOM_CHAINS not in task.peers:
        raise RecipeError(f"model: random chain heads are for whole series, not for {task.name}")
    if unknown := sorted(model.keys() - {"model_type", *_OPTIONS}):
        raise RecipeError(
            f"model: random chain heads have no option {unknown[0]!r}: expected {', '.join(_OPTIONS)}"
        )
