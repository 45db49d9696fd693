"""The files beside the code, such as CONTRIBUTING.md: they can be parsed, and name only files that exist."""

import re
from pathlib import Path

import pytest
import yaml

import chainhead_plugin

ROOT = Path(__file__).parents[2]
FILES = [*sorted(ROOT.glob(".github/**/*.yml")), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]


@pytest.mark.skipif(not (ROOT / ".github").is_dir(), reason="they stay in the repository")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_can_be_read(file):
    assert isinstance(yaml.safe_load(file.read_text("utf-8")), dict)


@pytest.mark.skipif(not (ROOT / ".github").is_dir(), reason="they stay in the repository")
def test_workflows_run_what_is_there():
    text = "".join(file.read_text("utf-8") for file in (ROOT / ".github" / "workflows").iterdir())
    programs = set(re.findall(r"\.ci/run|tools/\w+\.py|chainhead_plugin/\w+\.py", text))
    assert programs == {".ci/run", "tools/compatibility.py", "chainhead_plugin/__init__.py"}
    assert all((ROOT / program).is_file() for program in programs)
    # The publishing workflow looks for this line.
    assert f'__version__ = "{chainhead_plugin.__version__}"\n' in (
        ROOT / "chainhead_plugin" / "__init__.py"
    ).read_text("utf-8")


@pytest.mark.skipif(not (ROOT / "CITATION.cff").is_file(), reason="it stays in the repository")
def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == chainhead_plugin.__version__
