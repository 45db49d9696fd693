"""What is wrong with a recipe."""

from collections.abc import Iterator
from contextlib import contextmanager


class RecipeError(ValueError):
    """A recipe that cannot be trained as it stands; the message says where and what to write instead."""


@contextmanager
def said_of(where: str) -> Iterator[None]:
    """Raise what a check of a value raises as a `RecipeError`, which says where in the recipe the value stands."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {error}") from error
