"""The models of all installed plugins."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from fnmatch import fnmatchcase

from ..errors import PluginError, RegistryError, RegistryWarning, UnknownModelError
from .discovery import PluginSource, find_plugins
from .entry import ModelEntry
from .installed import InstalledPlugin
from .report import FailedPlugin
from .time_limit import OneAtATime


class Catalogue:
    """Plugins, and their models by name.

    A name belongs to the first plugin that claims it, in the order in which plugins are added. A plugin that
    claims a taken name is left out whole, and a plugin that fails claims nothing.
    """

    def __init__(self) -> None:
        self.plugins: dict[str, InstalledPlugin] = {}
        self.models: dict[str, ModelEntry] = {}
        self.owners: dict[str, InstalledPlugin] = {}
        self.failed: list[FailedPlugin] = []

    def add(self, source: PluginSource) -> None:
        """Import a plugin and take its models in; keep a record of it if that fails."""
        try:
            self._take_in(source)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # even SystemExit: a plugin must not end its host
            self.failed.append(
                FailedPlugin(
                    name=source.name,
                    distribution=source.distribution,
                    version=source.version,
                    error=error,
                )
            )

    def _take_in(self, source: PluginSource) -> None:
        if owner := self.plugins.get(source.name):
            raise PluginError(f"its name is taken by {owner.source.label}")
        installed = InstalledPlugin(source)
        models = {model.name: model for model in installed.models}
        for name in models:
            if owner := self.owners.get(name):
                raise PluginError(f"the model name {name!r} is taken by {owner.source.label}")
        self.plugins[source.name] = installed
        self.models.update(models)
        self.owners.update(dict.fromkeys(models, installed))

    def model(self, name: str) -> ModelEntry:
        """Look a model up.

        Raises
        ------
        UnknownModelError
            If there is none of that name.
        """
        if name in self.models:
            return self.models[name]
        from difflib import get_close_matches

        message = f"no model is named {name!r}"
        part = [known for known in self.models if len(name) > 2 and name in known]
        if close := get_close_matches(name, self.models) or part[:3]:
            message += f"; did you mean {' or '.join(map(repr, close))}?"
        message += f"\nregistry.list_models() lists the names ({len(self.models)}) of the installed plugins."
        if self.failed:
            message += "\n".join(["\nLeft out:", *map(str, self.failed)])
        raise UnknownModelError(message)


class _Cache:
    """The catalogue of this process, built when it is first asked for."""

    def __init__(self) -> None:
        self._lock = OneAtATime()
        self._building = False
        self._catalogue: Catalogue | None = None

    def get(self) -> Catalogue:
        # Once it is there no thread waits, whatever other threads do.
        if self._catalogue is not None:
            return self._catalogue
        with self._lock.held("importing plugins", patience=2):
            if self._catalogue is None:
                if self._building:
                    raise RegistryError("a plugin must not use the registry while it is being imported")
                self._building = True
                try:
                    self._catalogue = _build()
                finally:
                    self._building = False
                # Last, so that a filter that turns the warning into an error fails a single call, not all.
                if failed := self._catalogue.failed:
                    message = "\n".join(["plugins are left out:", *map(str, failed)])
                    # The line to show called a public function, which called installed_catalogue.
                    warnings.warn(message, RegistryWarning, stacklevel=4)
            return self._catalogue


def _build() -> Catalogue:
    catalogue = Catalogue()
    sources, unreadable = find_plugins()
    catalogue.failed += unreadable
    for source in sources:
        catalogue.add(source)
    return catalogue


_cache = _Cache()


def installed_catalogue() -> Catalogue:
    """Return the catalogue of the installed plugins; the same object for the life of the process.

    Raises
    ------
    RegistryError
        If a plugin asks for it while it is being imported.
    """
    return _cache.get()


def list_models(pattern: str | Iterable[str] = "*", *, task: str | None = None) -> list[str]:
    """List the models of all installed plugins.

    Parameters
    ----------
    pattern : str or iterable of str
        Names to match, with the wildcards of `fnmatch`; of several patterns, at least one has to match.
    task : str, optional
        Only models for this pipeline task.

    Returns
    -------
    list of str
        Sorted names.

    Raises
    ------
    RegistryError
        If a plugin calls this while it is being imported.

    Warns
    -----
    RegistryWarning
        Once in a process, if plugins are left out: which, and why.
    """
    patterns = [pattern] if isinstance(pattern, str) else list(pattern)
    models = installed_catalogue().models
    return sorted(
        name
        for name, model in models.items()
        if task in (None, model.task) and any(fnmatchcase(name, wanted) for wanted in patterns)
    )


def model_info(name: str) -> ModelEntry:
    """Describe a model.

    Parameters
    ----------
    name : str
        A name that `list_models` gives.

    Returns
    -------
    ModelEntry
        The plugin's description of it; a copy, so that changes stay with the caller.

    Raises
    ------
    UnknownModelError
        If no plugin brings it.
    """
    return copy.deepcopy(installed_catalogue().model(name))
