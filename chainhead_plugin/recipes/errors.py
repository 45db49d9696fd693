"""The error of recipes, and how errors get the place in the recipe."""

from collections.abc import Iterator
from contextlib import contextmanager


class RecipeError(ValueError):
    """A recipe that cannot be trained as it stands; the message names the place, and what to write instead."""


@contextmanager
def said_of(where: str) -> Iterator[None]:
    """Turn the TypeError or ValueError of a check into a RecipeError that names the value's place in the recipe."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {error}") from error
