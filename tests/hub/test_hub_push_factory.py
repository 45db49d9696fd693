"""A model that its plugin's factory builds travels with its description, and without code."""

import json

from hub_client import run_client

FACTORY = """
import hashlib, registry, torch
from dataclasses import replace
from pathlib import Path
from safetensors.torch import save_file
from registry import ModelEntry, Plugin, PushError, creation, pushing
from registry.plugins.catalogue import Catalogue
from registry.plugins.discovery import PluginSource

class Source(PluginSource):
    def load(self):
        return self.spec

def build(inputs, outputs):
    return torch.nn.Linear(inputs, outputs)

def install(entry):
    catalogue = Catalogue()
    plugin = Plugin(name="p", models=(entry,))
    catalogue.add(Source(name="p", distribution="my-zoo", version="1.2", spec=plugin))
    creation.installed_catalogue = pushing.installed_catalogue = lambda: catalogue

folder = Path(FOLDER)
model = build(4, 3)
save_file(model.state_dict(), folder / "model.safetensors")
files = {"model.safetensors": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()}
entry = ModelEntry(
    name="plain", task="tabular-classification", factory=build, summary="A model", data="none", license="MIT",
    metrics={}, parameters=15, config={"inputs": 4, "outputs": 3}, path=folder, files=files, card=Path(CARD),
)
install(entry)
try:
    registry.push("plain", "me/plain", with_code=True)
    refused = ""
except PushError as error:
    refused = str(error)
done = registry.push("plain", "me/plain")
install(replace(entry, path=None, repo_id="me/plain", revision=done.commit))
pulled = registry.create_model("plain", pretrained=True)
result = [refused, torch.equal(pulled.weight, model.weight)]
"""


def test_a_model_with_a_factory_travels_with_its_description_and_no_code(hub, home, tmp_path):
    card = tmp_path / "card.md"
    card.write_text("---\nlicense: mit\n---\n# Plain\n")
    weights = tmp_path / "plain"
    weights.mkdir()
    code = FACTORY.replace("FOLDER", repr(str(weights))).replace("CARD", repr(str(card)))
    refused, is_same = run_client(code, hub, home=home, token=hub.token("me")).ok
    assert "'plain' is built by my-zoo, and no class of transformers" in refused
    assert is_same
    tree = hub.repo("me/plain").at("main").tree
    assert tree.keys() == {"config.json", "model.safetensors", "README.md", ".gitattributes"}
    assert json.loads(tree["config.json"].data) == {
        "zoo_model": "plain",
        "distribution": "my-zoo",
        "distribution_version": "1.2",
        "task": "tabular-classification",
        "arguments": {"inputs": 4, "outputs": 3},
    }
