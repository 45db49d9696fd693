"""Scripts that do not import plugins: run by the host, and in an environment that registers plugins by itself."""

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

from registry import RegistryError
from registry.scripts import environment
from registry.scripts.running import run

# A module of an awaited name, so that no test waits for the real one.
AWAITED = "registered = []\n"
PLUGIN = """
def register():
    import timm
    timm.registered.append("ours")

plugin = Plugin(name="ours", models=(), register=register)
"""
SCRIPT = """
import multiprocessing, sys

def registered(_=None):
    import timm
    return timm.registered

if __name__ == "__main__":
    assert not {"timm", "registry", "torch"} & {*sys.modules}
    print(sys.argv, __name__, __file__, sys.path[0], __spec__, registered())
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(registered, [None]))
    sys.exit(7)
"""


@pytest.fixture
def with_plugins(zoo):
    (zoo.folder / "timm.py").write_text(AWAITED)
    zoo.add("ours", PLUGIN)
    return zoo


def test_a_script_and_the_processes_it_spawns(with_plugins):
    script = with_plugins.folder / "script.py"
    script.write_text(SCRIPT)
    done = with_plugins.run("-m", "registry", "run", "script.py", "a", "--help", "-m", "list")
    first, second = done.stdout.splitlines()
    argv = ["script.py", "a", "--help", "-m", "list"]
    assert first == f"{argv} __main__ {script} {with_plugins.folder} None ['ours']"
    assert second == "[['ours']]"
    assert (done.returncode, done.stderr) == (7, "")


def test_a_module(with_plugins):
    (with_plugins.folder / "module.py").write_text("import sys, timm\nprint(sys.argv[1:], timm.registered)")
    done = with_plugins.run("-m", "registry", "run", "-m", "module", "--flag")
    assert done.stdout == "['--flag'] ['ours']\n", done.stderr


def test_options_of_python_go_on(with_plugins):
    (with_plugins.folder / "script.py").write_text("import sys\nprint(sys.flags.optimize, sys.warnoptions)")
    done = with_plugins.run("-OO", "-W", "error::FutureWarning", "-m", "registry", "run", "script.py")
    assert done.stdout == "2 ['error::FutureWarning']\n", done.stderr


def test_an_error_looks_as_without(with_plugins):
    (with_plugins.folder / "script.py").write_text("import timm\n\n\n1 / 0\n")
    plain = with_plugins.run("script.py")
    done = with_plugins.run("-m", "registry", "run", "script.py")
    assert (done.returncode, done.stderr) == (plain.returncode, plain.stderr)


def test_a_broken_plugin_is_told_and_costs_nothing(with_plugins):
    with_plugins.add("broken", "raise OSError('gone')")
    (with_plugins.folder / "script.py").write_text("import timm\nprint(timm.registered)")
    done = with_plugins.run("-m", "registry", "run", "script.py")
    assert (done.returncode, done.stdout) == (0, "['ours']\n")
    assert done.stderr == "registry: left out: plugin 'broken' of distribution broken 1.0: OSError: gone\n"


def test_the_environments_own_start_runs_too(with_plugins):
    (with_plugins.folder / "sitecustomize.py").write_text("import builtins\nbuiltins.own_start = True\n")
    (with_plugins.folder / "script.py").write_text(
        "import sitecustomize, timm\nprint(own_start, sitecustomize.__file__, timm.registered)"
    )
    done = with_plugins.run("-m", "registry", "run", "script.py")
    assert done.stdout == f"True {with_plugins.folder / 'sitecustomize.py'} ['ours']\n", done.stderr


def test_what_cannot_be_run():
    for arguments, message in (
        ([], "nothing to run"),
        (["-m"], "nothing to run"),
        (["no.py"], "no script no.py"),
    ):
        with pytest.raises(RegistryError, match=message):
            run(arguments)
    done = subprocess.run(
        [sys.executable, "-I", "-m", "registry", "run", __file__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ignore the environment" in done.stderr


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder for packages, which holds the distribution that brings `registry`."""
    info = tmp_path / "zoo_host-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-host\nVersion: 1.0\n")
    (info / "RECORD").write_text("registry/__init__.py,,\nzoo_host-1.0.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"registry": ["zoo-host"]})
    return tmp_path


def test_an_environment_is_enabled_and_disabled(site):
    record = site / "zoo_host-1.0.dist-info" / "RECORD"
    before = record.read_text()
    assert not environment.status().enabled
    for _ in range(2):
        assert environment.enable().enabled
    assert (
        record.read_text() == f"{before}registry-autoload.pth,,\n"
    )  # so pip removes it with the distribution
    for _ in range(2):
        assert not environment.disable().enabled
    assert record.read_text() == before
    assert {file.name for file in site.iterdir()} == {record.parent.name}


def test_what_an_enabled_environment_does(site, with_plugins):
    file = environment.enable().file
    line = file.read_text()
    (with_plugins.folder / "sitecustomize.py").write_text(
        line
    )  # stands for a .pth file, which runs as this does
    code = "import sys; before = {*sys.modules}; import timm; print(timm.registered, {'typing', 'registry'} & before)"
    done = with_plugins.run("-c", code)
    assert done.stdout == "['ours'] set()\n", done.stderr
    # Without the package the line does nothing.
    (with_plugins.folder / "sitecustomize.py").write_text(line.replace("waiting.py", "gone.py"))
    assert with_plugins.run("-c", code).stdout == "[] set()\n"


def test_an_environment_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "file" / "site"))
    with pytest.raises(RegistryError, match=r"cannot be written .* environment of .*python -m venv"):
        environment.enable()


def test_nothing_is_imported_at_the_start():
    """What an interpreter pays that imports neither library: the hook itself, and no module."""
    start = str(Path(environment.__file__).with_name("start"))
    program = [sys.executable, "-S", "-c"]
    plain = "import os, sys; before = {*sys.modules}; "
    code = f"{plain}sys.path.insert(0, {start!r}); import sitecustomize; print({{*sys.modules}} - before)"
    done = subprocess.run([*program, code], capture_output=True, text=True, check=True)
    assert done.stdout == "{'sitecustomize'}\n"
