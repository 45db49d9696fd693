"""Zoos as installed distributions: a module and a `.dist-info` folder each, on the path of a subprocess."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import ModelEntry, Plugin, creation
from registry.plugins.catalogue import Catalogue
from registry.plugins.discovery import PluginSource

PLUGIN = """
from registry import ModelEntry, Plugin


def entry(name, **fields):
    defaults = dict(
        task="text-classification", auto_class="AutoModel", summary="A model", data="none",
        license="Apache-2.0", metrics={"accuracy": 0.5}, parameters=1234, config={"model_type": "bert"},
    )
    return ModelEntry(name=name, **{**defaults, **fields})


def nothing():
    pass
"""


class Zoo:
    """A folder of distributions, and subprocesses that have it on their path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The first distribution of a name on the path counts: this one hides the one that is under test here.
        self.add_entry_points("chainhead_plugin", "")

    def add(self, distribution: str, code: str, *, spec: str | None = None, name: str | None = None) -> None:
        """Install a distribution with one plugin, which `code` defines after the helpers of `PLUGIN`."""
        module = distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(PLUGIN + textwrap.dedent(code))
        spec = spec or f"{module}:plugin"
        self.add_entry_points(module, f"[registry.plugins]\n{name or distribution} = {spec}\n")

    def add_entry_points(self, distribution: str, text: str) -> None:
        info = self.folder / f"{distribution}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(text)

    def run(self, *arguments: str, path: tuple[Path | str, ...] = ()) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, self.folder)))}
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.folder,
            timeout=300,
            check=False,
        )

    def evaluate(self, code: str, path: tuple[Path | str, ...] = ()) -> object:
        """Run `code` where plugins are left out silently; return what it assigns to `result`."""
        program = "\n".join(
            ["import json, sys, registry", textwrap.dedent(code), "print(json.dumps(result))"]
        )
        process = self.run("-W", "ignore", "-c", program, path=path)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)


@pytest.fixture
def make_zoo(tmp_path: Path) -> Callable[[str], Zoo]:
    return lambda name: Zoo(tmp_path / name)


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return Zoo(tmp_path / "zoo")


@pytest.fixture(scope="module")
def shared_zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return Zoo(tmp_path_factory.mktemp("shared") / "zoo")


class FakeSource(PluginSource):
    """An entry point whose object is at hand."""

    def load(self) -> Plugin:
        return self.spec


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make a catalogue of one entry; return the list of registrations."""

    def install(entry: ModelEntry, register: Callable[[], None] | None = None) -> list[str]:
        registered: list[str] = []
        plugin = Plugin(name="p", models=(entry,), register=register or (lambda: registered.append("p")))
        catalogue = Catalogue()
        catalogue.add(FakeSource(name="p", distribution="dist-p", version="1.0", spec=plugin))
        bystander = Plugin(name="q", register=lambda: registered.append("q"))
        catalogue.add(FakeSource(name="q", distribution="dist-q", version="1.0", spec=bystander))
        monkeypatch.setattr(creation, "installed_catalogue", lambda: catalogue)
        return registered

    return install
