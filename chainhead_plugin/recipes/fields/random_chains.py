"""The options of random chain heads, which are fitted in closed form, in a recipe."""

from collections.abc import Mapping
from typing import Any

from ..errors import RecipeError
from ..task import Task

# The name of this kind of model in configurations. The only other kind are chain heads, which are trained.
MODEL_TYPE = "chainhead-random"
# The name of this kind of model among a recipe's peers.
RANDOM_CHAINS = "random_chains"
# Peers that make no sense beside it: parts of a trained chain head, and the model itself.
NOT_BESIDE = ("no_hops", "plain", RANDOM_CHAINS)
OPTIONS = (
    "dilations",
    "causal",
    "with_differences",
    "num_biases",
    "num_groups",
    "group_size",
    "num_levels",
)


def default_peers(task: Task, model: Any, encoder: Any = None) -> list[str]:
    """Return a task's default peers, without those that make no sense beside random chain heads, or on an encoder."""
    is_random_chain = isinstance(model, Mapping) and model.get("model_type") == MODEL_TYPE
    left_out = (*(NOT_BESIDE if is_random_chain else ()), *(task.peers_without_encoder if encoder else ()))
    return [name for name in task.default_peers if name not in left_out]


def check_random_chain(model: Mapping[str, Any], task: Task) -> None:
    """Check the model of a recipe for random chain heads.

    Raises
    ------
    RecipeError
        If the task is not about whole series, or random chain heads have no such option.
    """
    if RANDOM_CHAINS not in task.peers:
        raise RecipeError(f"model: random chain heads are for whole series, not for {task.name}")
    if unknown := sorted(model.keys() - {"model_type", *OPTIONS}):
        raise RecipeError(
            f"model: random chain heads have no option {unknown[0]!r}: expected {', '.join(OPTIONS)}"
        )
