"""Error messages, warnings and completion for all subcommands of `chainhead`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checks.packages import missing_package
from .screen import fail, say


@contextmanager
def reported_errors(matplotlib_for: str | None = None) -> Iterator[None]:
    """Within a `with` block, turn errors into a message without a traceback, and exit code 1; show warnings as notes.

    Parameters
    ----------
    matplotlib_for : str, optional
        The action that needs matplotlib, named in the message if matplotlib is missing.
    """
    from registry import RegistryError

    try:
        with _shown_warnings():
            yield
    except ModuleNotFoundError as error:
        if "pip install" in str(error):  # A message of this package, which says what to install.
            fail(error)
        if matplotlib_for is None or (error.name or "").partition(".")[0] != "matplotlib":
            raise
        fail(missing_package(matplotlib_for, "matplotlib"))
    except (RegistryError, OSError, ValueError) as error:
        fail(error)


@contextmanager
def _shown_warnings() -> Iterator[None]:
    """Show each warning of the zoo and of this package once, as a line without the code that raised it."""
    from registry import RegistryWarning

    from ..answering.own_warnings import is_own_warning

    with warnings.catch_warnings():
        warnings.simplefilter("always", RegistryWarning)
        others = warnings.showwarning

        told: set[str] = set()

        def show(
            message: Warning | str, category: type[Warning], filename: str, *place: Any, **options: Any
        ) -> None:
            if not is_own_warning(category, filename):
                others(message, category, filename, *place, **options)
            elif str(message) not in told:
                told.add(str(message))
                say(f"Note: {message}", stderr=True)

        warnings.showwarning = show
        yield


def complete_models(incomplete: str) -> list[tuple[str, str]]:
    """Complete the name of a model of the zoo."""
    import registry

    return [(name, registry.model_info(name).summary) for name in registry.list_models(f"{incomplete}*")]


def complete_sources(incomplete: str) -> list[tuple[str, str]]:
    """Complete the name of a model of the zoo, or a checkpoint's folder."""
    start = Path(incomplete)
    parent = start if incomplete.endswith("/") else start.parent
    folders = [folder for folder in parent.glob("*/") if folder.is_dir()] if parent.is_dir() else []
    shown = [(str(folder), "folder") for folder in folders if str(folder).startswith(str(start))]
    return complete_models(incomplete) + sorted(shown)


def complete_recipes(incomplete: str) -> list[str]:
    """Complete the name of a recipe that is part of the package."""
    from ..recipes.recipe_files import shipped_recipes

    return [name for name in shipped_recipes() if name.startswith(incomplete)]


def complete_tasks(incomplete: str) -> list[str]:
    """Complete a task that the zoo has models for."""
    import registry

    tasks = {registry.model_info(name).task for name in registry.list_models()}
    return sorted(task for task in tasks if task.startswith(incomplete))


NAME_HELP = "A model of the zoo, a checkpoint's folder, or a repository on the Hub as owner/name."
