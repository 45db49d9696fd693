"""`from_pretrained`: only intact safetensors files, no network if cached, and clear errors."""

import pytest
import torch
from hub_client import run_client
from hub_samples import CHECKPOINT, MODEL, NAME

LOAD = """
import chainhead_plugin, registry
from transformers import AutoModelForSequenceClassification, pipeline
CHAINS = [[[0.1] * 12] * 20, [[0.3] * 12] * 9]
def weights(name="me/chain", **options):
    model = AutoModelForSequenceClassification.from_pretrained(name, **options)
    return sum(p.double().sum().item() for p in model.parameters())
def failure(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except Exception as error:
        chain = [error]
        while chain[-1].__cause__ or chain[-1].__context__:
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
        return [[type(e).__name__ for e in chain], str(error), isinstance(error, OSError)]
"""
INDEX = "model.safetensors.index.json"


# What a pickle would run.
PICKLE = """
import pickle
from pathlib import Path
class Evil:
    def __reduce__(self):
        return (Path.touch, (Path(MARK),))
data = pickle.dumps({"layer": Evil()})
"""
PICKLED = (
    LOAD
    + """
import json, torch
from chainhead_plugin import ChainHeadForSequenceClassification as Model
folder = Path(FOLDER)
(folder / "pytorch_model.bin").write_bytes(data)
(folder / "adapter_model.bin").write_bytes(data)
config = json.loads((folder / "config.json").read_text())
named = {**config, "transformers_weights": "adapter_model.bin"}
named.pop("dtype")
(folder / "named").mkdir()
(folder / "named" / "config.json").write_text(json.dumps(named))
(folder / "named" / "adapter_model.bin").write_bytes(data)
result = [failure(*call[:1], *call[1:-1], **call[-1]) for call in (
    (weights, "me/pickle", {}), (Model.from_pretrained, "me/pickle", {}), (weights, str(folder), {}),
    (weights, "me/pickle", {"use_safetensors": False}), (weights, str(folder), {"use_safetensors": False}),
    (Model.from_pretrained, str(folder / "pytorch_model.bin"), {"config": Model.config_class.from_pretrained(folder)}),
    (pipeline, "time-series-classification", "me/pickle", {}), (registry.pull, "me/pickle", {}),
    (weights, str(folder / "named"), {}),
)]
assert not Path(MARK).exists()
"""
)


def test_no_pickle_is_ever_read(hub, home, tmp_path):
    made = f"MARK = {str(tmp_path / 'ran')!r}\nFOLDER = {str(tmp_path)!r}\n" + PICKLE
    (tmp_path / "config.json").write_bytes(MODEL["config.json"])
    control = run_client(
        made + "result = data.hex()\npickle.loads(data)\nPath(MARK).unlink()", hub, home=home
    )
    evil = control.ok
    assert control.unpickled  # the audit hook tells, and unpickling runs what it is told to
    files = {name: data for name, data in MODEL.items() if not name.endswith(".safetensors")}
    hub.publish("me/pickle", files | {"pytorch_model.bin": bytes.fromhex(evil)})
    done = run_client(made + PICKLED, hub, home=home)
    *refused, named = done.ok
    for _, message, _ in refused:
        assert "pickles, which can run any code" in message
        assert "Ask the authors for safetensors" in message
    # transformers' pipelines quote the errors of all classes that they try, in one of their own.
    *others, pipelined, pulled = [kinds[0] for kinds, _, _ in refused]
    assert ({*others, pulled}, pipelined) == ({"UnsafeWeightsError"}, "ValueError")
    assert "only safetensors are read" in named[1]
    assert not hub.asked(r"\.bin", "GET")
    assert done.unpickled == []


