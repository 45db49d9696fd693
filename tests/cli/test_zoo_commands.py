"""`chainhead list`, `info` and `card`."""

import json

import pytest
from command_line import invoke
from sounds import save_classifier_of_sounds

import registry
from chainhead_plugin.cli.demonstration import MODEL

ON_ENCODER = "chainhead-sentiment-minilm"


def test_list():
    assert MODEL in invoke("list")
    assert MODEL in invoke("list", "*vowels", "--task", "time-series-classification")
    (entry,) = json.loads(invoke("list", MODEL, "--json"))
    assert entry["metrics"] == dict(registry.model_info(MODEL).metrics)
    assert entry["whereabouts"] == "embedded"
    assert "no model matches" in invoke("list", "--task", "poetry", code=1)


def test_info():
    entry = registry.model_info(MODEL)
    shown = invoke("info", MODEL)
    for part in (entry.license, f"{entry.parameters:,}", "0.9892", "model.safetensors", entry.data):
        assert part in shown
    assert json.loads(invoke("info", MODEL, "--json"))["files"] == dict(entry.files)
    assert "did you mean" in invoke("info", "chainhead-japanese-vowel", code=1)


def test_card(folders, tmp_path):
    text = registry.model_info(MODEL).card.read_text("utf-8")
    assert invoke("card", MODEL) == invoke("card", MODEL, "--raw") == text
    assert "has no model card" in invoke("card", folders / "sequence", code=1)
    (tmp_path / "README.md").write_text("# Mine\n", "utf-8")
    assert invoke("card", tmp_path) == "# Mine\n"


def test_info_tells_what_a_folder_s_model_takes(tmp_path):
    save_classifier_of_sounds(tmp_path / "voices")
    shown = " ".join(invoke("info", tmp_path / "voices").split())
    assert "input sounds, 16,000 samples a second" in shown
    assert "columns" not in shown
    folder = registry.checkpoint_path("chainhead-digits")
    assert "input images" in " ".join(invoke("info", folder).split())
    folder = registry.checkpoint_path("chainhead-japanese-vowels")
    assert "columns by position" in " ".join(invoke("info", folder).split())


@pytest.mark.parametrize("command", [["info"], ["predict", "-"], ["plot"], ["evaluate"]], ids=" ".join)
def test_a_model_whose_recipe_alone_ships(command):
    shown = invoke(command[0], ON_ENCODER, *command[1:], code=1)
    assert f"run `chainhead train {ON_ENCODER}`" in shown
    assert f"# {ON_ENCODER}" in invoke("card", ON_ENCODER)


def test_a_card_in_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = invoke("card", MODEL)
    assert "library_name" not in shown
    assert "\x1b[" in shown
