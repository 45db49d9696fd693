"""Names, labels, cells and cards from elsewhere are printed as text: no control characters and no markup."""

import ast
import io
import json
from pathlib import Path

import pytest
from command_line import invoke
from safetensors.torch import load_file, save_file

from registry.screen import console, printable

CLI = Path(__file__).parents[2] / "chainhead_plugin" / "cli"
HOSTILE = {
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "C1": "\x9b31m",
    "markup": "[red]x[/red][link=http://a]y[/link]",
    "emoji": ":smiley: :warning:",
    "turned": "a\u202egpj.exe",
    "lines": "a\nError: b\r\u2028c\x85d\x0ce",
    "half": "a\ud800b",
}
OBEYED = [*map(chr, range(9)), *map(chr, range(11, 32)), *map(chr, range(127, 160)), "\u202e", "\u2028"]


def shown_by_a_terminal(text):
    screen = console()
    screen.file = io.StringIO()
    screen._force_terminal = False
    screen.print(text)
    return screen.file.getvalue()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_terminal_would_obey_is_escaped(text):
    for shown in (printable(text), printable(text, one_line=True), shown_by_a_terminal(text)):
        assert not [character for character in OBEYED if character in shown]
        shown.encode("utf-8")
    assert "\n" not in printable(text, one_line=True)


def test_markup_and_names_of_emoji_are_text():
    assert shown_by_a_terminal(HOSTILE["markup"]).strip() == HOSTILE["markup"]
    assert shown_by_a_terminal(HOSTILE["emoji"]).strip() == HOSTILE["emoji"]
    assert printable("Zoë, 北京, 👩\u200d🔬, naïve [1]") == "Zoë, 北京, 👩\u200d🔬, naïve [1]"


@pytest.fixture
def hostile(folders, tmp_path, request):
    """A model whose labels, columns, card and folder are hostile."""
    text = request.param
    folder = tmp_path / (
        "model " + "".join(c for c in text if c not in "/\0" and not "\ud800" <= c <= "\udfff")
    )
    folder.mkdir()
    for file in (folders / "sequence").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    names = {str(i): f"{text}{i}" for i in range(3)}
    config |= {"id2label": names, "label2id": {name: int(i) for i, name in names.items()}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "README.md").write_bytes(f"---\na: b\n---\n# {text}\n".encode("utf-8", "backslashreplace"))
    return folder, text


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE, indirect=True)
def test_every_command_shows_it_as_text(hostile, tmp_path, monkeypatch):
    folder, text = hostile
    monkeypatch.chdir(tmp_path)
    record = json.dumps({"nodes": [[1, 2, 3]], "id": text, "note": text})
    for arguments in (
        ["predict", folder, "-"],
        ["predict", folder, "-", "--json"],
        ["info", folder],
        ["info", folder, "--json"],
        ["plot", folder, "-o", "chain.png", "--overwrite"],
        ["plot", folder, "--input", "-", "-o", "why.png", "--overwrite"],
    ):
        shown = invoke(*arguments, input=record)
        assert not [character for character in OBEYED if character in shown], arguments
    (line,) = invoke("predict", folder, "-", "--json", input=record).splitlines()
    answer = json.loads(line)
    assert answer["note"] == answer["id"] == text
    assert answer["predictions"][0]["label"].startswith(text)
    monkeypatch.setenv("FORCE_COLOR", "1")
    card = invoke("card", folder)  # which holds rich's own escape sequences
    assert not [character for character in OBEYED if character in card and character != "\x1b"]
    assert "\x1b[2J" not in card
    assert "\x1b]0" not in card


@pytest.mark.parametrize(
    "labels", [{"0": 1, "1": 2, "2": 3}, {"0": ["a"], "1": ["b"], "2": ["c"]}, {"0": None}]
)
def test_labels_that_are_no_texts(labels, folders, tmp_path):
    for file in (folders / "sequence").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"id2label": labels}))
    for code in (0, 1):
        try:
            shown = invoke("predict", tmp_path, "-", input="1,2,3\n4,5,6\n", code=code)
        except AssertionError:
            continue
        assert code == 0 or shown.startswith("Error: ")
        return
    pytest.fail("ended in something else than an answer or one sentence")


