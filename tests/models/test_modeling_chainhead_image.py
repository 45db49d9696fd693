"""Image classification with rows, patches or a backbone's feature map as the nodes of a chain."""

import copy

import numpy as np
import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from PIL import Image
from sklearn.datasets import load_digits
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    BertConfig,
    BitImageProcessor,
    Dinov2Config,
    ResNetBackbone,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    TimmBackbone,
    TimmBackboneConfig,
    ViTImageProcessor,
    pipeline,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForImageClassification,
    ChainHeadImageProcessor,
    ChainHeadModel,
)

RESNET = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
CONFIGS = {
    "rows": {"image_size": [12, 16], "hidden_sizes": [8, 6], "enable_bias": True, "with_batch_norm": True},
    "patches": {"image_size": [12, 16], "patch_size": 4, "pooling": "flatten", "chain_length": 12},
    "resnet": {"backbone_config": ResNetConfig(**RESNET), "freeze_backbone": True},
    "timm": {"backbone_config": TimmBackboneConfig(backbone="test_resnet"), "m": 96, "scan": "row-major"},
    "timm-tokens": {"backbone_config": TimmBackboneConfig(backbone="test_vit"), "m": 64},
    "swin": {
        "backbone_config": SwinConfig(
            image_size=32, embed_dim=8, depths=[1, 1], num_heads=[1, 1], window_size=2
        ),
    },
    "dinov2": {
        "backbone_config": Dinov2Config(
            image_size=28, hidden_size=16, num_hidden_layers=1, num_attention_heads=1, patch_size=14
        ),
    },
}
SIZES = {
    "resnet": (32, 48),
    "timm": (64, 96),
    "timm-tokens": (160, 160),
    "swin": (32, 32),
    "dinov2": (28, 28),
}
every_input = pytest.mark.parametrize("kind", CONFIGS)


def build(kind, **extra):
    config = ChainHeadConfig(**{"num_labels": 3, "n": 6, **copy.deepcopy(CONFIGS[kind]), **extra})
    return ChainHeadForImageClassification(config).eval()


def images(kind, batch=2):
    return torch.randn(batch, 3, *SIZES.get(kind, (12, 16)))


def state_equal(one, other):
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def saved_fields(config):
    fields = config.to_dict() | {"dtype": None, "_name_or_path": None}
    if fields["backbone_config"] is not None:
        # Older transformers notes the weights' dtype there too.
        fields["backbone_config"] |= {"dtype": None}
    return fields


def digits():
    pixels, labels = load_digits(return_X_y=True)
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(labels)


@every_input
def test_save_and_load_are_bit_exact_also_into_poisoned_memory(kind, tmp_path):
    model, x = build(kind), images(kind)
    with torch.no_grad():
        for buffer in model.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 1)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert list(tmp_path.glob("model-*.safetensors")) or kind in ("rows", "patches", "resnet")
    poison = [torch.full((64, 64), float("nan")) for _ in range(50)]
    del poison
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path)
    assert type(loaded) is ChainHeadForImageClassification
    assert state_equal(model, loaded)
    assert torch.equal(loaded(x).logits, model(x).logits)
    assert saved_fields(loaded.config) == saved_fields(model.config)


def test_rows_are_nodes_from_top_to_bottom():
    model, x = build("rows"), images("rows")
    nodes = torch.stack([torch.cat([x[:, channel, row] for channel in range(3)], 1) for row in range(12)], 1)
    assert nodes.shape == (2, 12, model.config.m)
    expected = model.classifier(model.chainhead(nodes).last_hidden_state.mean(1))
    torch.testing.assert_close(model(x).logits, expected)
    assert model(x[:, :, :5]).logits.shape == (2, 3)


@pytest.mark.parametrize("scan", ["row-major", "serpentine", None])
def test_patches_are_nodes_along_the_scan(scan):
    model, x = build("patches", scan=scan), images("patches")
    chain = []
    for row in range(3):
        backwards = scan != "row-major" and row % 2 == 1
        columns = range(3, -1, -1) if backwards else range(4)
        chain += [x[:, :, 4 * row : 4 * row + 4, 4 * c : 4 * c + 4].flatten(1) for c in columns]
    expected = model.classifier(model.chainhead(torch.stack(chain, 1)).last_hidden_state.flatten(1))
    torch.testing.assert_close(model(x).logits, expected)


