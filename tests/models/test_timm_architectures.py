"""timm's registry: backbones with a chain head as classifier, by timm's conventions."""

import copy
from textwrap import dedent

import pytest
import timm
import torch
from fresh_processes import run_fresh
from PIL import Image
from timm.data import Mixup
from timm.loss import SoftTargetCrossEntropy
from timm.models import FeatureListNet
from timm.optim import create_optimizer_v2
from timm.utils import ModelEmaV3
from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline

import chainhead_plugin
from chainhead_plugin.models.timm_architectures import save_for_hf
from chainhead_plugin.nodes.patches import scan_patches

chainhead_plugin.register()

OPTIONS = {"n": 8, "with_multihop": True, "h": 2, "scan": "row-major"}
NAMES = [
    "chainhead",
    "chainhead_convnext_atto",
    "chainhead_efficientnet_lite0",
    "chainhead_mobilenetv3_small_100",
    "chainhead_resnet18",
    "chainhead_vit_tiny_patch16_224",
]


def create(backbone="test_resnet", **options):
    return timm.create_model("chainhead", backbone=backbone, **{"num_classes": 3, "n": 8, **options}).eval()


def run(code):
    return run_fresh(code, warnings=["error"])


@pytest.mark.parametrize(
    "first",
    [
        "import chainhead_plugin, timm",
        "import timm, chainhead_plugin",
        "import chainhead_plugin.models.timm_architectures, timm",
        "import chainhead_plugin; from timm.models import create_model; import timm",
        "import registry, sys\nfor _ in range(2): assert not registry.load_plugins().failed\nimport timm",
    ],
)
def test_every_way_into_the_registry(first):
    done = run(first + "\nprint(timm.list_models('chainhead*'))")
    assert (done.returncode, done.stdout) == (0, f"{NAMES}\n"), done.stderr


CLASH = """
import timm
def chainhead_resnet18(pretrained=False, **kwargs):
    pass
import sys, types
chainhead_resnet18.__module__ = "timm.impostor"
sys.modules["timm.impostor"] = types.ModuleType("timm.impostor")
"""


def test_a_name_taken_by_another_package_is_an_error_that_names_both():
    done = run(CLASH + "timm.models.register_model(chainhead_resnet18)\nimport chainhead_plugin")
    assert done.returncode == 1
    # Python 3.10 knows few distributions by their modules.
    stderr = done.stderr.replace("the module 'timm'", "timm")
    assert (
        "RegistrationError: timm's architecture 'chainhead_resnet18' is already registered by timm "
        "(timm.impostor.chainhead_resnet18), so that chainhead-plugin cannot register it"
    ) in stderr


def test_a_name_taken_afterwards_is_an_error_of_the_next_registration():
    code = """
    import warnings, chainhead_plugin, registry
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        timm.models.register_model(chainhead_resnet18)
    [failed] = registry.load_plugins().failed
    print(failed.distribution, type(failed.error).__name__)
    """
    done = run(CLASH + dedent(code))
    assert done.stdout == "chainhead-plugin RegistrationError\n", done.stderr


@pytest.mark.parametrize("name", NAMES[1:])
def test_architectures(name):
    size = 224 if "vit" in name else 64
    model = timm.create_model(name, num_classes=5, in_chans=1, drop_path_rate=0.1, **OPTIONS).eval()
    x = torch.randn(2, 1, size, size)
    features = model.forward_features(x)
    assert features.shape[:2] == (2, model.num_features)
    assert model.forward_head(features, pre_logits=True).shape == (2, model.head_hidden_size) == (2, 8)
    assert torch.equal(model.forward_head(features), model(x))
    assert model(x).shape == (2, 5)
    stock = timm.get_pretrained_cfg(name.removeprefix("chainhead_"))
    cfg = model.pretrained_cfg
    assert (cfg["input_size"], cfg["mean"], cfg["std"]) == (stock.input_size, stock.mean, stock.std)
    assert model.get_submodule(cfg["first_conv"]).in_channels == 1
    assert model.get_submodule(cfg["classifier"]) is model.get_classifier()
    assert model.get_classifier(name_only=True) == cfg["classifier"]
    assert not timm.is_model_pretrained(name)
    assert model.default_cfg is cfg


