"""timm's functions for the Hub, with a chain head as classifier."""

import json

import timm
from hub_client import run_client
from safetensors.torch import save, save_file

MODEL = """
import chainhead_plugin, timm, torch
torch.manual_seed(0)
OPTIONS = dict(with_lorr=True, r=2, channel_hops=[0, 1, -3])
"""
BACKBONE = "timm/test_resnet.r160_in1k"


def test_what_timm_pushes_it_pulls_and_so_does_transformers(hub, home, tmp_path):
    token = hub.token("me")
    code = (
        MODEL
        + """
model = timm.create_model("chainhead", backbone="test_resnet", num_classes=3, **OPTIONS).eval()
timm.models.push_to_hf_hub(model, "me/chain", safe_serialization=True)
result = model(torch.ones(1, 3, 64, 64)).tolist()
"""
    )
    logits = run_client(code, hub, home=home, token=token).ok
    tree = hub.repo("me/chain").at("main").tree
    assert tree.keys() == {"model.safetensors", "config.json", "README.md", ".gitattributes"}

    code = (
        MODEL
        + """
from transformers import AutoModelForImageClassification
x = torch.ones(1, 3, 64, 64)
arguments = dict(backbone="test_resnet", **OPTIONS)
models = [
    timm.create_model("hf-hub:me/chain", pretrained=True).eval(),
    lambda x: AutoModelForImageClassification.from_pretrained("me/chain", model_args=arguments).eval()(x).logits,
]
result = [model(x).tolist() for model in models]
"""
    )
    fresh = run_client(code, hub, home=tmp_path / "fresh")
    assert fresh.ok == [logits, logits]
    assert not fresh.unpickled


def test_a_pretrained_backbone_is_fetched_once_and_saved_with_the_classifier(hub, home, tmp_path):
    stock = timm.create_model("test_resnet").state_dict()
    hub.publish(BACKBONE, {"model.safetensors": save(stock)})
    save_file(stock, tmp_path / "stock")

    code = (
        MODEL
        + f"""
from chainhead_plugin.models.timm_architectures import save_for_hf
from safetensors.torch import load_file
model = timm.create_model("chainhead", backbone="test_resnet", num_classes=3, pretrained_backbone=True)
stock = load_file({str(tmp_path / "stock")!r})
from chainhead_plugin import ChainHeadForImageClassification
image_model = ChainHeadForImageClassification.from_backbone("test_resnet.r160_in1k", freeze_backbone=True)
backbones = [model.backbone, image_model.backbone._backbone]
result = all(torch.equal(v, stock[k]) for one in backbones for k, v in one.state_dict().items())
save_for_hf(model, {str(tmp_path / "saved")!r})
"""
    )
    assert run_client(code, hub, home=home).ok
    assert hub.asked("model.safetensors")
    assert (
        "pretrained_backbone"
        not in json.loads((tmp_path / "saved" / "config.json").read_text())["model_args"]
    )

    code = MODEL + f"timm.create_model('local-dir:{tmp_path / 'saved'}', pretrained=True)"
    assert run_client(code, hub, home=tmp_path / "empty").network == []
