"""Every command of docs/command-line.md runs on the files that the page's snippet writes."""

import glob
import json
import re
import shlex
from pathlib import Path

import pytest
from command_line import invoke

GUIDE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.M | re.S)
[SNIPPET] = [content for language, content in BLOCKS if language == "python"]
COMMANDS = [line for language, content in BLOCKS if language == "bash" for line in content.splitlines()]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guide")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(SNIPPET, "docs/command-line.md", "exec"), {})
    return folder


def test_no_command_is_left_out():
    assert not [content for language, content in BLOCKS if language == "text" and "chainhead " in content]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command, written, monkeypatch):
    monkeypatch.chdir(written)
    piped, _, run = command.rpartition(" | ")
    arguments: list[str] = []
    for word in shlex.split(run, comments=True):
        is_filled_in = "*" in word and f"'{word}'" not in run  # by a shell, as it has no quotes
        arguments += sorted(glob.glob(word)) if is_filled_in else [word]
    given = {"input": f"{shlex.split(piped)[1]}\n"} if piped else {}
    assert invoke(*arguments[1:], **given).strip()


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
