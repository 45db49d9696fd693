"""Weights of encoders that cannot be read, or are not all there, are told before anything is trained on them."""

from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    PatchTSTConfig,
    PatchTSTModel,
    ResNetConfig,
    ResNetModel,
    TimmBackbone,
    TimmBackboneConfig,
    VideoMAEConfig,
    VideoMAEImageProcessor,
    VideoMAEModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

from chainhead_plugin import (
    ChainHeadForAudioClassification,
    ChainHeadForImageClassification,
    ChainHeadForSequenceClassification,
    ChainHeadForVideoClassification,
)
from chainhead_plugin.recipes.pretrained.encoder import _FITTING, load_encoder
from chainhead_plugin.recipes.recipe import RecipeError

LAYER = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
WHISPER = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 8, "num_mel_bins": 8}
WHISPER |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_source_positions": 10}
WHISPER |= {f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "decoder_start")}
# By `Task.reads`: a model, and a weight of it that its nodes depend on.
ENCODERS = {
    "text": (BertModel(BertConfig(**LAYER, vocab_size=8)), "encoder.layer.0.output.dense.weight"),
    "nodes": (
        PatchTSTModel(PatchTSTConfig(d_model=8, ffn_dim=8, num_hidden_layers=1, num_attention_heads=2)),
        "encoder.layers.0.ff.0.weight",
    ),
    "pixels": (
        ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1])),
        "embedder.embedder.convolution.weight",
    ),
    "sound": (WhisperModel(WhisperConfig(**WHISPER)), "encoder.conv1.weight"),
    "video": (
        VideoMAEModel(VideoMAEConfig(**LAYER, image_size=16, patch_size=8, num_frames=2)),
        "encoder.layer.0.output.dense.weight",
    ),
}
MODELS = {
    "text": ChainHeadForSequenceClassification,
    "nodes": ChainHeadForSequenceClassification,
    "pixels": ChainHeadForImageClassification,
    "sound": ChainHeadForAudioClassification,
    "video": ChainHeadForVideoClassification,
}
every_kind = pytest.mark.parametrize("reads", ENCODERS)


def save_encoder(folder, reads):
    ENCODERS[reads][0].save_pretrained(folder)
    if reads == "text":
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
        (folder / "vocab.txt").write_text("\n".join(words))
        BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=8).save_pretrained(folder)
    processors = {
        "pixels": ViTImageProcessor,
        "video": VideoMAEImageProcessor,
        "sound": lambda: WhisperFeatureExtractor(feature_size=8, chunk_length=1),
    }
    if reads in processors:
        processors[reads]().save_pretrained(folder)
    return folder / "model.safetensors"


def initialised(folder, reads):
    task = SimpleNamespace(reads=reads)
    encoder = load_encoder(SimpleNamespace(encoder={"folder": "."}, folder=folder, task=task))
    backbone = encoder.new()
    encoder.initialise(backbone)
    return backbone


def test_the_table_has_every_kind():
    assert ENCODERS.keys() == MODELS.keys() == _FITTING.keys()


@every_kind
def test_missing_weights_are_an_error_that_names_them(tmp_path, reads):
    file = save_encoder(tmp_path, reads)
    weights = load_file(file)
    name = ENCODERS[reads][1]
    kept = initialised(tmp_path, reads).state_dict()
    assert any(torch.equal(value, weights[name]) for value in kept.values())
    del weights[name]
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(
        RecipeError, match=rf"lacks 1 of the weights of a \w+, such as .*{name}, which would be random"
    ):
        initialised(tmp_path, reads)


@every_kind
def test_they_are_an_error_of_models_made_in_python_too(tmp_path, reads):
    save_encoder(tmp_path, reads)
    model = MODELS[reads].from_backbone(tmp_path, num_labels=2)
    name = ENCODERS[reads][1]
    weights = ENCODERS[reads][0].state_dict()
    assert any(torch.equal(value, weights[name]) for value in model.state_dict().values())
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=rf"^{tmp_path} lacks 1 of the weights of a \w+, such as .*{name},"):
        MODELS[reads].from_backbone(tmp_path, num_labels=2)


def test_a_saved_backbone_of_timm_is_whole(tmp_path):
    saved = TimmBackbone._from_config(TimmBackboneConfig(backbone="resnet10t", out_indices=[1]))
    saved.save_pretrained(tmp_path)
    model = ChainHeadForImageClassification.from_backbone(tmp_path, num_labels=2)
    for name, weight in model.backbone.state_dict().items():
        assert torch.equal(weight, saved.state_dict()[name])


@every_kind
def test_damaged_weights_and_other_sizes_are_an_error(tmp_path, reads):
    file = save_encoder(tmp_path, reads)
    weights = load_file(file)
    name = ENCODERS[reads][1]
    save_file(weights | {name: weights[name][..., :1].clone()}, file, metadata={"format": "pt"})
    with pytest.raises(RecipeError, match=r"the weights in .* cannot be loaded"):
        initialised(tmp_path, reads)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RecipeError, match=r"the weights in .* cannot be loaded"):
        initialised(tmp_path, reads)
    file.rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(RecipeError, match=r"the weights in .* cannot be loaded: .*model\.safetensors"):
        initialised(tmp_path, reads)


def test_weights_behind_the_nodes_may_be_missing(tmp_path):
    torch.manual_seed(0)
    ViTModel(ViTConfig(**LAYER, image_size=16, patch_size=8), add_pooling_layer=False).save_pretrained(
        tmp_path
    )
    ViTImageProcessor().save_pretrained(tmp_path)
    assert initialised(tmp_path, "pixels").config.hidden_size == 8


def test_fields_of_other_types_are_an_error(tmp_path):
    save_encoder(tmp_path, "text")
    config = (tmp_path / "config.json").read_text("utf-8")
    (tmp_path / "config.json").write_text(config.replace('"hidden_size": 8', '"hidden_size": "x"'), "utf-8")
    with pytest.raises(
        RecipeError, match=r"is no text encoder with its tokenizer: Field 'hidden_size' expected int"
    ):
        initialised(tmp_path, "text")