@pytest.mark.parametrize("scan", ["row-major", "serpentine"])
def test_scan_is_what_a_loop_says(scan):
    maps = torch.randn(2, 3, 4, 5)
    chain = []
    for row in range(4):
        columns = range(5) if scan == "row-major" or row % 2 == 0 else range(4, -1, -1)
        chain += [maps[:, :, row, column] for column in columns]
    assert torch.equal(scan_patches(maps, scan), torch.stack(chain, 1))


@pytest.mark.parametrize(("backbone", "tokens"), [("test_resnet", False), ("test_vit", True)])
@pytest.mark.parametrize("scan", ["row-major", "serpentine"])
def test_output_is_the_head_over_the_stock_backbone(backbone, tokens, scan):
    model = create(backbone, scan=scan, global_pool="max")
    stock = timm.create_model(backbone).eval()
    stock.load_state_dict(model.backbone.state_dict(), strict=False)
    x = torch.randn(2, 3, 160, 160)
    features = stock.forward_features(x)
    if tokens:
        patches = features[:, stock.num_prefix_tokens :].reshape(2, 10, 10, -1).permute(0, 3, 1, 2)
    else:
        patches = features
    nodes = model.head.chain_head(scan_patches(patches, scan))
    torch.testing.assert_close(model(x), model.head.fc(nodes.amax(1)))


def test_channels_last_backbones_and_images_that_are_not_square():
    model = create(
        "swin_tiny_patch4_window7_224", img_size=(64, 96), window_size=4, embed_dim=24, depths=(1,) * 4
    )
    assert model.forward_features(torch.randn(1, 3, 64, 96)).shape == (1, 192, 2, 3)
    model = create("test_vit", img_size=(32, 64))
    assert model.forward_features(torch.randn(1, 3, 32, 64)).shape == (1, 64, 2, 4)
    assert model(torch.randn(1, 3, 32, 64)).shape == (1, 3)


