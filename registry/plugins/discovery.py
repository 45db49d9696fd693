"""Find the installed plugins: the only module that knows the `entrypoints` package."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

import entrypoints

from .report import FailedPlugin, PluginOrigin

GROUP = "registry.plugins"


@dataclass(frozen=True, kw_only=True)
class PluginSource(PluginOrigin):
    """An entry point of the group.

    Attributes
    ----------
    spec : str
        The object it names, as ``"module:object"``.
    """

    spec: str

    def load(self) -> object:
        """Import the object; a malformed `spec` raises here, as any failing import does."""
        return entrypoints.EntryPoint.from_string(self.spec, self.name).load()


def find_plugins() -> tuple[list[PluginSource], list[FailedPlugin]]:
    """Read the entry points of all distributions on ``sys.path``, without importing any.

    A distribution that is found more than once counts where it is first on the path, as for an import.

    Returns
    -------
    sources : list of PluginSource
        Sorted by distribution, then by name.
    failed : list of FailedPlugin
        Distributions whose ``entry_points.txt`` mentions the group but cannot be read.
    """
    sources: list[PluginSource] = []
    failed: list[FailedPlugin] = []
    seen: set[str] = set()

    for distro, content in _distributions():
        distribution = re.sub(r"[-_.]+", "-", distro.name).lower()
        if distribution in seen:
            continue
        seen.add(distribution)

        if not isinstance(content, ConfigParser):
            failed.append(
                FailedPlugin(
                    name="entry_points.txt",
                    distribution=distribution,
                    version=distro.version,
                    error=content,
                )
            )
        elif content.has_section(GROUP):
            sources += [
                PluginSource(name=name, distribution=distribution, version=distro.version, spec=spec)
                for name, spec in content.items(GROUP, raw=True)
            ]
    return sorted(sources, key=lambda source: (source.distribution, source.name)), failed


def _distributions() -> Iterator[tuple[entrypoints.Distribution, ConfigParser | Exception]]:
    # Imports ignore entries of the path that are no strings; entrypoints would raise.
    for folder in [item for item in sys.path if isinstance(item, str)]:
        try:
            found = [(distro, content) for content, distro in entrypoints.iter_files_distros(path=[folder])]
        except Exception:  # entrypoints gives a whole folder up at the first file it cannot read
            found = list(_one_by_one(Path(folder)))
        yield from found


def _one_by_one(folder: Path) -> Iterator[tuple[entrypoints.Distribution, ConfigParser | Exception]]:
    for kind in ("dist-info", "egg-info"):
        for file in folder.glob(f"*.{kind}/entry_points.txt"):
            yield entrypoints.Distribution.from_name_version(file.parent.stem), _read(file)


def _read(file: Path) -> ConfigParser | Exception:
    content: ConfigParser = entrypoints.CaseSensitiveConfigParser(delimiters=("=",))
    try:
        content.read(file, encoding="utf-8")
    except (Error, UnicodeDecodeError) as error:
        if GROUP.encode() in file.read_bytes():
            return error
    return content
