"""Pushes while the network fails or the process ends: either they get over it, or they leave nothing behind."""

import pytest
from hub_client import run_client, start_client
from hub_samples import MODEL

PUSH = "import registry\nfrom pathlib import Path\nresult = vars(registry.push({}))"
WITHOUT_NETWORK = """
import warnings, os, torch
import chainhead_plugin as c, registry
from transformers import Trainer, TrainingArguments, pipeline
warnings.simplefilter("ignore")
os.chdir({folder!r})
model = c.ChainHeadForSequenceClassification(c.ChainHeadConfig(m=3))
pipe = pipeline("time-series-classification", model=model, feature_extractor=c.ChainHeadFeatureExtractor(3))
model.save_pretrained("model")
trainer = Trainer(model, TrainingArguments("trained", report_to=[], use_cpu=True))
calls = {{
    "model": lambda: model.push_to_hub("me/x"),
    "save": lambda: model.save_pretrained("saved", push_to_hub=True, repo_id="me/x"),
    "pipeline": lambda: pipe.push_to_hub("me/x"),
    "trainer": lambda: trainer.push_to_hub(),
    "push": lambda: registry.push("model", "me/x"),
    "pull": lambda: registry.pull("me/x"),
}}
result = {{}}
for name, call in calls.items():
    try:
        call()
    except Exception as error:
        result[name] = [type(error).__name__, isinstance(error, ConnectionError), str(error)]
"""


def test_without_a_network(hub, home, tmp_path):
    hub.stop()
    failures = run_client(WITHOUT_NETWORK.format(folder=str(tmp_path)), hub, home=home, token="hf_x").ok
    assert failures.keys() == {"model", "save", "pipeline", "trainer", "push", "pull"}
    for name, (kind, is_connection_error, message) in failures.items():
        assert is_connection_error, name
        assert kind == ("TransferError" if name in ("push", "pull") else "ConnectionError")
        assert "cannot be reached" in message
        assert hub.endpoint in message
        assert "connection" in message
        assert "the Hub did not answer as it should" not in message


@pytest.mark.parametrize("kind", ["upload_reset", "status", "lost_reply"])
@pytest.mark.parametrize("path", ["/upload/", "/commit/", "/api/repos/create"])
def test_what_passes_is_got_over(hub, home, folder, path, kind):
    hub.state.lfs_threshold = 10_000
    fault = hub.faults.add(kind, path, method="PUT|POST")
    done = run_client(PUSH.format(f"{str(folder)!r}, 'me/chain'"), hub, home=home, token=hub.token("me")).ok
    history = list(hub.repo("me/chain").at("main").history())
    assert (fault.hits, history[0].oid, len(history)) == (1, done["commit"], 2)


@pytest.mark.parametrize(
    ("path", "repo_ids"),
    [("/upload/", ["me/new"]), ("/commit/", ["me/new", "me/old"])],
    ids=["upload", "commit"],
)
def test_what_does_not_pass_leaves_nothing(hub, home, folder, path, repo_ids):
    hub.state.lfs_threshold = 10_000
    hub.publish("me/old", {"other.txt": b"x"})
    hub.faults.add("upload_reset", path, method="PUT|POST", count=None)
    for repo_id in repo_ids:
        push = PUSH.format(f"{str(folder)!r}, {repo_id!r}")
        assert run_client(push, hub, home=home, token=hub.token("me")).error == "TransferError"
    assert hub.state.repos.keys() == {"me/old"}
    assert hub.repo("me/old").at("main").tree.keys() == {"other.txt", ".gitattributes"}
    hub.faults.clear()
    assert run_client(push, hub, home=home, token=hub.token("me")).ok["changed"]


def test_killed_client(hub, home, folder):
    hub.state.lfs_threshold = 10_000
    hub.faults.add("delay", "/upload/", method="PUT", seconds=30)
    push = PUSH.format(f"{str(folder)!r}, 'me/chain'")
    client = start_client(push, hub, home=home, token=hub.token("me"))
    while not hub.asked("/upload/"):
        assert client.running
    client.kill()
    assert client.wait().rc < 0
    assert hub.repo("me/chain").at("main").tree.keys() == {".gitattributes"}
    assert run_client(push, hub, home=home, token=hub.token("me")).ok["changed"]
    assert hub.repo("me/chain").at("main").tree.keys() == {*MODEL, ".gitattributes"}
