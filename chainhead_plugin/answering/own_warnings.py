"""Warnings of this package and of the host, for the user of a model who caused them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from registry import RegistryWarning

_PACKAGE = Path(__file__).parents[1]
# Requests of several users are answered in threads, each with a list of its own.
_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)


def is_own_warning(category: type[Warning], filename: str) -> bool:
    """Tell whether a warning is of this package or of the host, by its category and the file that it points to."""
    is_here = category is UserWarning and Path(filename).is_relative_to(_PACKAGE)
    return is_here or issubclass(category, RegistryWarning)


@contextmanager
def heard_warnings() -> Iterator[list[str]]:
    """Within a `with` block, collect the warnings of this package and of the host, each once, in the list it gives.

    They are shown as before, too. Warnings in other threads are not collected.
    """
    _listen()
    told: list[str] = []
    token = _heard.set(told)
    try:
        yield told
    finally:
        _heard.reset(token)


def _listen() -> None:
    """Have each warning heard, again too, for good: `catch_warnings` would change the filters of other threads."""
    warnings.filterwarnings("always", category=UserWarning, module=r"chainhead_plugin\.")
    warnings.filterwarnings("always", category=RegistryWarning)
    before = warnings.showwarning
    if getattr(before, "hears_own", False):
        return

    def show(
        message: Warning | str, category: type[Warning], filename: str, *place: Any, **options: Any
    ) -> None:
        told = _heard.get()
        if told is not None and is_own_warning(category, filename) and str(message) not in told:
            told.append(str(message))
        before(message, category, filename, *place, **options)

    show.hears_own = True  # type: ignore[attr-defined]
    warnings.showwarning = show


__all__ = ["heard_warnings", "is_own_warning"]
