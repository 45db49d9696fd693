"""Only a cache's own files are deleted, and none without a network. Only a model's own files are pushed."""

import hashlib
import pickle

import numpy as np
import pytest
from hub_samples import CHECKPOINT, noise
from safetensors.numpy import save_file

import registry
from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification
from chainhead_plugin.storage.safe_loading import DamagedFileError, UnsafeWeightsError
from registry.files.cache import discard
from registry.files.formats import shards_of
from registry.files.verification import verify
from registry.hub.publication import gather


def cached(parent, name_of=lambda content: hashlib.sha256(content).hexdigest()):
    """A repository in the client's cache, whose blobs are named by a function of their content."""
    repo = parent / "models--me--chain"
    snapshot = repo / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repo / "blobs").mkdir()
    for file in CHECKPOINT.iterdir():
        content = file.read_bytes()
        blob = repo / "blobs" / name_of(content)
        blob.write_bytes(content)
        (snapshot / file.name).symlink_to(blob)
    return snapshot


def load(folder):
    return ChainHeadForSequenceClassification.from_pretrained(folder)


def plain_sha1(content):
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name_of", [plain_sha1, md5])
def test_caches_of_mirrors_that_name_files_otherwise(tmp_path, name_of):
    snapshot = cached(tmp_path, name_of)
    load(snapshot)
    verify(snapshot, {"config.json": plain_sha1((snapshot / "config.json").read_bytes())}, "a mirror", "")
    assert {file.name for file in snapshot.iterdir()} == {file.name for file in CHECKPOINT.iterdir()}


@pytest.mark.parametrize("offline", [False, True])
def test_damage_in_a_cache_is_deleted_where_it_can_be_fetched_anew(tmp_path, monkeypatch, offline):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    snapshot = cached(tmp_path)
    file = snapshot / "model.safetensors"
    blob = file.resolve()
    blob.write_bytes(noise(100))
    with pytest.raises(DamagedFileError, match="stays where it is" if offline else "has been deleted"):
        load(snapshot)
    assert (blob.exists(), file.is_symlink()) == (offline, offline)


def test_users_own_files_are_never_deleted(tmp_path):
    """Links to files that only look as if a cache had named them."""
    own = tmp_path / "own" / ("0" * 64)
    own.parent.mkdir()
    own.write_bytes((CHECKPOINT / "model.safetensors").read_bytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((CHECKPOINT / "config.json").read_bytes())
    (folder / "model.safetensors").symlink_to(own)
    load(folder)
    assert not discard(folder / "model.safetensors")
    with pytest.raises(registry.ChecksumError, match="it stays where it is"):
        verify(folder, {"model.safetensors": "0" * 64}, "the Hub", "")
    with pytest.raises(registry.ChecksumError, match="it stays where it is"):
        verify(folder, {"../own/" + "0" * 64: "1" * 64}, "the Hub", "")
    assert own.exists()
    assert (folder / "model.safetensors").is_symlink()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"weight_map": 3}', "is damaged"),
        ('{"weight_map": {"a": 3}}', "is damaged"),
        ('{"metadata": {}, "weight_map": {"a": "../elsewhere.safetensors"}}', "not in it"),
        ('{"metadata": {}, "weight_map": {"a": "/etc/passwd"}}', "Only safetensors are read"),
    ],
)
def test_damaged_indices_are_named(tmp_path, content, error):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((CHECKPOINT / "config.json").read_bytes())
    save_file({"a": np.zeros(2)}, tmp_path / "elsewhere.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(content, "utf-8")
    with pytest.raises(registry.CheckpointError, match="is damaged"):
        shards_of(index)
    with pytest.raises((DamagedFileError, UnsafeWeightsError), match=error):
        load(folder)


PICKLED = pickle.dumps({"a": 1})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(
            (name, PICKLED)
            for name in ("a.joblib", "a.PT", "a.Pkl", "a.npy", "a.npz", "a.h5", "a.bin", "a.dill")
        ),
        *(
            (name, PICKLED)
            for name in ("a.txt", "a.json", "a.model", "a.onnx", "a.png", "a", "a.csv", "a.data")
        ),
        ("a.model", b"PK\x03\x04"),
        ("a.onnx", b"PK\x03\x04"),
        ("a.png", noise(30)),
    ],
)
def test_only_files_of_known_kinds_are_pushed(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(registry.PushError, match=name) as caught:
        gather(folder, folder / "README.md", "me/chain")
    assert "Nothing was pushed" in str(caught.value)


@pytest.mark.parametrize("name", ["vocab.txt", "deep/vocab.txt"])
def test_links_to_files_elsewhere_are_not_followed(folder, tmp_path, name):
    (tmp_path / "secret").write_text("a token")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(tmp_path / "secret")
    with pytest.raises(registry.PushError, match=f"links to files elsewhere: {name}"):
        gather(folder, folder / "README.md", "me/chain")


def test_what_a_cache_holds_can_be_pushed(tmp_path):
    snapshot = cached(tmp_path)
    card = tmp_path / "card.md"
    card.write_text("---\nlicense: mit\n---\n")
    assert {file.name for file in CHECKPOINT.iterdir()} <= gather(snapshot, card, "me/chain").keys()


@pytest.mark.parametrize("name", ["../../evil.json", "/etc/evil.json", "a/../../evil.json", "C:\\evil.json"])
def test_names_from_a_server_are_no_paths(name):
    from huggingface_hub.hf_api import ModelInfo

    from registry.hub.download import Download

    info = ModelInfo(id="me/chain", siblings=[{"rfilename": name, "blobId": "0" * 40}])
    with pytest.raises(registry.TransferError, match="no place in a repository"):
        Download(repo_id="me/chain", revision="main")._hashes(info)


def test_a_configuration_that_is_nested_too_deep(folder):
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(registry.PushError, match=r"config\.json is damaged"):
        registry.push(str(folder), "me/chain", token="none")
    model = ChainHeadForSequenceClassification(ChainHeadConfig(m=3, num_labels=2))
    model.save_pretrained(folder)
    assert ChainHeadForSequenceClassification.from_pretrained(folder).config.m == 3
