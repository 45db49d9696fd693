"""No text tells users to install the project from a package index, where anybody could register its name."""

import re
from pathlib import Path

import pytest

from chainhead_plugin.checks.packages import missing_package

ROOT = Path(__file__).parents[2]
PLACES = [
    "README.md",
    "CONTRIBUTING.md",
    "chainhead_plugin",
    "docs",
    "model_cards",
    "notebooks",
    "registry",
    "release",
]
# Shells and Python quote the name in different ways, and options may stand before it.
FORBIDDEN = re.compile(
    r"(?:pip|uv|pipx)\s+(?:\w+\s+)*?install\b[^\n`;&|,]*?[\s\"']chainhead[\w-]*(?:\[|[\"'`\s]|$)"
)


@pytest.mark.parametrize(
    ("line", "is_forbidden"),
    [
        ("pip install chainhead-plugin", True),
        ('pip install "chainhead-plugin[train]"', True),
        ("`pip install --upgrade chainhead-plugin` is enough", True),
        ("uv pip install chainhead-plugin", True),
        ('pip install ".[train]" && chainhead demo', False),
        ("needs matplotlib: pip install matplotlib", False),
    ],
)
def test_what_is_forbidden(line, is_forbidden):
    assert bool(FORBIDDEN.search(line)) is is_forbidden


def test_no_page_or_message_names_the_project_on_an_index():
    files = [file for place in PLACES for file in [ROOT / place, *(ROOT / place).rglob("*")]]
    texts = [file for file in files if file.suffix in (".py", ".md", ".yaml", ".ipynb")]
    assert len(texts) > 300
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in texts
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert not found, "\n".join(found)


def test_missing_packages_name_themselves():
    assert missing_package("a picture", "matplotlib") == (
        'a picture needs matplotlib: pip install matplotlib, or this project\'s extra "train"'
    )