DAMAGE = {
    "no object": ("config.json", b"[1]", "config.json is damaged: it holds [1], expected an object"),
    "cut": ("config.json", b'{"model_type": "chain', "config.json is damaged: Unterminated string"),
    "bytes": ("config.json", b"\xff\xfe\x00", "config.json is damaged"),
    "nested": ("config.json", b"[" * 100_000, "config.json is damaged"),
    "another type": ("config.json", {"bi_directional": []}, "'bi_directional' expected bool"),
    "no class": ("config.json", {"architectures": 3}, "names no class, for which there is no pipeline"),
    "only in Python": (
        "config.json",
        {"architectures": ["Wav2Vec2ForAudioFrameClassification"]},
        "which this command does not run: in Python, transformers.pipeline('time-series-segmentation'",
    ),
    "videos": (
        "config.json",
        {"architectures": ["ChainHeadForVideoClassification"]},
        "the configuration describes no videos: set backbone_config to that of an encoder of videos",
    ),
    "unknown type": ("config.json", {"model_type": "x"}, "model type `x`"),
    "preprocessor": (
        "preprocessor_config.json",
        b"null",
        "preprocessor_config.json is damaged: it holds None",
    ),
    "size": ("preprocessor_config.json", {"feature_size": [1]}, "feature_size must be a whole number"),
    "schema": ("preprocessor_config.json", {"schema": [1]}, "expected the schema of a table"),
    "no preprocessor": ("preprocessor_config.json", None, "has no preprocessor_config.json, which says how"),
    "empty weights": ("model.safetensors", b"", "model.safetensors is damaged"),
    "weights": ("model.safetensors", b"\x10" * 64, "model.safetensors is damaged"),
    "no weights": ("model.safetensors", None, "has no safetensors weights"),
}


@pytest.mark.parametrize(("name", "content", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_models_are_one_sentence(name, content, sentence, folders, tmp_path):
    for file in (folders / "sequence").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / name
    if content is None:
        file.unlink()
    elif isinstance(content, dict):
        file.write_text(json.dumps(json.loads(file.read_text()) | content))
    else:
        file.write_bytes(content)
    shown = invoke("predict", tmp_path, "-", input="1,2,3\n4,5,6\n", code=1)
    assert shown.startswith("Error: ")
    assert shown.count("\n") == 1
    assert sentence in shown


def test_weights_of_another_shape_are_one_sentence(folders, tmp_path):
    for file in (folders / "sequence").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    name = sorted(weights)[0]
    save_file(weights | {name: weights[name][:-1].clone()}, tmp_path / "model.safetensors", {"format": "pt"})
    shown = invoke("predict", tmp_path, "-", input="1,2,3\n4,5,6\n", code=1)
    assert name in shown
    assert "Traceback" not in shown


def test_nothing_else_prints():
    """Only `screen` writes to the terminal; all other modules go through its functions and its console."""
    for file in CLI.rglob("*.py"):
        if file.name == "screen.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {
                    "typer.echo",
                    "typer.secho",
                    "print",
                    "typer.BadParameter",
                    "Console",
                }, f"{file.name}, line {node.lineno}: {called}"
            assert not (
                isinstance(node, ast.ImportFrom) and node.module == "rich.console" and not _typed(file, node)
            )


def _typed(file, node):
    """Whether an import is for annotations alone."""
    return file.name == "demonstration.py" and node.names[0].name == "Console"


def test_line_ends_in_labels_break_no_line(folders, tmp_path):
    for file in (folders / "sequence").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    names = [f"a\nb\tc{i}" for i in range(3)]
    config |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert "a\\nb\\tc0" in invoke("info", tmp_path)
    record = json.dumps({"nodes": [[1, 2, 3]], "label": names[0]})
    (tmp_path / "new.jsonl").write_text(record + "\n" + record.replace("c0", "c1"))
    shown = invoke("evaluate", tmp_path, "--data", tmp_path / "new.jsonl")
    assert shown.count("a\\nb\\tc0") == 3  # a row of each table, and a column
