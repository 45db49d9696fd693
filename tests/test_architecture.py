"""The map of modules, docs/architecture.md, names every module once, in the order in which they build on each other."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTIONS = dict(
    re.findall(
        r"^## `(\w+)/`\n(.*?)(?=^## |\Z)",
        (ROOT / "docs" / "architecture.md").read_text("utf-8"),
        flags=re.M | re.S,
    )
)
every_package = pytest.mark.parametrize("package", ["chainhead_plugin", "registry", "training"])


def listed(package):
    rows = re.findall(r"^\|.*\|(.*)\|$", SECTIONS[package], flags=re.M)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def imported(file):
    """The modules of its own package that a module imports when it is imported itself."""
    statements = ast.parse(file.read_text("utf-8")).body
    relative = [node for node in statements if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {node.module for node in relative if node.module}  # None is the package, what it offers everybody


@every_package
def test_every_module_is_in_the_map_once(package):
    modules = {file.stem for file in (ROOT / package).glob("*.py")} - {"__init__"}
    assert sorted(listed(package)) == sorted(modules)


@every_package
def test_modules_build_on_those_before_them(package):
    before = set()
    for name in listed(package):
        assert imported(ROOT / package / f"{name}.py") <= before, name
        before.add(name)
