"""A model type belongs to the plugin that registers it first, as a model's name does.

transformers lets the last plugin have it, and the models of the first plugin then fail elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import PluginError
from ..hooks.when_imported import when_imported

_TABLE = "transformers.models.auto.configuration_auto"


@contextmanager
def model_types_kept() -> Iterator[None]:
    """Give model types back that the code within takes from other distributions, and raise.

    Raises
    ------
    PluginError
        If it took any; names them and the distributions they belong to.
    """
    owners: dict[str, type] = {}
    # That code may be the first to import transformers, and other plugins register as soon as it is imported.
    when_imported(_TABLE, lambda table: owners.update(_registered(table)))
    try:
        yield
    finally:
        taken = _give_back(owners)
    if taken:
        raise PluginError(f"takes {', '.join(taken)}")


def _registered(table: Any) -> dict[str, type]:
    """Out-of-tree configurations by model type, the very table of transformers where it can be changed."""
    registered: dict[str, type] = getattr(table.CONFIG_MAPPING, "_extra_content", {})
    return registered


def _give_back(owners: dict[str, type]) -> list[str]:
    if _TABLE not in sys.modules:
        return []
    registered = _registered(sys.modules[_TABLE])
    taken = []
    for model_type, owner in owners.items():
        if registered.get(model_type) is not owner:
            registered[model_type] = owner
            taken.append(f"the model type {model_type!r} from {_distribution(owner)}")
    return taken


def _distribution(cls: type) -> str:
    from importlib import metadata

    package = cls.__module__.partition(".")[0]
    names = metadata.packages_distributions().get(package, [])
    return ", ".join(sorted(set(names))) or f"the module {package!r}"
