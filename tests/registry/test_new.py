"""A distribution that `registry new` writes passes its own tests, and the checks of this project."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry.new.distribution import NewDistributionError, new_distribution


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    new_distribution(folder / "my-own-zoo")
    new_distribution(folder / "plain2", plain_torch=True)
    return folder


def packages(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir())


def test_names_are_its_own(written):
    for distribution in packages(written):
        module = distribution.name.replace("-", "_")
        assert (distribution / module / "plugin.py").is_file()
        assert (distribution / "tests" / f"test_{module}.py").is_file()
        for file in distribution.rglob("*"):
            left = ("my_zoo", "my-zoo", "MyZoo")
            assert not [word for word in left if word in file.name]
            if file.is_file() and file.suffix != ".safetensors":
                text = file.read_text("utf-8")
                assert not [word for word in left if word in text], file


def test_it_passes_its_own_tests(written, make_zoo):
    zoo = make_zoo("installed")
    for distribution in packages(written):
        module = distribution.name.replace("-", "_")
        shutil.copytree(distribution / module, zoo.folder / module)
        zoo.add_entry_points(module, f"[registry.plugins]\n{distribution.name} = {module}.plugin:plugin\n")
    tests = [distribution / "tests" for distribution in packages(written)]
    # Warnings are errors there too; nothing of this distribution's settings is read.
    done = zoo.run(
        "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--rootdir", written, *tests
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout


def test_it_is_linted(written):
    rules = ["--isolated", "--select", "E,F,W,UP,B", "--line-length", "120"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *rules, str(written)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My-Zoo", "cannot be a distribution's name here: expected small letters"),
        ("zoo-", "cannot be a distribution's name here"),
        ("json", "the package json exists already"),
        ("torch", "the package torch exists already"),
        ("class", "the package class exists already"),
        ("taken", "taken exists already: choose a new folder"),
    ],
)
def test_nothing_is_written_under_a_wrong_name(tmp_path, name, message):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NewDistributionError, match=message):
        new_distribution(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_filled(tmp_path, monkeypatch):
    (tmp_path / "zoo-here").mkdir()
    monkeypatch.chdir(tmp_path)
    assert new_distribution(Path("zoo-here")) == tmp_path / "zoo-here"
    assert (tmp_path / "zoo-here" / "pyproject.toml").is_file()
