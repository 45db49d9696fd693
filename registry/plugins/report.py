"""Which plugins loaded, which failed, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RegistryError
from ..screen import printable


@dataclass(frozen=True, kw_only=True)
class PluginOrigin:
    """Where a plugin comes from.

    Attributes
    ----------
    name : str
        Name of its entry point.
    distribution : str
        Canonical name of the distribution that brings it.
    version : str or None
        The distribution's version, where its metadata states it.
    """

    name: str
    distribution: str
    version: str | None

    @property
    def label(self) -> str:
        """The plugin and its distribution, for messages."""
        shown = f"plugin {self.name!r} of distribution {self.distribution} {self.version or ''}".rstrip()
        return printable(shown, one_line=True)


@dataclass(frozen=True, kw_only=True)
class LoadedPlugin(PluginOrigin):
    """A plugin whose classes are registered."""


@dataclass(frozen=True, kw_only=True)
class FailedPlugin(PluginOrigin):
    """A plugin that is left out of the zoo.

    Attributes
    ----------
    error : BaseException
        The exception.
    """

    error: BaseException

    @property
    def reason(self) -> str:
        """The error in a single line."""
        return describe(self.error)

    def __str__(self) -> str:
        """A line that names plugin, distribution and reason."""
        return f"{self.label}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """The result of `load_plugins`.

    Attributes
    ----------
    loaded : tuple of LoadedPlugin
        The plugins whose classes are registered.
    failed : tuple of FailedPlugin
        The plugins that failed.
    """

    loaded: tuple[LoadedPlugin, ...]
    failed: tuple[FailedPlugin, ...]


def describe(error: BaseException) -> str:
    """Return a line about an exception of a plugin."""
    try:
        if isinstance(error, SystemExit):
            return f"called sys.exit({error.code!r:.200})"
        text = printable(f"{' '.join(str.split(str(error))):.2000}", one_line=True)
    except Exception:  # the plugin's own exception class may be broken too
        text = "its message cannot be read"
    if isinstance(error, RegistryError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