@pytest.mark.parametrize("kind", ["resnet", "timm", "timm-tokens", "swin", "dinov2"])
def test_places_of_the_last_feature_map_are_nodes(kind):
    model, x = build(kind), images(kind)
    features = model.backbone(x).feature_maps[-1]
    nodes = features.permute(0, 2, 3, 1).clone()
    if kind != "timm":
        nodes[:, 1::2] = nodes[:, 1::2].flip(2)
    expected = model.classifier(model.chainhead(nodes.flatten(1, 2)).last_hidden_state.mean(1))
    torch.testing.assert_close(model(x).logits, expected)


def test_channels_last_maps_of_timm():
    backbone = TimmBackboneConfig(backbone="swin_tiny_patch4_window7_224")
    model = ChainHeadForImageClassification(ChainHeadConfig(backbone_config=backbone, m=768)).eval()
    x = torch.randn(1, 3, 224, 224)
    assert model.backbone(x).feature_maps[-1].shape == (1, 7, 7, 768)
    assert model(x, output_hidden_states=True).hidden_states[0].shape == (1, 49, 768)


@every_input
@pytest.mark.parametrize("frozen", [False, True])
def test_training_and_freezing(kind, frozen, tmp_path):
    if "backbone_config" not in CONFIGS[kind]:
        if frozen:
            pytest.skip("there is nothing to freeze")
        model = build(kind)
    else:
        build(kind, **{"freeze_backbone": frozen} if kind != "resnet" else {}).save_pretrained(tmp_path)
        model = ChainHeadForImageClassification.from_pretrained(tmp_path, freeze_backbone=frozen)
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.train()
    model(images(kind), labels=torch.tensor([0, 2])).loss.backward()
    optimizer.step()
    changed = {
        key.split(".")[0] for key, value in model.state_dict().items() if not torch.equal(value, before[key])
    }
    assert changed - {"chainhead"} == {"classifier"} | (
        {"backbone"} if model.backbone and not frozen else set()
    )
    if model.backbone:
        assert model.backbone.training is not frozen
        assert {parameter.requires_grad for parameter in model.backbone.parameters()} == {not frozen}


def test_learning_digits_from_rows_of_pixels():
    x, y = digits()
    x, order = x / 8 - 1, torch.randperm(len(x))
    train, test = order[:1400], order[1400:]
    config = ChainHeadConfig(
        image_size=8, num_channels=1, hidden_sizes=[64], pooling="flatten", chain_length=8, num_labels=10
    )
    model = ChainHeadForImageClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(12):
        for batch in train[torch.randperm(1400)].split(64):
            optimizer.zero_grad()
            model(x[batch], labels=y[batch]).loss.backward()
            optimizer.step()
    accuracy = (model.eval()(x[test]).logits.argmax(1) == y[test]).float().mean()
    assert accuracy > 0.94


def test_starting_from_a_backbone(tmp_path):
    source = ResNetForImageClassification(ResNetConfig(**RESNET)).eval()
    source.save_pretrained(tmp_path)
    x = torch.randn(1, 3, 32, 32)
    for backbone in (tmp_path, str(tmp_path), ResNetBackbone.from_pretrained(tmp_path).to(torch.float64)):
        model = ChainHeadForImageClassification.from_backbone(backbone, num_labels=4, freeze_backbone=True)
        assert not model.training
        dtype = getattr(backbone, "dtype", torch.float32)
        assert model.dtype == dtype
        expected = source.to(dtype).resnet(x.to(dtype)).last_hidden_state
        torch.testing.assert_close(model.backbone(x.to(dtype)).feature_maps[-1], expected)
        assert not any(parameter.requires_grad for parameter in model.backbone.parameters())
    timm_backbone = TimmBackbone(TimmBackboneConfig(backbone="test_vit")).eval()
    model = ChainHeadForImageClassification.from_backbone(timm_backbone, n=8)
    assert state_equal(model.backbone, timm_backbone)
    with pytest.raises(ValueError, match="ChainHeadModel is no image backbone"):
        ChainHeadForImageClassification.from_backbone(ChainHeadModel(ChainHeadConfig()))


