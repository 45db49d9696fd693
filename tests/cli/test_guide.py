"""The commands of docs/command-line.md, one of each kind, run on the files that its snippet writes."""

import json
import re
import shlex
from pathlib import Path

import pytest
from command_line import invoke

GUIDE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
(SNIPPET, BLOCK) = re.search(
    r"^```python\n(.*?)^```\n\n```bash\n(.*?)^```$", GUIDE, flags=re.M | re.S
).groups()
COMMANDS = BLOCK.splitlines()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guide")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(SNIPPET, "docs/command-line.md", "exec"), {})
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command, written, monkeypatch):
    monkeypatch.chdir(written)
    assert invoke(*shlex.split(command)[1:]).strip()


def test_every_kind_of_file_gives_the_same_answers(written, monkeypatch):
    monkeypatch.chdir(written)
    found = []
    for file in (
        "recordings.csv",
        "german.csv",
        "recordings.parquet",
        "recordings.jsonl",
        "recordings.ts",
        "recordings",
    ):
        lines = invoke("predict", "chainhead-japanese-vowels", file, "--json").splitlines()
        found.append([json.loads(line)["predictions"][0]["label"] for line in lines])
    assert len(found[0]) == 9
    assert all(labels == found[0] for labels in found)
