"""The face of a package: public names that are imported when they are asked for."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def names_of(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names cost nothing until used.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    modules : mapping of str
        By public name, the module of the package that defines it.
    """

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f".{modules[name]}", package), name)

    names = sorted(modules)
    return find, lambda: names, names
