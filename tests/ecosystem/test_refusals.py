"""Calls that would be ignored, or silently give a wrong result, raise errors that say what to do."""

import pytest
import timm
import torch
import wrapped_models
from transformers import AutoConfig, AutoFeatureExtractor, AutoImageProcessor, AutoProcessor

import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadImageProcessor,
    ChainInterdependenceHead,
)

STACK = {"m": 3, "hidden_sizes": [6, 5], "num_labels": 2}


@pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated, and asks for every attribute
@pytest.mark.parametrize(
    "kind", ["head, inverse-bi", *[kind for kind in wrapped_models.MODELS if "head," not in kind]]
)
def test_torchscripts_tracer(kind):
    model, inputs = wrapped_models.build(kind)
    names = [
        name for name in ("input_features", "input_ids", "pixel_values", "past_values") if name in inputs
    ]
    args = tuple(inputs[name] for name in names)
    inner = model.model if kind == "timm" else model.head if kind.startswith("head") else model
    with pytest.raises(RuntimeError, match=r"torch\.export\.export"):
        torch.jit.trace(inner, args, strict=False)


@pytest.mark.parametrize("name", ["position_ids", "seq_idx", "cu_seq_lens_q", "max_length_k"])
@pytest.mark.parametrize("kind", ["nodes", "tokens", "random chain", "rows", "forecaster"])
def test_packed_chains(kind, name):
    model, inputs = wrapped_models.build(kind)
    with pytest.raises(TypeError, match=f"takes no {name}: chains are not packed"):
        model(**inputs, **{name: torch.zeros(4, 7, dtype=torch.long)})
    model(**inputs, **{name: None})


def test_misspelt_arguments_and_options():
    model, inputs = wrapped_models.build("nodes")
    with pytest.raises(TypeError, match="takes no argument 'atention_mask': did you mean 'attention_mask'"):
        model.chainhead(inputs["input_features"], atention_mask=inputs["attention_mask"])
    with pytest.raises(
        TypeError, match="neither the chain head nor test_resnet has an option 'scann': did you mean 'scan'"
    ):
        timm.create_model("chainhead", backbone="test_resnet", scann="row-major")


class TestReadersOfOtherFiles:
    series = str(registry.checkpoint_path("chainhead-japanese-vowels"))
    images = str(registry.checkpoint_path("chainhead-digits"))

    def test_each_gets_its_own(self):
        assert type(AutoProcessor.from_pretrained(self.series)) is ChainHeadFeatureExtractor
        assert type(AutoFeatureExtractor.from_pretrained(self.series)) is ChainHeadFeatureExtractor
        assert type(AutoProcessor.from_pretrained(self.images)) is ChainHeadImageProcessor
        assert type(AutoImageProcessor.from_pretrained(self.images)) is ChainHeadImageProcessor

    def test_the_other_is_named(self):
        for reader in (AutoImageProcessor, ChainHeadImageProcessor):
            with pytest.raises(ValueError, match="ChainHeadFeatureExtractor, no image processor: use Auto"):
                reader.from_pretrained(self.series)
        for reader in (AutoFeatureExtractor, ChainHeadFeatureExtractor):
            with pytest.raises(ValueError, match="ChainHeadImageProcessor, no feature extractor: use Auto"):
                reader.from_pretrained(self.images)


class TestOverrides:
    @pytest.fixture
    def folder(self, tmp_path):
        ChainHeadForSequenceClassification(ChainHeadConfig(**STACK)).save_pretrained(tmp_path, token=None)
        return tmp_path

    def test_what_follows_from_fields_follows_anew(self, folder):
        config = AutoConfig.from_pretrained(folder, hidden_sizes=[6, 9])
        assert (config.n, config.hidden_size, config.hidden_sizes) == (9, 9, [6, 9])
        model = ChainHeadForSequenceClassification.from_pretrained(
            folder, hidden_sizes=[6, 9], ignore_mismatched_sizes=True
        )
        assert model.classifier.in_features == 9

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"n": 99}, "differs from the last of hidden_sizes"),
            ({"freeze_backbone": True}, "without a backbone_config"),
        ],
    )
    def test_contradictions_are_found_before_a_model_is_built(self, folder, fields, message):
        with pytest.raises(Exception, match=message):
            AutoConfig.from_pretrained(folder, **fields)
        with pytest.raises(Exception, match=message):
            ChainHeadForSequenceClassification.from_pretrained(folder, **fields)
        config = ChainHeadConfig(**STACK)
        for name, value in fields.items():
            setattr(config, name, value)
        with pytest.raises(Exception, match=message):
            ChainHeadForSequenceClassification(config)


def test_the_softmax_that_is_on_by_default_shows():
    options = {"m": 3, "n": 2, "chain_length": 4}
    assert "with_softmax=True" in repr(ChainInterdependenceHead(**options))
    assert "softmax" not in repr(ChainInterdependenceHead(**options, with_softmax=False))
