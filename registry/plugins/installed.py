"""Run a plugin's code: its import, and the registration of its classes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from ..errors import PluginError
from .discovery import PluginSource
from .entry import Plugin
from .model_types import model_types_kept
from .plain import plain_entry, plain_text
from .report import describe
from .time_limit import OneAtATime, time_limit

_running = OneAtATime()


@contextmanager
def _plugin_code(purpose: str) -> Iterator[None]:
    # Output of plugins goes to stderr: the host's own output stays parseable. One plugin at a time,
    # because the redirection swaps a global.
    with _running.held(purpose), redirect_stdout(sys.stderr), model_types_kept():
        yield


class InstalledPlugin:
    """A plugin that could be imported.

    Parameters
    ----------
    source : PluginSource
        The entry point to import.

    Raises
    ------
    PluginError
        If the entry point names something else than a plugin of its own name, or takes longer than it may.
    BaseException
        Whatever the plugin raises while it is imported.
    """

    def __init__(self, source: PluginSource) -> None:
        with _plugin_code(f"the import of {source.label}"), time_limit(source.label):
            plugin = source.load()
            if not isinstance(plugin, Plugin):
                raise PluginError(f"{source.spec} is a {type(plugin).__name__}, not a registry.Plugin")
            name = plain_text(plugin.name)
            models = tuple(plain_entry(model) for model in tuple.__iter__(plugin.models))
        if name != source.name:
            raise PluginError(f"{source.spec} names itself {name!r}, its entry point {source.name!r}")
        self.source = source
        self.models = models
        self._plugin = plugin
        self._registering = False
        self._registered = False

    def register(self) -> None:
        """Register the plugin's classes, once.

        Raises
        ------
        PluginError
            If the plugin raises anything, from which the error is chained. The next call tries again.
        """
        with _running.held(f"registering {self.source.label}"):
            if self._registered:
                return
            if self._registering:
                raise PluginError(f"{self.source.label} asks for itself while it registers its classes")
            self._registering = True
            try:
                with _plugin_code(f"registering {self.source.label}"):
                    self._plugin.register()
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # even SystemExit: a plugin must not end its host
                raise PluginError(f"{self.source.label} cannot register: {describe(error)}") from error
            finally:
                self._registering = False
            self._registered = True
