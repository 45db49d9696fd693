"""The check of a recipe's learning rates."""

from typing import Any

from ...checks.values import check_number
from ..errors import RecipeError, said_of


def check_rates(rates: Any, where: str) -> None:
    """Check a list of learning rates.

    Raises
    ------
    RecipeError
        If it is no list, is empty, or holds anything but finite numbers above 0; the message begins with `where`.
    """
    if not isinstance(rates, list) or not rates:
        raise RecipeError(f"{where} must be a list of numbers, got {rates!r}")
    for rate in rates:
        if isinstance(rate, str):
            raise RecipeError(f"{where}: {rate!r} is a text in YAML, write it as 0.01 or 1.0e-2")
        with said_of(where):
            check_number("each rate", rate, above=0)
