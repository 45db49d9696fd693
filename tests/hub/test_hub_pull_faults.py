"""Network faults while pulling: a pull ends with the right files or a clear error, and the next pull works."""

import json

import pytest
from hub_client import run_client, start_client
from hub_samples import MODEL, VERIFIED, digest

WEIGHTS = r"/cdn/.*safetensors"
WANTED = {name: digest(data) for name, data in MODEL.items()}
PULL = VERIFIED + (
    "import huggingface_hub.constants as c; c.DOWNLOAD_CHUNK_SIZE = 8192\nresult = pulled('me/chain')"
)


@pytest.mark.parametrize(
    "plan",
    [
        {"kind": "drop", "at": 20_000},
        {"kind": "reset", "at": 20_000},
        {"kind": "truncate"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
    ],
    ids=json.dumps,
)
def test_what_passes_is_got_over(hub, home, model, plan):
    fault = hub.faults.add(path=WEIGHTS, **plan)
    assert run_client(PULL, hub, home=home).ok == WANTED
    assert fault.hits == 1


def test_ignored_range(hub, home, model):
    hub.faults.add("drop", WEIGHTS, at=20_000)
    hub.faults.add("no_range", WEIGHTS)
    assert run_client(PULL, hub, home=home).ok == WANTED
    assert [r.status for r in hub.asked(WEIGHTS)] == [200, 200]


@pytest.mark.parametrize(
    ("path", "method"), [("/api/models/me/chain", "GET"), ("/resolve/", "HEAD")], ids=["info", "head"]
)
def test_resets_on_the_way_to_a_file(hub, home, model, path, method):
    hub.faults.add("reset", path, method=method)
    assert run_client(PULL, hub, home=home).ok == WANTED


@pytest.mark.parametrize(
    "plan",
    [
        {"kind": "reset", "at": 100},
        {"kind": "truncate"},
        {"kind": "status", "status": 500},
    ],
    ids=json.dumps,
)
def test_what_does_not_pass_is_told(hub, home, model, plan):
    hub.faults.add(path=WEIGHTS, count=None, **plan)
    failed = run_client(PULL, hub, home=home)
    assert failed.error == "TransferError"
    assert "ConnectionError" in failed.errors
    assert "try again later" in failed.message
    hub.faults.clear()
    assert run_client(PULL, hub, home=home).ok == WANTED


@pytest.mark.parametrize(
    ("path", "name"),
    [(WEIGHTS, "model.safetensors"), ("/resolve/.*/config.json", "config.json")],
    ids=["weights", "config"],
)
def test_corruption_is_seen_and_does_not_stay(hub, home, model, path, name):
    fault = hub.faults.add("corrupt", path)
    failed = run_client(PULL, hub, home=home)
    assert (fault.hits, failed.error) == (1, "ChecksumError")
    assert f"{name} is not the file that the Hub states" in failed.message
    assert "registry.pull('me/chain', 'main')" in failed.message
    assert run_client(PULL, hub, home=home).ok == WANTED


def test_killed_client(hub, home, model):
    hub.faults.add("delay", WEIGHTS, at=20_000, seconds=30)
    client = start_client(PULL, hub, home=home)
    while not hub.asked(WEIGHTS):
        assert client.running
    client.kill()
    assert client.wait().rc < 0
    assert "LocalEntryNotFoundError" in run_client(PULL, hub, home=home, offline=True).errors
    assert run_client(PULL, hub, home=home).ok == WANTED