@pytest.mark.parametrize("damaged", ["model.safetensors", "model-00002-of-00002.safetensors", INDEX])
def test_damage_on_the_way_is_seen_and_does_not_stay(hub, home, damaged, tmp_path):
    files = MODEL
    if damaged not in MODEL:
        from transformers import AutoModelForSequenceClassification

        import chainhead_plugin  # noqa: F401

        model = AutoModelForSequenceClassification.from_pretrained(CHECKPOINT)
        model.save_pretrained(tmp_path, max_shard_size="20KB")
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    hub.publish("me/chain", files)
    fault = hub.faults.add("corrupt", f"/{damaged}$")
    code = f"""
    from pathlib import Path
    first, second = failure(weights), weights()
    (config,) = Path({str(home)!r}).rglob("config.json")
    config.resolve().write_bytes(config.read_bytes().replace(b'"m": 12', b'"m": 12 '))
    third, fourth = failure(weights, local_files_only=True), failure(weights, local_files_only=True)
    result = [first, second, third, fourth, weights(), weights({str(CHECKPOINT)!r})]
    """
    first, second, third, fourth, last, wanted = run_client(
        LOAD + "\n".join(line[4:] for line in code.splitlines()), hub, home=home
    ).ok
    assert fault.hits == 1
    for (kinds, message, is_os_error), name in ((first, damaged), (third, "config.json")):
        assert kinds[0] == "DamagedFileError", message
        assert is_os_error
        assert f"{name} is not the file that the Hub states" in message
        assert "load the model again" in message
    assert fourth[2]  # nothing is there any more, and the cache says so
    assert second == last == wanted


def test_offline_and_with_the_hub_down(hub, home, model):
    everything = (
        LOAD
        + """
result = [weights(), pipeline("time-series-classification", model="me/chain")(CHAINS)]
"""
    )
    online = run_client(everything, hub, home=home).ok
    asked = len(hub.requests)
    missing = "\nresult += [failure(weights, 'me/other'), failure(pipeline, 'time-series-classification', 'me/other')]"
    offline = run_client(everything + missing, hub, home=home, offline=True)
    assert (offline.ok[:2], offline.network, len(hub.requests)) == (online, [], asked)
    for _, message, is_os_error in offline.ok[2:]:
        assert is_os_error
        assert "offline mode" in message
    hub.stop()
    assert run_client(everything, hub, home=home).ok == online


@pytest.mark.parametrize("how", ["AutoModel", "pipeline"])
def test_what_the_hub_refuses(hub, home, model, how):
    for name in ("gated", "secret"):
        hub.publish(f"me/{name}", MODEL)
    hub.repo("me/gated").gated = "manual"
    hub.repo("me/secret").private = True
    load = "weights" if how == "AutoModel" else "partial(pipeline, 'time-series-classification')"
    code = f"""
from functools import partial
load = {load}
result = [
    failure(load, "me/secret"), failure(load, "me/gated"), failure(load, "me/missing"),
    failure(load, "me/chain", revision="missing"), failure(load, "me/chain", token={hub.token("me", "expired")!r}),
]
"""
    failures = run_client(LOAD + code, hub, home=home).ok
    for (kinds, message, is_os_error), kind, advice in zip(
        failures,
        (
            "RepositoryNotFoundError",
            "GatedRepoError",
            "RepositoryNotFoundError",
            "RevisionNotFoundError",
            "HfHubHTTPError",
        ),
        ("token", "access", "not a valid model identifier", "not a valid git identifier", "expired"),
        strict=True,
    ):
        assert is_os_error
        assert kind in kinds, (kinds, message)
        assert advice in message


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_from_one_device_to_the_other(hub, home):
    code = f"""
import torch
from transformers import AutoFeatureExtractor
inputs = AutoFeatureExtractor.from_pretrained({str(CHECKPOINT)!r})(CHAINS, return_tensors="pt")
here = registry.create_model({NAME!r}, pretrained=True)
there = registry.create_model({NAME!r}, pretrained=True, device="cuda")
there.push_to_hub("me/cuda")
here.push_to_hub("me/cpu")
load = AutoModelForSequenceClassification.from_pretrained
loaded = [
    load("me/cuda"), load("me/cpu", device_map="cuda"), load("me/cuda").to("cuda"),
    load("me/cpu", device_map="cuda", dtype="bfloat16"),
]
for model in loaded:
    wanted = here.state_dict() if model.dtype == torch.float32 else here.to(model.dtype).state_dict()
    assert all(torch.equal(tensor.cpu(), wanted[name]) for name, tensor in model.state_dict().items())
    if model.dtype == torch.float32:
        logits = model(**inputs.to(model.device)).logits.cpu()
        torch.testing.assert_close(logits, here(**inputs.to("cpu")).logits, rtol=1e-4, atol=1e-4)
result = [[str(model.device), str(model.dtype)] for model in loaded]
"""
    devices = run_client(LOAD + code, hub, home=home, token=hub.token("me")).ok
    assert devices == [
        ["cpu", "torch.float32"],
        ["cuda:0", "torch.float32"],
        ["cuda:0", "torch.float32"],
        ["cuda:0", "torch.bfloat16"],
    ]
