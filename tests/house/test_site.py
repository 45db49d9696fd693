"""The site documents every public name, builds without a warning, and fetches nothing from elsewhere."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
API = {
    "chainhead_plugin": "plugin.md",
    "chainhead_plugin.estimators": "estimators.md",
    "chainhead_plugin.parallel": "parallel.md",
    "chainhead_plugin.tinybig": "tinybig.md",
    "registry": "registry.md",
}
ENTRY = re.compile(r"^- \[`(\w+)`\]\(([^)]+)\): (.+)$", flags=re.MULTILINE)
# The same class under tinyBIG's name has no documentation of its own.
ALIAS = "chain_interdependence_head"


def documented(file):
    """Return the first line of the documentation of every class and function of a file, by name."""
    tree = ast.parse(file.read_text("utf-8"))
    kinds = (ast.ClassDef, ast.FunctionDef)
    return {
        node.name: ast.get_docstring(node).split("\n")[0]
        for node in tree.body
        if isinstance(node, kinds) and ast.get_docstring(node)
    }


@pytest.mark.parametrize("module", API)
def test_every_public_name_is_in_the_reference(module):
    page = ROOT / "docs" / "api" / API[module]
    text = page.read_text("utf-8")
    entries = ENTRY.findall(text)
    assert text.startswith(f"# `{module}`\n")
    assert len(entries) == text.count("\n- ")
    assert sorted(name for name, _, _ in entries) == sorted(importlib.import_module(module).__all__)
    for name, link, words in entries:
        if name != ALIAS:
            assert documented(page.parent / link)[name] == words


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("mkdocstrings"), reason="the extra site is not installed")
@pytest.mark.skipif(not (ROOT / "mkdocs.yml").is_file(), reason="it stays in the repository")
def test_it_builds(tmp_path):
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    pages = {
        page.relative_to(tmp_path).as_posix(): page.read_text("utf-8") for page in tmp_path.rglob("*.html")
    }
    assert len(pages) > 50
    fetched = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*")
    elsewhere = [(name, found) for name, page in pages.items() for found in fetched.findall(page)]
    assert not [found for found in elsewhere if "canonical" not in found[1]]

    # The gallery shows every model, and a page of the reference the documentation itself.
    assert pages["zoo/index.html"].count('<li>\n<p><a href="../models/') == len(
        list((ROOT / "model_cards").glob("*.md"))
    )
    assert "Whether a node" in pages["api/estimators/index.html"]
