"""`registry.pull` from the Hub and from the cache, and the requests that it refuses."""

import pytest
from hub_client import run_client, start_client
from hub_samples import CHECKPOINT, MODEL, NAME, VERIFIED, digest, noise

WANTED = {name: digest(data) for name, data in MODEL.items()}
PINNED = """
from dataclasses import replace
from registry.plugins.catalogue import installed_catalogue
models = installed_catalogue().models
entry = models[{name!r}]
models[entry.name] = replace(entry, path=None, repo_id="me/chain", revision={revision!r})
"""


def test_by_branch_tag_and_commit(hub, home, model):
    hub.repo("me/chain").tags["v1"] = model
    hub.repo("me/chain").branches["next"] = model
    hub.publish("me/chain", {"config.json": b"{}"}, branch="next")
    code = VERIFIED + f"result = [pulled('me/chain', r) for r in (None, 'main', 'v1', {model!r}, 'next')]"
    found = run_client(code, hub, home=home).ok
    assert found == [WANTED] * 4 + [WANTED | {"config.json": digest(b"{}")}]


def test_four_clients_at_once(hub, home, model):
    clients = [start_client(VERIFIED + "result = pulled('me/chain')", hub, home=home) for _ in range(4)]
    assert [client.wait().ok for client in clients] == [WANTED] * 4


def test_auto_model_and_pipeline(hub, home, model):
    code = f"""
    import registry, torch
    registry.load_plugins()
    from transformers import AutoModelForSequenceClassification, pipeline
    here = AutoModelForSequenceClassification.from_pretrained({str(CHECKPOINT)!r})
    there = AutoModelForSequenceClassification.from_pretrained("me/chain")
    pairs = zip(here.state_dict().items(), there.state_dict().items(), strict=True)
    result = all(name == same and torch.equal(a, b) for (name, a), (same, b) in pairs)
    chains = [[[0.1] * 12] * 20, [[0.3] * 12] * 9]
    answers = [pipeline("time-series-classification", model=m)(chains) for m in ("me/chain", {str(CHECKPOINT)!r})]
    assert answers[0] == answers[1]
    """
    assert run_client(code, hub, home=home).ok


def test_zoo_entry_from_its_pinned_commit(hub, home, model):
    hub.publish("me/chain", {"config.json": b"{}", "adapter_config.json": b"{}"})
    code = (
        VERIFIED
        + PINNED.format(name=NAME, revision=model)
        + f"""
import torch
created = registry.create_model({NAME!r}, pretrained=True, device="cpu", dtype="bfloat16")
spread = registry.create_model({NAME!r}, pretrained=True, device_map="cpu")
result = [str(created.dtype), str(spread.device), pulled({NAME!r}), str(registry.checkpoint_path({NAME!r}))]
"""
    )
    first = run_client(code, hub, home=home).ok
    files = {name: value for name, value in WANTED.items() if name != "README.md"}
    assert first[:3] == ["torch.bfloat16", "cpu", files]
    assert model in first[3]

    again = run_client(code, hub, home=home)
    assert (again.ok, again.network) == (first, [])


def test_zoo_entry_that_is_not_what_is_pinned(hub, home, model):
    changed = hub.publish("me/chain", {"config.json": MODEL["config.json"] + b"\n"})
    code = PINNED.format(name=NAME, revision=changed) + f"registry.create_model({NAME!r}, pretrained=True)"
    failed = run_client("import registry" + code, hub, home=home)
    assert failed.error == "ChecksumError"
    assert "config.json is not the file that its plugin states" in failed.message
    assert digest(MODEL["config.json"]) in failed.message


def test_embedded_comes_first(hub, home):
    asked = run_client(VERIFIED + f"result = pulled({NAME!r})", hub, home=home)
    assert (asked.ok["model.safetensors"], asked.network) == (WANTED["model.safetensors"], [])


def test_offline(hub, home, model):
    pull = VERIFIED + "result = pulled('me/chain')"
    missing = run_client(pull, hub, home=home, offline=True)
    assert (missing.error, missing.network) == ("LocalEntryNotFoundError", [])
    assert "not completely cached" in missing.message
    assert "HF_HUB_OFFLINE" in missing.message

    run_client(pull, hub, home=home)
    offline = run_client(pull, hub, home=home, offline=True)
    assert (offline.ok, offline.network) == (WANTED, [])
    hub.stop()
    down = run_client(pull, hub, home=home)
    assert down.ok == WANTED
    assert "RegistryWarning" in down.stderr
    assert run_client(VERIFIED + "pulled('me/other')", hub, home=home).error == "TransferError"


def test_damage_in_the_cache_is_seen_offline(hub, home, model):
    pull = VERIFIED + "result = pulled('me/chain')"
    run_client(pull, hub, home=home)
    blob = next(home.rglob(WANTED["model.safetensors"]))
    blob.write_bytes(noise(100))
    for _ in range(2):  # offline nothing is deleted
        assert run_client(pull, hub, home=home, offline=True).error == "ChecksumError"
    assert run_client(pull, hub, home=home).error == "ChecksumError"
    assert run_client(pull, hub, home=home).ok == WANTED


@pytest.mark.parametrize("cached", [False, True], ids=["not cached", "cached"])
def test_who_may_not_read_gets_nothing(hub, home, model, cached):
    hub.publish("me/gated", MODEL)
    hub.publish("me/secret", MODEL)
    pull = VERIFIED + "result = [pulled(r) for r in ('me/chain', 'me/gated', 'me/secret')]"
    if cached:
        run_client(pull, hub, home=home)
    hub.repo("me/gated").gated = "manual"
    hub.repo("me/secret").private = True
    code = f"""
    import registry
    def failure(*arguments, **options):
        try:
            registry.pull(*arguments, **options)
        except OSError as error:
            return type(error).__name__, str(error)
    result = [
        failure("me/secret"), failure("me/gated"), failure("me/missing"), failure("me/chain", "missing"),
        failure("me/chain", token={hub.token("me", "expired")!r}), failure("me/gated", token={hub.token("x")!r}),
    ]
    """
    failures = run_client(code, hub, home=home).ok
    assert [kind for kind, _ in failures] == [
        "RepositoryNotFoundError",
        "GatedRepoError",
        "RepositoryNotFoundError",
        "RevisionNotFoundError",
        "HfHubHTTPError",
        "GatedRepoError",
    ]
    for (_, message), advice in zip(
        failures,
        [
            "If it is private, run `hf auth login`",
            "Access to me/gated is granted on its page",
            "spelt correctly",
            "no such branch, tag or commit",
            "The token is not valid, or not any more",
            "Access to me/gated is granted on its page",
        ],
        strict=True,
    ):
        assert advice in message


def test_pickles_are_refused_unread(hub, home, model):
    hub.publish("me/pickle", {"config.json": MODEL["config.json"], "pytorch_model.bin": noise(99)})
    hub.publish("me/chain", {"pytorch_model.bin": noise(99)})
    code = VERIFIED + "result = pulled('me/chain')\npulled('me/pickle')"
    refused = run_client(code, hub, home=home)
    assert (refused.error, refused.unpickled, refused.result) == ("UnsafeWeightsError", [], WANTED)
    assert "pytorch_model.bin" in refused.message
    assert "ask the authors for safetensors" in refused.message.lower()
    assert not hub.asked(r"me/pickle/resolve|\.bin")
