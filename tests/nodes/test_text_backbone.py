"""An encoder of transformers in a text model: its inputs, frozen, copied and refused."""

import json
import time

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from text_models import SMALL, batch, build, every_model
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BartConfig,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    ViTConfig,
    ViTModel,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadModel,
)


def test_hidden_states_of_a_backbone_may_be_given_instead_of_tokens():
    model = build("bert")
    ids, mask = batch()
    nodes = model.chainhead.backbone(ids, attention_mask=mask).last_hidden_state
    assert torch.equal(model(nodes, mask).logits, model(input_ids=ids, attention_mask=mask).logits)


def test_segments_reach_backbones_that_know_them_and_are_refused_elsewhere():
    ids, mask = batch()
    segments = torch.ones_like(ids)
    model = build("bert")
    without = model(input_ids=ids, attention_mask=mask).logits
    assert not torch.allclose(
        model(input_ids=ids, attention_mask=mask, token_type_ids=segments).logits, without
    )
    with pytest.raises(TypeError, match="DistilBertModel has no segments"):
        build("distilbert")(input_ids=ids, token_type_ids=segments)
    with pytest.raises(ValueError, match="embedding of its own"):
        build("own")(input_ids=ids, token_type_ids=segments)
    with pytest.raises(ValueError, match="no effect without input_ids"):
        model(torch.ones(1, 2, 32), token_type_ids=segments)


def test_a_backbone_of_another_dtype():
    model = build("bert")
    model.chainhead.backbone.to(torch.bfloat16)
    assert model(input_ids=batch()[0]).logits.dtype == torch.float32


def test_attention_of_the_backbone_is_chosen_as_in_any_composite_model(tmp_path):
    build("bert").save_pretrained(tmp_path)
    for choice in ("eager", {"backbone_config": "sdpa"}):
        model = AutoModel.from_pretrained(tmp_path, attn_implementation=choice)
        expected = choice if isinstance(choice, str) else "sdpa"
        assert model.backbone.config._attn_implementation == expected


def test_a_frozen_backbone_stays_frozen(tmp_path):
    model = build("bert", freeze_backbone=True)
    model.save_pretrained(tmp_path)
    loaded, _ = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    for one in (model, loaded):
        one.train()
        assert one.classifier.training
        assert not any(module.training for module in one.chainhead.backbone.modules())
        ids, mask = batch()
        one(input_ids=ids, attention_mask=mask, labels=torch.tensor([0, 1, 2])).loss.backward()
        for name, parameter in one.named_parameters():
            assert parameter.requires_grad == (parameter.grad is not None) == ("backbone" not in name), name


def test_a_trained_backbone_is_trained_in_every_weight():
    model = build("bert").train()
    model(input_ids=batch()[0], labels=torch.tensor([0, 1, 2])).loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("source_class", [BertModel, BertForMaskedLM])
@pytest.mark.parametrize("by_path", [False, True])
@every_model
def test_from_backbone(source_class, by_path, model_class, tmp_path):
    encoder = source_class(BertConfig(**SMALL)).to(torch.bfloat16).eval()
    encoder.save_pretrained(tmp_path)
    model = model_class.from_backbone(
        tmp_path if by_path else encoder, hidden_sizes=[8], freeze_backbone=True
    )
    assert not model.training
    assert model.config.hidden_sizes == [8]
    ids, mask = batch()
    expected = encoder.base_model(ids, attention_mask=mask).last_hidden_state
    backbone = model.base_model.backbone
    assert torch.equal(backbone(ids, attention_mask=mask).last_hidden_state, expected)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    # A copy: training the one does not change the other.
    assert backbone.config is not encoder.config
    assert not {p.data_ptr() for p in backbone.parameters()} & {p.data_ptr() for p in encoder.parameters()}


def test_what_cannot_be_a_text_backbone():
    with pytest.raises(
        ValueError, match="ViTModel takes pixel_values, expected one of input_ids, input_values"
    ):
        ChainHeadModel.from_backbone(
            ViTModel(ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2))
        )
    with pytest.raises(ValueError, match="chainhead model's"):
        ChainHeadModel.from_backbone(build("own"))
    with pytest.raises(ValueError, match="BartConfig, of which transformers has no encoder"):
        ChainHeadModel(ChainHeadConfig(backbone_config=BartConfig(d_model=16)))
    with pytest.raises(StrictDataclassError, match="no effect"):
        ChainHeadModel.from_backbone(BertModel(BertConfig(**SMALL)), vocab_size=3)


def test_a_backbone_of_any_size_is_counted_before_it_is_built():
    config = ChainHeadConfig(backbone_config=BertConfig(max_position_embeddings=2**32))
    start = time.perf_counter()
    with pytest.raises(ValueError, match="weights, more than the 8,589,934,592 allowed"):
        ChainHeadModel(config)
    assert time.perf_counter() - start < 5


def test_a_hostile_backbone_names_no_code_to_import(tmp_path):
    build("bert").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["backbone_config"]["auto_map"] = {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    assert type(AutoModel.from_pretrained(tmp_path).backbone) is BertModel
