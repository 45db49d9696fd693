"""Arguments that a function does not take: which it may have meant."""

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def no_such_argument(owner: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the error for an argument that a function or class does not take, with the nearest that it does.

    Parameters
    ----------
    owner : str
        Who was given the argument: the subject of the sentence.
    name : str
    known : iterable of str
        All arguments that there are.
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f": did you mean {close[0]!r}?" if close else ""
    return TypeError(f"{owner} takes no argument {name!r}{hint}")


def with_suggestions(constructor: FunctionT) -> FunctionT:
    """Have an `__init__` name the argument that a misspelt one may have meant."""
    known = inspect.signature(constructor).parameters

    @functools.wraps(constructor)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        for name in kwargs.keys() - known.keys():
            raise no_such_argument(type(self).__name__, name, known)
        return constructor(self, *args, **kwargs)

    return checked  # type: ignore[return-value]
