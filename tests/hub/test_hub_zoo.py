"""A plugin whose model is on the Hub: `create_model` looks in the package, then in the cache, then on the Hub."""

import pytest
import torch
from hub_client import run_client
from hub_samples import CHECKPOINT, MODEL, digest

PLUGIN = """
from pathlib import Path
from registry import ModelEntry, Plugin

def register():
    import chainhead_plugin
    chainhead_plugin.register()

fields = dict(
    task="time-series-classification", auto_class="AutoModelForSequenceClassification", summary="A model",
    data="none", license="mit", metrics={{}}, parameters=11401, config={{"model_type": "chainhead"}}, files={files!r},
)
remote = ModelEntry(name="remote", repo_id="me/chain", revision={revision!r}, **fields)
both = ModelEntry(name="both", repo_id="me/chain", revision={revision!r}, path=Path({path!r}), **fields)
moved = ModelEntry(name="moved", repo_id="me/chain", revision={moved!r}, **fields)
neither = ModelEntry(name="neither", **fields)
plugin = Plugin(name="zoo", models=(remote, both, moved, neither), register=register)
"""
USE = """
import registry, torch, json
def total(model):
    return sum(p.double().sum().item() for p in model.parameters())
def failure(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except Exception as error:
        return [type(error).__name__, str(error)]
"""


@pytest.fixture
def zoo(hub, tmp_path):
    """The folder of an installed plugin whose entries pin a commit of the loopback Hub."""
    hub.state.lfs_threshold = 10_000
    revision = hub.publish("me/chain", MODEL)
    moved = hub.publish("me/chain", {"config.json": MODEL["config.json"] + b"\n"})
    hub.publish("me/chain", {"adapter_config.json": b"{}"})
    files = {name: digest(data) for name, data in MODEL.items() if name != "README.md"}
    folder = tmp_path / "zoo"
    (folder / "zoo_plugin-1.0.dist-info").mkdir(parents=True)
    (folder / "zoo_plugin.py").write_text(
        PLUGIN.format(files=files, revision=revision, path=str(CHECKPOINT), moved=moved)
    )
    info = folder / "zoo_plugin-1.0.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[registry.plugins]\nzoo = zoo_plugin:plugin\n")
    return folder


def run(code, hub, home, zoo, **options):
    return run_client(USE + code, hub, home=home, env={"PYTHONPATH": str(zoo)}, **options)


def test_embedded_then_cache_then_hub(hub, home, zoo):
    embedded = run("result = total(registry.create_model('both', pretrained=True))", hub, home, zoo)
    assert (embedded.network, hub.requests) == ([], [])

    missing = run("registry.create_model('remote', pretrained=True)", hub, home, zoo, offline=True)
    assert (missing.error, missing.network) == ("LocalEntryNotFoundError", [])
    assert "HF_HUB_OFFLINE" in missing.message

    code = """
remote = registry.create_model("remote", pretrained=True)
half = registry.create_model("remote", pretrained=True, device="cpu", dtype="bfloat16")
mapped = registry.create_model("remote", pretrained=True, device_map={"": "cpu"}, dtype=torch.float64)
result = [
    total(remote), str(half.dtype), str(mapped.dtype), str(mapped.device),
    failure(registry.create_model, "remote", pretrained=True, device="cpu", device_map="cpu"),
    failure(registry.create_model, "neither", pretrained=True),
]
"""
    found = run(code, hub, home, zoo).ok
    assert found[:4] == [embedded.ok, "torch.bfloat16", "torch.float64", "cpu"]
    assert found[4] == ["ValueError", "give either device or device_map, not both"]
    assert found[5][0] == "NotEmbeddedError"
    assert "neither shipped with zoo-plugin nor on the Hub" in found[5][1]
    assert not hub.asked("adapter_config")

    asked = len(hub.requests)
    again = run("result = total(registry.create_model('remote', pretrained=True))", hub, home, zoo)
    assert (again.ok, again.network, len(hub.requests)) == (embedded.ok, [], asked)


def test_other_content_than_pinned(hub, home, zoo, tmp_path):
    moved = run("registry.create_model('moved', pretrained=True)", hub, home, zoo)
    assert moved.error == "ChecksumError"
    assert "config.json is not the file that its plugin states" in moved.message
    hub.faults.add("corrupt", r"/cdn/.*safetensors")
    twice = """
result = [failure(registry.create_model, "remote", pretrained=True)[0]]
result.append(total(registry.create_model("remote", pretrained=True)))
result.append(total(registry.create_model("both", pretrained=True)))
"""
    error, repaired, wanted = run(twice, hub, tmp_path / "fresh", zoo).ok
    assert (error, repaired) == ("ChecksumError", wanted)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda(hub, home, zoo):
    code = """
models = [
    registry.create_model("remote", pretrained=True, **options)
    for options in ({"device": "cuda"}, {"device_map": "cuda", "dtype": "bfloat16"}, {"device_map": "auto"})
]
result = [[str(model.device), str(model.dtype)] for model in models]
"""
    assert run(code, hub, home, zoo).ok == [
        ["cuda:0", "torch.float32"],
        ["cuda:0", "torch.bfloat16"],
        ["cuda:0", "torch.float32"],
    ]
