"""The command ``python -m registry``."""

import json

import pytest

PLUGIN = """
print("noise on stdout")
plugin = Plugin(
    name="vision",
    models=(
        entry("digits", task="image-classification", summary="Digits [0-9]"),
        entry("letters", summary="Letters " * 16),
        entry("hostile", summary="\\x1b[2J [red]a[/red] :smiley: \\u202eb"),
    ),
    register=nothing,
)
"""


@pytest.fixture(scope="module")
def command(shared_zoo):
    shared_zoo.add("vision", PLUGIN)
    shared_zoo.add("broken", "import no_such_module")
    shared_zoo.add("shouting", "raise RuntimeError('\\x1b[2J\\x9b31m [red]a[/red]')")

    def run(*arguments, python=False):
        return shared_zoo.run(*(() if python else ("-m", "registry")), *arguments)

    return run


def test_list(command):
    process = command("list", "--task", "image-classification")
    assert process.returncode == 0
    assert "digits" in process.stdout
    assert "letters" not in process.stdout
    assert "Left out: plugin 'broken' of distribution broken 1.0: ModuleNotFoundError" in process.stderr
    assert "RegistryWarning" not in process.stderr


def test_list_json(command):
    process = command("list", "d*", "--json")
    assert process.returncode == 0
    (model,) = json.loads(process.stdout)
    assert model["name"] == "digits"
    assert model["metrics"] == {"accuracy": 0.5}
    assert model["path"] is None
    assert "noise on stdout" in process.stderr


def test_list_nothing(command):
    process = command("list", "z*")
    assert process.returncode == 1
    assert process.stdout == ""
    assert "No installed model matches." in process.stderr


def test_info(command):
    process = command("info", "digits")
    assert process.returncode == 0
    for text in (
        "Digits [0-9]",
        "image-classification",
        "1,234",
        "Apache-2.0",
        "nowhere",
        "'vision' of distribution vision 1.0",
    ):
        assert text in process.stdout


def test_no_line_is_broken_where_nobody_sees_the_end_of_the_screen(command):
    assert "Letters " * 15 + "Letters" in command("info", "letters").stdout


def test_foreign_text_is_shown_and_not_obeyed(command):
    shown = command("info", "hostile").stdout
    assert r"\x1b[2J [red]a[/red] :smiley: \u202eb" in shown
    reported = command("plugins")
    warned = command("-c", "import registry; registry.list_models()", python=True)
    for text in (reported.stdout, command("list").stderr, warned.stderr):
        assert r"RuntimeError: \x1b[2J\x9b31m [red]a[/red]" in text
        assert not {"\x1b", "\x9b"} & {*text}


def test_info_unknown(command):
    process = command("info", "digit")
    assert process.returncode == 1
    assert process.stdout == ""
    assert "no model is named 'digit'; did you mean 'digits'?" in process.stderr
    assert "Traceback" not in process.stderr


def test_plugins(command):
    process = command("plugins")
    assert process.returncode == 1
    assert "loaded" in process.stdout
    assert "ModuleNotFoundError" in process.stdout


def test_usage(command):
    assert command("no-such-command").returncode == 2