def test_resetting_the_classifier():
    model = create(chain_length=25, global_pool="flatten")
    x = torch.randn(2, 3, 160, 160)
    nodes = model.head.chain_head(scan_patches(model.forward_features(x), "serpentine"))
    assert model.head_hidden_size == 25 * 8
    model.reset_classifier(7)
    assert model(x).shape == (2, 7)
    for pooling, expected in (("avg", nodes.mean(1)), ("last", nodes[:, -1]), ("", nodes)):
        model.reset_classifier(0, pooling)
        torch.testing.assert_close(model(x), expected)
    model.half().train().reset_classifier(2, "avg")
    assert (model.num_classes, model.head.fc.weight.dtype, model.head.fc.training) == (2, torch.float16, True)
    model.reset_classifier(0)
    assert isinstance(model.get_classifier(), torch.nn.Identity)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"backbone": "resnet19"}, ValueError, "'resnet19' is not in timm's registry"),
        ({"backbone": "hf-hub:someone/thing"}, ValueError, "load_state_dict"),
        ({"backbone": "chainhead_resnet18"}, ValueError, "has a chain head already"),
        ({"backbone": None}, TypeError, "chainhead needs backbone"),
        ({"backbone": "crossvit_tiny_240"}, ValueError, "CrossVit cannot do without pooling"),
        ({"scan": "spiral"}, ValueError, "scan must be one of row-major, serpentine, got 'spiral'"),
        ({"global_pool": "token"}, ValueError, "global_pool must be one of"),
        ({"global_pool": ""}, ValueError, "needs num_classes=0"),
        ({"global_pool": "flatten"}, ValueError, "needs chain_length"),
        ({"num_classes": -2}, ValueError, "num_classes must be a whole number of at least 0, got -2"),
        ({"with_lorr": True, "with_dual_lphm": True}, ValueError, "contradict each other"),
        ({"with_lor": True}, TypeError, "with_lor"),
        ({"pretrained_cfg": "a1_in1k"}, ValueError, "chainhead has no weights, hence no tag 'a1_in1k'"),
        ({"pretrained": True}, RuntimeError, "No pretrained weights exist for chainhead"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        create(**options)


def test_wrong_tags_and_backbones_of_architectures():
    with pytest.raises(ValueError, match=r"chainhead_resnet18 has no weights, hence no tag 'a1_in1k'"):
        timm.create_model("chainhead_resnet18.a1_in1k")
    with pytest.raises(TypeError, match="choose another with"):
        timm.create_model("chainhead_resnet18", backbone="resnet34")
    with pytest.raises(RuntimeError, match=r"Invalid pretrained tag \(no_such\) for resnet18"):
        create("resnet18.no_such")
    with pytest.raises(ValueError, match=r"gives features of shape \(1, 192\), neither a map nor tokens"):
        create("deit_tiny_distilled_patch16_224")(torch.randn(1, 3, 224, 224))


def state_equal(one, other):
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_saved_models_load_with_timm_and_with_transformers(tmp_path):
    model = create(in_chans=1, **OPTIONS, drop_rate=0.2)
    model.reset_classifier(4, "max")
    x = torch.randn(2, 1, 64, 64)
    save_for_hf(model, tmp_path, model_config={"label_names": list("abcd")})
    names = {"config.json", "model.safetensors", "preprocessor_config.json"}
    assert {file.name for file in tmp_path.iterdir()} == names
    loaded = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    assert state_equal(model, loaded)
    assert torch.equal(loaded(x), model(x))

    wrapped = AutoModelForImageClassification.from_pretrained(tmp_path).eval()
    assert torch.equal(wrapped(x).logits, model(x))
    assert wrapped.config.id2label == dict(enumerate("abcd"))
    assert torch.equal(wrapped(x, output_hidden_states=True).logits, model(x))
    assert AutoImageProcessor.from_pretrained(tmp_path).do_grayscale
    wrapped.save_pretrained(tmp_path / "again")
    again = AutoModelForImageClassification.from_pretrained(tmp_path / "again").eval()
    assert torch.equal(again(x).logits, model(x))


def test_what_timm_itself_saves_loads_with_timm_and_with_a_word_also_with_transformers(tmp_path):
    model = create("test_vit", **OPTIONS)
    x = torch.randn(2, 3, 160, 160)
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True)
    assert torch.equal(timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()(x), model(x))
    arguments = {"backbone": "test_vit", **OPTIONS}
    wrapped = AutoModelForImageClassification.from_pretrained(tmp_path, model_args=arguments).eval()
    assert torch.equal(wrapped(x).logits, model(x))


def test_weights_adapt_to_other_classes_and_channels(tmp_path):
    model = create()
    save_for_hf(model, tmp_path)
    loaded = timm.create_model(f"local-dir:{tmp_path}", pretrained=True, num_classes=9, in_chans=1).eval()
    assert loaded(torch.randn(1, 1, 64, 64)).shape == (1, 9)
    assert torch.equal(loaded.head.chain_head.bias, model.head.chain_head.bias)
    first = model.pretrained_cfg["first_conv"] + ".weight"
    torch.testing.assert_close(loaded.state_dict()[first], model.state_dict()[first].sum(1, keepdim=True))
    checkpoint = tmp_path / "model.safetensors"
    assert state_equal(create(checkpoint_path=checkpoint), model)


def test_a_model_of_one_channel_in_a_pipeline(tmp_path):
    model = create(in_chans=1, num_classes=3).eval()
    save_for_hf(model, tmp_path)
    classify = pipeline("image-classification", model=str(tmp_path), device="cpu", top_k=3)
    grey = Image.linear_gradient("L")
    data = timm.data.resolve_model_data_config(model)
    one_channel = {name: (sum(data[name]) / len(data[name]),) for name in ("mean", "std")}
    pixels = timm.data.create_transform(**data | one_channel)(grey)
    expected = model(pixels[None]).softmax(-1)[0].tolist()
    for image in (grey, grey.convert("RGB")):
        found = {entry["label"]: entry["score"] for entry in classify(image)}
        scores = [found[classify.model.config.id2label[number]] for number in range(3)]
        assert scores == pytest.approx(expected, abs=0.005)
    assert timm.create_model(f"local-dir:{tmp_path}", pretrained=True).in_chans == 1


