"""Faults that the loopback Hub produces on request, and the reactions of the real client."""

import json

import huggingface_hub
import pytest
from hub_client import run_client, start_client
from hub_samples import PULL, digest, noise
from packaging.version import Version

DOWNLOAD = r"/cdn/.*safetensors"
# The client writes, and resumes, in steps of this size; 10 MiB by default.
STEPS = PULL + "import huggingface_hub.constants as c; c.DOWNLOAD_CHUNK_SIZE = 8192\n"


def attempt(hub, home, code=STEPS + "result = pull()"):
    """Pull once with the planned faults and once without, into the same cache."""
    first = run_client(code, hub, home=home)
    hub.faults.clear()
    return first, run_client(code, hub, home=home)


@pytest.mark.parametrize("at", [20_000, 100])
def test_drop_midway_is_resumed(hub, home, published, weights, at):
    fault = hub.faults.add("drop", DOWNLOAD, at=at)
    assert run_client(STEPS + "result = pull()", hub, home=home).ok == digest(weights)
    assert fault.hits == 1
    assert [(r.fault, r.range, r.status) for r in hub.asked(DOWNLOAD)] == [
        ("drop", None, 200),
        (None, "bytes=16384-", 206) if at > 8192 else (None, None, 200),
    ]


def test_ignored_range(hub, home, published, weights):
    hub.faults.add("drop", DOWNLOAD, at=20_000)
    fault = hub.faults.add("no_range", DOWNLOAD)
    assert run_client(STEPS + "result = pull()", hub, home=home).ok == digest(weights)
    assert fault.hits == 1
    assert [(r.range, r.status) for r in hub.asked(DOWNLOAD)] == [(None, 200), ("bytes=16384-", 200)]


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        ({"kind": "reset", "at": 20_000}, "ReadError"),
        ({"kind": "reset"}, "ReadError"),
        ({"kind": "truncate"}, "OSError"),
        ({"kind": "status", "status": 500}, "HfHubHTTPError"),
        ({"kind": "status", "status": 403}, "HfHubHTTPError"),
    ],
    ids=json.dumps,
)
def test_fault_that_ends_a_download(hub, home, published, weights, plan, error):
    fault = hub.faults.add(path=DOWNLOAD, **plan)
    first, second = attempt(hub, home)
    assert (fault.hits, first.error) == (1, error)
    assert second.ok == digest(weights)


def test_corruption_goes_unnoticed_by_the_client(hub, home, published, weights):
    hub.faults.add("corrupt", DOWNLOAD, at=7)
    first, second = attempt(hub, home)
    assert first.ok == second.ok == digest(weights[:7] + bytes([weights[7] ^ 255]) + weights[8:])
    verify = "from huggingface_hub import HfApi; c = HfApi().verify_repo_checksums('me/model'); "
    assert run_client(verify + "result = [m['path'] for m in c.mismatches]", hub, home=home).ok == [
        "model.safetensors"
    ]


@pytest.mark.xfail(
    Version(huggingface_hub.__version__) < Version("1.31"),
    reason="clients before huggingface_hub 1.31 wait for the rest of an answer again, but not for its start",
)
def test_delays(hub, home, published, weights):
    waits = (
        hub.faults.add("delay", DOWNLOAD, seconds=3),
        hub.faults.add("delay", DOWNLOAD, at=20_000, seconds=3),
    )
    pulled = run_client(STEPS + "result = pull()", hub, home=home, env={"HF_HUB_DOWNLOAD_TIMEOUT": "1"})
    assert pulled.ok == digest(weights)
    assert [wait.hits for wait in waits] == [1, 1]
    assert [r.range for r in hub.asked(DOWNLOAD)] == [None, None, "bytes=16384-"]


def test_faults_on_the_way_to_a_file(hub, home, published, weights):
    hub.faults.add("status", "/resolve/", method="HEAD", status=503)
    hub.faults.add("reset", "/resolve/", method="HEAD", count=1)
    hub.faults.add("status", DOWNLOAD, status=429, headers={"Retry-After": "0"})
    pulled = run_client(STEPS + "result = pull()", hub, home=home)
    assert pulled.ok == digest(weights)
    assert [r.status for r in hub.asked("/resolve/")] == [503, None, 302]
    assert [r.status for r in hub.asked(DOWNLOAD)] == [429, 200]


PUSH = """
from huggingface_hub import CommitOperationAdd, HfApi
import random
api = HfApi()
large = CommitOperationAdd("new.safetensors", random.Random(1).randbytes(200_000))
small = CommitOperationAdd("small.txt", b"small")
head = api.model_info("me/model").sha
result = api.create_commit("me/model", [large, small], commit_message="m", parent_commit=head).oid
"""


def test_upload_survives_what_is_transient(hub, home, published):
    hub.faults.add("upload_reset", "/upload/", method="PUT", at=1000)
    hub.faults.add("status", "/upload/", method="PUT", status=503)
    hub.faults.add("status", "/preupload/", method="POST", status=500)
    oid = run_client(PUSH, hub, home=home, token=hub.token("me")).ok
    assert [r.status for r in hub.asked("/upload/")] == [None, 503, 200]
    assert hub.repo("me/model").at("main").oid == oid
    assert hub.repo("me/model").at("main").tree["new.safetensors"].data == noise(200_000, 1)


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        ({"kind": "status", "status": 503}, "HfHubHTTPError"),
        ({"kind": "upload_reset"}, "ReadError"),
        ({"kind": "lost_reply"}, "ReadError"),
    ],
    ids=json.dumps,
)
def test_failed_commit_is_not_half_there(hub, home, published, plan, error):
    fault = hub.faults.add(path="/commit/", method="POST", **plan)
    token = hub.token("me")
    first = run_client(PUSH, hub, home=home, token=token)
    assert (fault.hits, first.error) == (1, error)
    files = hub.repo("me/model").at("main").tree.keys() & {"new.safetensors", "small.txt"}
    assert len(files) == (2 if plan["kind"] == "lost_reply" else 0)
    again = run_client(PUSH, hub, home=home, token=token)
    assert again.ok == hub.repo("me/model").at("main").oid
    assert len(hub.asked("/upload/", "PUT")) == 1  # the Hub has the large file already
    assert len(list(hub.repo("me/model").at("main").history())) == 3


def test_killed_clients(hub, home, published, weights):
    hub.faults.add("delay", DOWNLOAD, at=20_000, seconds=30)
    hub.faults.add("delay", "/upload/", method="PUT", seconds=30)
    for code, path in ((STEPS + "pull()", DOWNLOAD), (PUSH, "/upload/")):
        client = start_client(code, hub, home=home, token=hub.token("me"))
        while not hub.asked(path):
            assert client.running
        client.kill()
        assert client.wait().rc < 0
    assert hub.repo("me/model").at("main").oid == published
    assert run_client(STEPS + "result = pull()", hub, home=home).ok == digest(weights)


def test_mistakes_in_tests_are_told(hub):
    with pytest.raises(ValueError, match="no fault is called 'explode'"):
        hub.faults.add("explode", "/")
    with pytest.raises(ValueError, match="no token has the role 'king'"):
        hub.token("me", "king")
