"""Features of all commands: help, version, completion, and the modules that they import."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from command_line import invoke

import chainhead_plugin
import registry
from chainhead_plugin.cli import app
from chainhead_plugin.cli.demonstration import MODEL
from chainhead_plugin.cli.support import complete_recipes, complete_sources

ON_ENCODER = "chainhead-sentiment-minilm"
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


@pytest.mark.parametrize("command", app.registered_commands, ids=COMMANDS)
def test_help_loses_no_word(command):
    name = command.name or command.callback.__name__
    shown = invoke(name, "--help", env={"COLUMNS": "200", "TERM": "dumb"})
    typer_command = typer.main.get_command(app).commands[name]
    texts = [command.callback.__doc__, *(option.help for option in typer_command.params if option.help)]
    squeezed = re.sub(r"[\s│]+", "", shown)
    for text in texts:
        for word in text.replace("`", "").split():
            assert word in squeezed, f"{name}: {word!r} of {text!r}"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command):
    assert f"Example: chainhead {command}" in " ".join(
        invoke(command, "--help", env={"COLUMNS": "200"}).split()
    )


def test_every_command_is_in_the_guide():
    guide = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    rows = " ".join(line.split("|")[1] for line in guide.splitlines() if line.startswith("| `chainhead"))
    assert {*re.findall(r"[a-z-]+", rows)} >= {*COMMANDS}


def test_version():
    assert invoke("--version") == f"chainhead {chainhead_plugin.__version__}\n"


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['chainhead', '--help']\n"
        "from chainhead_plugin.cli import main\n"
        "try: main()\n"
        "finally: assert not {'torch', 'transformers', 'numpy', 'huggingface_hub'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_completion_knows_models_and_folders(folders, monkeypatch):
    assert (MODEL, registry.model_info(MODEL).summary) in complete_sources("chainhead-")
    monkeypatch.chdir(folders)
    assert ("sequence", "folder") in complete_sources("seq")
    assert ON_ENCODER in complete_recipes("chainhead-s")
    code = "import sys; sys.argv = ['chainhead']; from chainhead_plugin.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ
        | {
            "_CHAINHEAD_COMPLETE": "complete_bash",
            "COMP_WORDS": "chainhead predict chainhead-j",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert MODEL in done.stdout
