"""Registering the classes of every installed plugin."""

from __future__ import annotations

from ..errors import PluginError
from .catalogue import installed_catalogue
from .installed import InstalledPlugin
from .report import FailedPlugin, LoadedPlugin, LoadReport


def load_plugins() -> LoadReport:
    """Register the classes of all installed plugins with transformers (and timm).

    A plugin is registered once, however often and from however many threads this is called.

    Returns
    -------
    LoadReport
        Which plugins loaded, and which failed and why.

    Raises
    ------
    RegistryError
        If a plugin calls this while it is being imported.
    """
    catalogue = installed_catalogue()
    loaded: list[LoadedPlugin] = []
    failed = list(catalogue.failed)
    for installed in catalogue.plugins.values():
        result = _load(installed)
        if isinstance(result, LoadedPlugin):
            loaded.append(result)
        else:
            failed.append(result)
    return LoadReport(loaded=tuple(loaded), failed=tuple(failed))


def _load(installed: InstalledPlugin) -> LoadedPlugin | FailedPlugin:
    source = installed.source
    name, distribution, version = source.name, source.distribution, source.version
    try:
        installed.register()
    except PluginError as error:
        return FailedPlugin(
            name=name, distribution=distribution, version=version, error=error.__cause__ or error
        )
    return LoadedPlugin(name=name, distribution=distribution, version=version)
