"""The check of a recipe's weights of labels."""

from collections.abc import Mapping
from typing import Any

from ...checks.values import check_number
from ..errors import RecipeError, said_of

BALANCED = "balanced"


def check_weights(stated: Any) -> None:
    """Check the weights of labels that a recipe states; whether the labels exist is checked with the data.

    Raises
    ------
    RecipeError
        If they are neither None, nor "balanced", nor a mapping from labels to numbers above 0.
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
