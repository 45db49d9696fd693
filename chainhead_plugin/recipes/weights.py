"""What the weights of labels in a recipe must be."""

from collections.abc import Mapping
from typing import Any

from ..checks.values import check_number
from .errors import RecipeError, said_of

BALANCED = "balanced"


def check_weights(stated: Any) -> None:
    """Check the weights of labels as a recipe states them; that there are such labels, only the data tell.

    Raises
    ------
    RecipeError
        If they are neither None, nor "balanced", nor a mapping with a number above 0 for a label.
    """
    if stated is None or stated == BALANCED:
        return
    if not isinstance(stated, Mapping) or not stated:
        raise RecipeError(
            f"class_weight must be {BALANCED!r}, or a mapping with a number for a label, got {stated!r}"
        )
    if len({type(label) for label in stated}) > 1:
        raise RecipeError(f"class_weight names some labels by texts and some by numbers: {[*stated]!r:.200}")
    for label, weight in stated.items():
        with said_of(f"class_weight of {label}"):
            check_number("it", weight, above=0)