def test_a_base_checkpoint_loads_into_the_task_model_and_back(tmp_path):
    base = ChainHeadModel(ChainHeadConfig(m=48, n=6))
    base.save_pretrained(tmp_path / "base")
    task = ChainHeadForImageClassification.from_pretrained(tmp_path / "base", image_size=16, num_labels=3)
    assert state_equal(task.chainhead, base)
    task.save_pretrained(tmp_path / "task")
    assert state_equal(ChainHeadModel.from_pretrained(tmp_path / "task"), base)


@pytest.mark.parametrize("kind", ["rows", "patches", "swin"])
def test_conventions_of_transformers(kind):
    model, x = build(kind, hidden_sizes=[8, 6]), images(kind)
    output = model(x, output_hidden_states=True)
    assert [state.shape[2] for state in output.hidden_states] == [model.config.m, 8, 6]
    assert torch.equal(model(x, return_dict=False)[0], output.logits)
    assert model.main_input_name == "pixel_values"
    assert model(x.double()).logits.dtype == torch.float32
    assert copy.deepcopy(model).bfloat16()(x).logits.dtype == torch.bfloat16
    with pytest.raises(TypeError, match="takes no argument 'pixel_value'"):
        model(x, pixel_value=x)
    other = copy.deepcopy(model).train()
    enable = getattr(other, "activation_checkpointing_enable", other.gradient_checkpointing_enable)
    enable()
    model.train()
    for one in (model, other):
        for module in one.modules():
            if hasattr(module, "drop_prob"):
                module.drop_prob = 0.0
        one(x, labels=torch.tensor([0, 1])).loss.backward()
    for first, second in zip(model.parameters(), other.parameters(), strict=True):
        if first.grad is not None:
            torch.testing.assert_close(first.grad, second.grad)


def test_losses():
    x = images("rows", batch=3)
    for problem, labels in (("regression", torch.rand(3, 3)), ("multi_label_classification", torch.eye(3))):
        model = build("rows", problem_type=problem)
        loss = torch.nn.MSELoss() if problem == "regression" else torch.nn.BCEWithLogitsLoss()
        output = model(x, labels=labels)
        torch.testing.assert_close(output.loss, loss(output.logits, labels))


def test_device_map(tmp_path):
    model = build("timm")
    model.save_pretrained(tmp_path)
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path, device_map="auto")
    assert state_equal(model, loaded.cpu())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"image_size": 8, "m": 8},
            "m=8 differs from the 24 features that image_size=8 give",
        ),
        ({"image_size": [8, 8, 8]}, "image_size must be a height and a width"),
        ({"image_size": 0}, "the height in image_size must be a whole number between 1 and"),
        ({"image_size": 2**40}, "the height in image_size must be a whole number between 1 and"),
        ({"image_size": 8, "num_channels": 0}, "num_channels must be a whole number between 1 and"),
        ({"num_channels": 3}, "num_channels=3 has no effect without"),
        ({"image_size": 9, "patch_size": 4}, "image_size=9 is not a multiple of patch_size=4"),
        ({"patch_size": 2**20}, "m must be a whole number between 1 and"),
        ({"scan": "row-major"}, "scan='row-major' has no effect without patches"),
        ({"image_size": 8, "scan": "row-major"}, "scan='row-major' has no effect without patches"),
        ({"image_size": 8, "scan": "spiral"}, "scan"),
        ({"image_size": 8, "vocab_size": 9}, "images or tokens"),
        ({"image_size": 8, "backbone_config": ResNetConfig(**RESNET)}, "image_size=8 without effect"),
        ({"image_size": 8, "prediction_length": 2}, "forecasters take past_values"),
        ({"scan": "row-major", "backbone_config": BertConfig()}, "scan='row-major' has no effect"),
        ({"image_size": 64, "pooling": "flatten"}, "images have 64: set chain_length=64"),
    ],
)
def test_bad_fields_are_named(fields, message):
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        ChainHeadConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "describes no images"),
        ({"vocab_size": 9}, "describes no images"),
        (
            {"backbone_config": BertConfig(hidden_size=8, num_attention_heads=1)},
            "no image backbone with a BertConfig",
        ),
        ({"backbone_config": TimmBackboneConfig(backbone="resnet18"), "m": 96}, "set m=512"),
        (
            {"backbone_config": TimmBackboneConfig(backbone="hf-hub:someone/thing"), "m": 96},
            "no architecture of timm",
        ),
        ({"backbone_config": TimmBackboneConfig(), "m": 96}, "names None"),
        ({"backbone_config": ResNetConfig(**RESNET, out_features=["stage1"]), "m": 16}, "set m=8"),
    ],
)
def test_configurations_that_are_not_of_images(fields, message):
    with pytest.raises(ValueError, match=message):
        ChainHeadForImageClassification(ChainHeadConfig(**fields))


