"""Tell all files of a part that cannot be examples in a single error, so that they can be mended at once."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from ....tables.errors import counted, listed
from ...errors import RecipeError

# Of how many files the reason is told, and how many more are named.
_MOST_TOLD, _MOST_NAMED = 5, 20


@contextmanager
def collected(faults: MutableMapping[str, str], where: str) -> Iterator[None]:
    """Within a `with` block that reads a file: put errors about it among the faults, by the file's place."""
    try:
        yield
    except (OSError, ValueError) as error:
        faults[where] = str(error)


def raise_faults(faults: Mapping[str, str]) -> None:
    """Raise an error if there are faults.

    Parameters
    ----------
    faults : mapping of str to str
        By the place of a file, a sentence on why it cannot be an example, in which the place is named.

    Raises
    ------
    RecipeError
        If there are any.
    """
    if not faults:
        return
    told = "; ".join(list(faults.values())[:_MOST_TOLD])
    if further := list(faults)[_MOST_TOLD:]:
        told += f"; and {counted(len(further), 'further file')} ({listed(further, _MOST_NAMED)})"
    raise RecipeError(told)
