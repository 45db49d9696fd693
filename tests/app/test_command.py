"""`chainhead app` says what is missing, and writes Spaces that run by themselves."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command_line import invoke

from chainhead_plugin.app.space import requirements, write_space
from registry import checkpoint_path


def test_without_gradio_the_command_says_what_to_install(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gradio" else found(name))
    output = invoke("app", code=1)
    assert 'needs gradio: pip install gradio, or this project\'s extra "app"' in " ".join(output.split())


def test_a_space_finds_its_models_by_itself(tmp_path):
    space, own = tmp_path / "space", checkpoint_path("chainhead-gunpoint")
    invoke("app", "chainhead-italy-power", str(own), "--space", space)
    assert (space / "models" / own.name / "config.json").is_file()
    page = (space / "app.py").read_text("utf-8")
    assert f"['chainhead-italy-power', 'models/{own.name}']" in page
    assert "only_offered=True" in page
    front = (space / "README.md").read_text("utf-8").split("---")[1]
    assert "sdk: gradio" in front
    assert "app_file: app.py" in front
    code = (
        "import registry, chainhead_plugin; print(registry.__file__, chainhead_plugin.__file__); "
        "print(len(registry.list_models()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=space, capture_output=True, text=True, check=True)
    files, count = done.stdout.splitlines()
    assert files.count(str(space)) == 2
    assert int(count) >= 11
    with_files = invoke("app", "--space", space, code=1)
    assert "not an empty folder" in " ".join(with_files.split())


def test_a_space_holds_nothing_that_would_not_be_pushed(tmp_path):
    own = Path(shutil.copytree(checkpoint_path("chainhead-gunpoint"), tmp_path / "mine"))
    secret = tmp_path / "secret"
    secret.write_text("of nobody else")
    link = own / "vocab.txt"
    link.symlink_to(secret)
    output = invoke("app", str(own), "--space", tmp_path / "space", code=1)
    assert "links to files elsewhere: vocab.txt" in " ".join(output.split())
    link.unlink()
    (own / "notes.joblib").write_bytes(b"\x80\x04N.")
    assert "notes.joblib" in invoke("app", str(own), "--space", tmp_path / "space", code=1)
    assert not (tmp_path / "space").exists()
    (own / "notes.joblib").unlink()
    write_space(tmp_path / "space", [str(own)], title='A: "b"\nsdk: docker')
    readme = (tmp_path / "space" / "README.md").read_text("utf-8")
    front = yaml.safe_load(readme.split("---\n")[1])
    assert (front["title"], front["sdk"]) == ('A: "b"\nsdk: docker', "gradio")
    assert str(tmp_path) not in readme


def test_a_space_needs_what_the_page_needs():
    names = {requirement.split(">")[0] for requirement in requirements()}
    assert {"torch", "transformers", "matplotlib", "pandas"} <= names
    assert not {"gradio", "chainhead-plugin", "pytest", "aeon"} & names


@pytest.mark.parametrize("options", [("--port", "8000"), ("--host", "0.0.0.0"), ("--only-these",)])
def test_a_space_takes_no_options_of_showing(tmp_path, options):
    invoke("app", "--space", tmp_path / "space", *options, code=2)


def test_unknown_models_of_a_space_are_refused(tmp_path):
    output = invoke("app", "chainhead-gunpiont", "--space", tmp_path / "space", code=1)
    assert "chainhead-gunpoint" in output
    assert not (tmp_path / "space").exists()
