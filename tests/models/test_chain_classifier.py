"""A chain head in place of the classifier of a transformers model."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForTokenClassification,
    DistilBertConfig,
    DistilBertForTokenClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from chainhead_plugin import ChainClassifier, ChainHeadInitialisation

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 64,
}
MIXED = {"bi_directional": True, "with_dual_lphm": True, "enable_bias": True, "n": 12}


class BertWithChain(ChainHeadInitialisation, BertForTokenClassification):
    def __init__(self, config):
        super().__init__(config)
        self.classifier = ChainClassifier(config.hidden_size, config.num_labels, **MIXED)
        self.classifier.take_mask_from(self)
        self.post_init()


def batch():
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4])
    return torch.randint(5, 50, (2, 9)), mask


def token_model(model_class=BertForTokenClassification, config=None):
    model = model_class(config or BertConfig(**SMALL, num_labels=3))
    model.classifier = ChainClassifier(32, 3, bi_directional=True)
    model.classifier.take_mask_from(model)
    return model.eval()


@pytest.mark.parametrize("pooling", [None, "mean", "last", "max"])
def test_it_is_a_head_a_pool_and_a_linear_map(pooling):
    classifier = ChainClassifier(32, 3, n=7, pooling=pooling, with_multihop=True, h=2)
    nodes, mask = torch.randn(2, 9, 32), batch()[1]
    expected = classifier.head(nodes, mask)
    if pooling is not None:
        real = [row[kept] for row, kept in zip(expected, mask.bool(), strict=True)]
        pooled = {"mean": lambda x: x.mean(0), "last": lambda x: x[-1], "max": lambda x: x.amax(0)}[pooling]
        expected = torch.stack([pooled(row) for row in real])
    torch.testing.assert_close(classifier(nodes, mask), classifier.linear(expected))
    assert classifier(nodes).shape == ((2, 9, 3) if pooling is None else (2, 3))


@pytest.mark.parametrize(
    ("model_class", "config"),
    [
        (BertForTokenClassification, None),
        (
            DistilBertForTokenClassification,
            DistilBertConfig(vocab_size=50, dim=32, n_layers=1, n_heads=4, hidden_dim=37, num_labels=3),
        ),
    ],
)
@pytest.mark.parametrize("by_position", [False, True])
def test_the_models_mask_reaches_the_chain(model_class, config, by_position):
    model = token_model(model_class, config)
    ids, mask = batch()
    together = (model(ids, mask) if by_position else model(input_ids=ids, attention_mask=mask)).logits
    torch.testing.assert_close(together[1:, :5], model(ids[1:, :5]).logits, rtol=1e-4, atol=1e-5)
    # What would go wrong without: the chain of the second row would run on into its padding.
    model.classifier.takes_mask = False
    assert not torch.allclose(model(ids, mask).logits[1, 4], together[1, 4], atol=1e-4)


def test_pooled_classifiers_of_models_that_hand_on_all_nodes():
    model = RobertaForSequenceClassification(RobertaConfig(**SMALL, num_labels=3))
    model.classifier = ChainClassifier(32, 3, pooling="mean", bi_directional=True)
    model.classifier.take_mask_from(model)
    ids, mask = batch()
    output = model.eval()(ids, mask, labels=torch.tensor([0, 2]))
    torch.testing.assert_close(output.logits[1:], model(ids[1:, :5]).logits, rtol=1e-4, atol=1e-5)
    output.loss.backward()
    assert all(parameter.grad is not None for parameter in model.classifier.parameters())


def test_the_mask_is_forgotten_after_every_call_and_not_shared_by_threads():
    model = token_model()
    ids, mask = batch()
    expected, unmasked = model(ids, mask).logits, model(ids).logits
    with pytest.raises(IndexError):
        model(ids + 1000, mask)
    assert torch.equal(model(ids).logits, unmasked)
    nodes = torch.randn(1, 4, 32)
    torch.testing.assert_close(model.classifier(nodes), model.classifier(nodes, torch.ones(1, 4)))
    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(lambda i: model(ids, mask if i % 2 else None).logits, range(40)))
    for i, logits in enumerate(got):
        torch.testing.assert_close(logits, expected if i % 2 else unmasked)
    torch.testing.assert_close(copy.deepcopy(model)(ids, mask).logits, expected)


def test_the_compiled_model_sees_every_calls_mask():
    model = BertForTokenClassification(BertConfig(**SMALL, num_labels=5)).eval()
    model.classifier = ChainClassifier(32, 5, **MIXED)
    model.classifier.take_mask_from(model)
    compiled = torch.compile(model, backend="eager")
    ids = torch.randint(0, 50, (2, 9))
    for real in (6, 4):
        mask = (torch.arange(9) < torch.tensor([[real], [9]])).long()
        with torch.no_grad():
            expected, logits = (call(input_ids=ids, attention_mask=mask).logits for call in (model, compiled))
        torch.testing.assert_close(logits[mask.bool()], expected[mask.bool()])


def test_save_and_load_by_a_class_of_ones_own(tmp_path):
    model = BertWithChain(BertConfig(**SMALL, num_labels=3)).eval()
    ids, mask = batch()
    model.save_pretrained(tmp_path)
    loaded = BertWithChain.from_pretrained(tmp_path)
    assert torch.equal(loaded(ids, mask).logits, model(ids, mask).logits)


def test_heads_that_a_checkpoint_lacks_are_initialised(tmp_path):
    BertForTokenClassification(BertConfig(**SMALL, num_labels=3)).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    # Copies: safetensors writes in place, also under tensors that are mapped from the file.
    kept = {key: value.clone() for key, value in weights.items() if "classifier" not in key}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    for _ in range(10):
        poison = [torch.full((64, 64), float("nan")) for _ in range(50)]
        del poison
        model = BertWithChain.from_pretrained(tmp_path)
        fresh = dict(model.classifier.head.named_parameters())
        assert not fresh.pop("bias").any()
        assert all(0.1 < parameter.std() < 1.2 for parameter in fresh.values())
        assert torch.equal(
            model.bert.embeddings.word_embeddings.weight, kept["bert.embeddings.word_embeddings.weight"]
        )


def test_what_it_refuses():
    with pytest.raises(ValueError, match="pooling must be one of mean, last, max, None, got 'flatten'"):
        ChainClassifier(32, 3, pooling="flatten")
    with pytest.raises(TypeError, match="hops"):
        ChainClassifier(32, 3, hops=2)
    with pytest.raises(TypeError, match=r"Linear\.forward has no argument attention_mask"):
        ChainClassifier(32, 3).take_mask_from(torch.nn.Linear(2, 2))
