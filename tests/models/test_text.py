"""Text models, with their own embedding or with an encoder of transformers."""

import copy

import pytest
import torch
from safetensors.torch import load_file, save_file
from text_models import MODELS, batch, build, every_input, every_model, fields
from torch.nn import functional as F
from transformers import (
    AutoModel,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadModel,
)


@every_input
@every_model
def test_save_and_load_are_bit_exact(source, model_class, tmp_path):
    model = build(source, model_class)
    ids, mask = batch()
    expected = model(input_ids=ids, attention_mask=mask)[0]
    model.save_pretrained(tmp_path)
    loaded = MODELS[model_class].from_pretrained(tmp_path)
    assert type(loaded) is model_class
    assert loaded.main_input_name == "input_ids"
    assert torch.equal(loaded(input_ids=ids, attention_mask=mask)[0], expected)


@every_input
def test_a_padded_text_gives_what_it_gives_alone(source):
    model = build(source)
    ids, mask = batch()
    together = model(input_ids=ids, attention_mask=mask).logits
    assert together.std() > 0.01
    for row, length in enumerate(mask.sum(1)):
        alone = model(input_ids=ids[row : row + 1, :length]).logits
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-5)
    # Encoders with absolute positions count the padding on the left, as everywhere in transformers.
    if source in ("own", "roberta", "t5", "modernbert"):
        pad = model.config.pad_token_id
        left = [
            F.pad(ids[row, :length], (9 - length, 0), value=pad) for row, length in enumerate(mask.sum(1))
        ]
        padded_left = model(input_ids=torch.stack(left), attention_mask=mask.flip(1)).logits
        torch.testing.assert_close(padded_left, together, rtol=1e-4, atol=1e-5)


@every_input
def test_the_embedding_is_found_replaced_and_resized(source, tmp_path):
    model = build(source)
    embedding = model.get_input_embeddings()
    assert embedding.num_embeddings == 50
    before = embedding.weight.detach().clone()
    model.resize_token_embeddings(60)
    assert model.config.get_text_config().vocab_size == 60
    assert torch.equal(model.get_input_embeddings().weight[:50], before)
    ids = torch.full((1, 4), 59)
    expected = model(input_ids=ids).logits
    model.save_pretrained(tmp_path)
    assert torch.equal(type(model).from_pretrained(tmp_path)(input_ids=ids).logits, expected)
    other = torch.nn.Embedding(7, embedding.embedding_dim)
    model.set_input_embeddings(other)
    assert model.get_input_embeddings() is other
    assert model.base_model.get_input_embeddings() is other


def test_float_models_have_no_embedding():
    model = ChainHeadForSequenceClassification(ChainHeadConfig())
    assert model.main_input_name == "input_features"
    assert model.get_input_embeddings() is None
    with pytest.raises(NotImplementedError, match="embeds no tokens"):
        model.set_input_embeddings(torch.nn.Embedding(2, 2))


def test_the_embedding_is_a_table_and_its_output_may_be_given_instead():
    model = build("own")
    ids, mask = batch()
    nodes = model.get_input_embeddings().weight[ids]
    assert torch.equal(model(nodes, mask).logits, model(input_ids=ids, attention_mask=mask).logits)
    assert torch.equal(model(nodes, mask).logits, model(input_ids=ids.int(), attention_mask=mask).logits)


def test_the_padding_token_starts_at_zero_and_stays(tmp_path):
    model = ChainHeadForSequenceClassification(ChainHeadConfig(**fields("own"))).train()
    weight = model.get_input_embeddings().weight
    assert not weight[0].any()
    assert 0.8 < weight[1:].std() < 1.2
    model(input_ids=torch.tensor([[0, 3]]), labels=torch.tensor([1])).loss.backward()
    assert weight.grad[3].any()
    assert not weight.grad[0].any()


def test_an_embedding_that_a_checkpoint_lacks_is_initialised(tmp_path):
    build("own").save_pretrained(tmp_path)
    # Copies: safetensors writes in place, also under tensors that are mapped from the file.
    weights = {key: value.clone() for key, value in load_file(tmp_path / "model.safetensors").items()}
    del weights["chainhead.embed_tokens.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    weight = AutoModel.from_pretrained(tmp_path).get_input_embeddings().weight
    assert 0.8 < weight[1:].std() < 1.2
    assert not weight[0].any()


def test_inputs_that_do_not_fit():
    model, ids = build("own"), batch()[0]
    for given in ({}, {"input_ids": ids, "input_features": torch.ones(3, 9, 16)}):
        with pytest.raises(ValueError, match="exactly one of input_features and input_ids"):
            model(**given)
    for wrong in (ids[0], ids.float()):
        with pytest.raises(ValueError, match=r"expected int64 or int32 \[batch, length\]"):
            model(input_ids=wrong)
    with pytest.raises(ValueError, match="expected one value per node"):
        build("bert")(input_ids=ids, attention_mask=torch.ones(3, 8))
    with pytest.raises(ValueError, match="for input_ids set vocab_size or backbone_config"):
        ChainHeadModel(ChainHeadConfig())(input_ids=ids)
    with pytest.raises(TypeError, match="takes no argument 'inputs_embeds'"):
        build("bert")(input_ids=ids, inputs_embeds=torch.ones(3, 9, 32))


@every_input
def test_hidden_states_and_tuples(source):
    model = build(source)
    ids, mask = batch()
    output = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    assert [state.size(-1) for state in output.hidden_states] == [model.config.m, 8, 6]
    assert torch.equal(model(input_ids=ids, attention_mask=mask, return_dict=False)[0], output.logits)


@pytest.mark.parametrize(
    ("source", "frozen"), [("own", None), ("bert", False), ("bert", True), ("modernbert", False)]
)
def test_gradient_checkpointing_gives_the_same_gradients(source, frozen):
    model = build(source, **({} if frozen is None else {"freeze_backbone": frozen})).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    checkpointed = copy.deepcopy(model)
    enable = getattr(
        checkpointed, "activation_checkpointing_enable", checkpointed.gradient_checkpointing_enable
    )
    enable()
    ids, mask = batch()
    for one in (model, checkpointed):
        one(input_ids=ids, attention_mask=mask, labels=torch.tensor([0, 1, 2])).loss.backward()
    for (name, first), second in zip(model.named_parameters(), checkpointed.parameters(), strict=True):
        assert (first.grad is None) == (second.grad is None) == (frozen is True and "backbone" in name), name
        if first.grad is not None:
            torch.testing.assert_close(first.grad, second.grad)


@every_input
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_dtypes(source, dtype, tmp_path):
    model = build(source)
    ids, mask = batch()
    expected = model(input_ids=ids, attention_mask=mask).logits
    got = model.to(dtype)(input_ids=ids, attention_mask=mask).logits
    assert got.dtype == dtype
    assert got.isfinite().all()
    if dtype == torch.float64:
        torch.testing.assert_close(got.float(), expected, rtol=1e-4, atol=1e-5)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    assert {parameter.dtype for parameter in loaded.parameters()} == {dtype}


@every_input
def test_sharded_checkpoints_and_device_maps(source, tmp_path):
    model = build(source)
    model.save_pretrained(tmp_path, max_shard_size="3KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    loaded = type(model).from_pretrained(tmp_path, device_map={"": "cpu"})
    ids, mask = batch()
    assert torch.equal(
        loaded(input_ids=ids, attention_mask=mask).logits, model(input_ids=ids, attention_mask=mask).logits
    )