@pytest.mark.parametrize("backbone", ["test_resnet", "test_vit"])
def test_features_only(backbone, tmp_path):
    model = create(backbone)
    save_for_hf(model, tmp_path)
    features = timm.create_model(f"local-dir:{tmp_path}", pretrained=True, features_only=True).eval()
    stock = timm.create_model(backbone, features_only=True).eval()
    x = torch.randn(1, 3, 160, 160)
    assert (
        [y.shape[1] for y in features(x)] == features.feature_info.channels() == stock.feature_info.channels()
    )
    assert not any("head" in name for name, _ in features.named_parameters())
    if isinstance(stock, FeatureListNet):
        stock.load_state_dict(model.backbone.state_dict(), strict=False)
        for one, other in zip(features(x), stock(x), strict=True):
            torch.testing.assert_close(one, other)
    [last] = timm.create_model("chainhead", backbone=backbone, features_only=True, out_indices=[-1])(x)
    assert last.shape == features(x)[-1].shape


def test_layer_decay_and_weight_decay_follow_the_backbone():
    for backbone in ("test_resnet", "test_vit"):
        model, stock = create(backbone), timm.create_model(backbone)
        ours = timm.models.group_parameters(model, model.group_matcher(), reverse=True)
        theirs = timm.models.group_parameters(stock, stock.group_matcher(), reverse=True)
        theirs = {name: depth for name, depth in theirs.items() if f"backbone.{name}" in ours}
        assert {name: ours[f"backbone.{name}"] for name in theirs} == theirs
        assert (
            ours["head.fc.weight"]
            == ours["head.chain_head.bias"]
            == max(ours.values())
            > max(theirs.values())
        )
        coarse = timm.models.group_modules(model, model.group_matcher(coarse=True))
        assert 2 < len(coarse) <= len(timm.models.group_modules(model, model.group_matcher()))
        optimizer = create_optimizer_v2(model, opt="adamw", lr=0.1, weight_decay=0.1, layer_decay=0.5)
        scales = {id(p): group["lr_scale"] for group in optimizer.param_groups for p in group["params"]}
        assert scales.keys() == {id(p) for p in model.parameters()}
        assert scales[id(model.head.fc.weight)] == 1 > scales[id(next(model.backbone.parameters()))]
    assert {"backbone.pos_embed", "backbone.cls_token"} <= model.no_weight_decay()
    decayed = create_optimizer_v2(model, opt="adamw", weight_decay=0.1).param_groups[1]["params"]
    assert not any(model.backbone.pos_embed is parameter for parameter in decayed)


def test_backbones_without_depths_have_one():
    model = create("poolformer_s12")
    depths = timm.models.group_parameters(model, model.group_matcher(), reverse=True)
    assert {depths["head.fc.bias"]} == {1} == set(depths.values()) - {0}


def test_training_with_mixup_checkpointing_and_averaged_weights():
    model = create("test_vit", drop_rate=0.1, num_classes=4).train()
    ema = ModelEmaV3(model, decay=0.5)
    images, labels = torch.randn(8, 3, 160, 160), torch.arange(8) % 4
    images, targets = Mixup(mixup_alpha=0.2, num_classes=4)(images, labels)
    other = copy.deepcopy(model)
    other.set_grad_checkpointing()
    for one in (model, other):
        torch.manual_seed(0)
        SoftTargetCrossEntropy()(one(images), targets).backward()
    for (name, one), two in zip(model.named_parameters(), other.parameters(), strict=True):
        assert one.grad.isfinite().all(), name
        torch.testing.assert_close(one.grad, two.grad)
    before = ema.module.head.fc.weight.clone()
    create_optimizer_v2(model, opt="sgd", lr=0.1).step()
    ema.update(model)
    torch.testing.assert_close(ema.module.head.fc.weight, (before + model.head.fc.weight) / 2)


def test_dtype_and_device():
    model = create(dtype=torch.bfloat16, device="cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model(torch.randn(1, 3, 64, 64, dtype=torch.bfloat16)).dtype == torch.bfloat16
    with torch.device("meta"):
        assert all(parameter.is_meta for parameter in create().parameters())