def test_a_feature_map_from_the_midst_of_a_backbone():
    config = ChainHeadConfig(backbone_config=ResNetConfig(**RESNET, out_features=["stage1"]), m=8)
    output = ChainHeadForImageClassification(config)(torch.randn(1, 3, 32, 32), output_hidden_states=True)
    assert output.hidden_states[0].shape == (1, 64, 8)


def test_images_that_do_not_fit():
    with pytest.raises(ValueError, match=r"shape \(1, 1, 12, 16\), expected \[batch, 3, height, 16\]"):
        build("rows")(torch.randn(1, 1, 12, 16))
    with pytest.raises(ValueError, match="multiples of patch_size=4"):
        build("patches")(torch.randn(1, 3, 12, 18))
    with pytest.raises(ValueError, match=r"torch\.uint8 of shape"):
        build("rows")(torch.zeros(1, 3, 12, 16, dtype=torch.uint8))


@pytest.mark.parametrize("channels", [1, 3])
def test_pipeline_from_a_folder(channels, tmp_path):
    config = ChainHeadConfig(
        image_size=[8, 10], num_channels=channels, num_labels=3, id2label=dict(enumerate("abc"))
    )
    model = ChainHeadForImageClassification(config).eval()
    model.save_pretrained(tmp_path)
    ChainHeadImageProcessor.for_config(config).save_pretrained(tmp_path)
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 10), dtype=np.uint8))
    classify = pipeline("image-classification", model=str(tmp_path))
    single = classify(grey, top_k=3)
    expected = torch.tensor(np.array(grey), dtype=torch.float32) / 127.5 - 1
    probabilities = model(expected.expand(1, channels, 8, 10)).logits.softmax(1)[0]
    assert {one["label"]: pytest.approx(one["score"], abs=1e-5) for one in single} == dict(
        zip("abc", probabilities.tolist(), strict=True)
    )
    several = classify(
        [grey, grey.convert("RGB"), grey.convert("RGBA").resize((50, 30))], batch_size=2, top_k=3
    )
    assert several[0] == several[1] == single
    assert len(several) == 3


def test_grey_is_pillows_grey():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    processor = ChainHeadImageProcessor(
        do_grayscale=True, do_resize=False, do_rescale=False, do_normalize=False
    )
    ours = processor(Image.fromarray(pixels), return_tensors="np")["pixel_values"][0, 0]
    assert np.array_equal(ours, np.array(Image.fromarray(pixels).convert("L")))
    assert np.array_equal(processor(pixels, return_tensors="np")["pixel_values"][0, 0], ours)
    alone = processor(ours[:, :, None], do_convert_rgb=False, return_tensors="np")["pixel_values"][0, 0]
    assert np.array_equal(alone, ours)
    with pytest.raises(ValueError, match="do not say what images become"):
        ChainHeadImageProcessor.for_config(ChainHeadConfig())


@pytest.mark.parametrize(
    "processor",
    [
        ViTImageProcessor(size={"height": 32, "width": 32}),
        BitImageProcessor(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}),
    ],
    ids=lambda one: type(one).__name__,
)
def test_processors_of_other_models_serve_beside_a_backbone(processor, tmp_path):
    build("resnet").save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    picture = Image.fromarray(np.zeros((50, 60, 3), np.uint8))
    assert (
        AutoImageProcessor.from_pretrained(tmp_path)(picture, return_tensors="pt")["pixel_values"].shape[2]
        == 32
    )
    assert len(pipeline("image-classification", model=str(tmp_path))([picture] * 3, batch_size=2)) == 3


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_input
def test_cuda(kind):
    model, x = build(kind), images(kind)
    expected = model(x).logits
    torch.testing.assert_close(model.cuda()(x.cuda()).logits.cpu(), expected, rtol=1e-3, atol=1e-3)
