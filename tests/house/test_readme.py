"""The README's snippets and commands run unchanged and without a network."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_processes import run_fresh

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OFFLINE = os.environ | {
    "HF_HUB_OFFLINE": "1",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def run(arguments, folder):
    done = subprocess.run(arguments, cwd=folder, env=OFFLINE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("snippet", blocks("python"), ids=lambda code: code.split("\n")[0][:40])
def test_snippet(snippet, tmp_path):
    done = run_fresh(snippet, folder=tmp_path, offline=True, warnings=["error"])
    assert done.returncode == 0, done.stdout + done.stderr


COMMANDS = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, tmp_path):
    output = run(shlex.split(command.replace("python", sys.executable, 1)), tmp_path)
    assert output.strip()


def test_there_are_snippets_and_commands():
    assert len(blocks("python")) >= 4
    assert len(COMMANDS) >= 4


def test_the_set_up_commands_are_what_ci_runs():
    assert [block.strip() for block in blocks("bash")] == [
        "pip install . && chainhead demo",
        'pip install ".[dev]" && pytest',
    ]


def test_the_results_are_the_measured_ones():
    from release.readme import ZOO_PAGE, accuracy_table, read_accuracy, read_report, results_table

    assert results_table(read_report("chainhead-japanese-vowels")) in ZOO_PAGE.read_text("utf-8")
    assert accuracy_table(read_accuracy()) in README


def test_it_is_short():
    assert len(README.splitlines()) < 200


def test_local_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
