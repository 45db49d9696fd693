"""The notebooks run from top to bottom, hold no outputs, and begin alike."""

import json
import re
from pathlib import Path

import pytest
from fresh_processes import run_fresh
from hub_client import run_client
from loopback_hub import LoopbackHub
from transformers import BertConfig, BertModel

from chainhead_plugin import train_tokenizer

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = {
    file.stem: json.loads(file.read_text("utf-8"))["cells"] for file in sorted(FOLDER.glob("*.ipynb"))
}
every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def sources(name, kind):
    return ["".join(cell["source"]) for cell in NOTEBOOKS[name] if cell["cell_type"] == kind]


def code(name, **changed):
    """Return a notebook's code as a script, with other values for variables that readers are to set."""
    script = "import matplotlib\n\nmatplotlib.use('agg')\n" + "\n\n".join(sources(name, "code"))
    for variable, value in changed.items():
        script, times = re.subn(rf"^{variable} = .*$", f"{variable} = {value!r}", script, flags=re.MULTILINE)
        assert times == 1
    return script


@every_notebook
def test_it_begins_with_what_one_gets_and_an_installation(name):
    opening = sources(name, "markdown")[0]
    assert NOTEBOOKS[name][0]["cell_type"] == "markdown"
    assert opening.startswith("# ")
    assert "You get " in opening
    assert "Needs the extra " in opening
    assert sources(name, "code")[0] == sources("classify", "code")[0]


@every_notebook
def test_outputs_are_stripped(name):
    cells = [cell for cell in NOTEBOOKS[name] if cell["cell_type"] == "code"]
    assert len(cells) >= 4
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@every_notebook
def test_local_links_lead_somewhere(name):
    for link in re.findall(r"\]\(([^)#]+)\)", "\n".join(sources(name, "markdown"))):
        assert "://" in link or (FOLDER / link).exists(), link


def test_they_run(tmp_path):
    """All in one process, which imports the libraries once, each in a namespace of its own."""
    tokenizer = train_tokenizer(["The battery is dead, and nobody answers."])
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path / "encoder")
    tokenizer.save_pretrained(tmp_path / "encoder")

    scripts = [code("classify"), code("forecast"), code("encoder", ENCODER="encoder", TRAINING_SENTENCES=32)]
    one_by_one = f"for script in {scripts!r}:\n    exec(script, {{'__name__': '__main__'}})"
    done = run_fresh(one_by_one, folder=tmp_path, offline=True, warnings=["error"])
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("left out: ", "thousand passengers off", "weights to train"):
        assert told in done.stdout


def test_sharing_runs_and_pushes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with LoopbackHub() as hub:
        script = (
            code("share", REPOSITORY_ID="writer/gunpoint")
            + "\nresult = sorted(p.name for p in folder.iterdir())"
        )
        shared = run_client(script, hub, home=tmp_path / "home", token=hub.token("writer")).ok
    assert {"README.md", "config.json", "model.safetensors"} <= set(shared)
