"""Promise 7, for texts: a text is classified as it is written, or an error says why not."""

import pytest
import torch
from fuzzing import fuzz
from hypothesis import strategies as st
from transformers import pipeline

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    train_tokenizer,
)

TRAINING = ["good day", "not so good", "a bad day, dé𝔘!"] * 5


def build(task="text-classification", units="bytes", **fields):
    torch.manual_seed(0)
    tokenizer = train_tokenizer(TRAINING, vocab_size=300, units=units)
    of = {"text-classification": ChainHeadForSequenceClassification}.get(
        task, ChainHeadForTokenClassification
    )
    config = ChainHeadConfig(
        vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, m=4, n=6, num_labels=3, **fields
    )
    model = of(config).eval()
    torch.nn.init.normal_(model.classifier.bias)
    options = {"top_k": None} if task == "text-classification" else {}
    return pipeline(task, model=model, tokenizer=tokenizer, device="cpu", **options)


CLASSIFIER = build()
# Of all there are in Unicode: halves of surrogate pairs, NULs, marks that combine, and what is no character.
TEXTS = st.one_of(
    st.text(st.characters(), max_size=30), st.text(), st.text("[PAD] \0\ud800\udfff\ufeff", max_size=9)
)
THINGS = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.binary(),
    st.sampled_from([object(), bytearray(b"a")]),
)
PAIRS = st.fixed_dictionaries({"text": TEXTS}, optional={"text_pair": TEXTS, "more": TEXTS})
ONE = st.one_of(TEXTS, TEXTS, PAIRS, THINGS, st.dictionaries(TEXTS, TEXTS, max_size=2))
INPUTS = st.one_of(ONE, st.lists(st.one_of(ONE, st.lists(ONE, max_size=2)), min_size=1, max_size=3))


def scores(result):
    found = {entry["label"]: entry["score"] for entry in result}
    assert len(found) == 3
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    return found


def is_unicode(text):
    return isinstance(text, str) and not any("\ud800" <= character <= "\udfff" for character in text)


def test_fuzzed_texts_give_an_error_or_what_they_hold(full):
    accepted = 0
    tokenizer, model = CLASSIFIER.tokenizer, CLASSIFIER.model

    def check(inputs):
        nonlocal accepted
        try:
            results = CLASSIFIER(inputs)
        except (TypeError, ValueError) as error:
            if len(str(error)) <= 15 or is_unicode(inputs):
                raise
            return
        accepted += 1
        texts = inputs if isinstance(inputs, list) else [inputs]
        # One text gives one result in a list, one dict its result alone.
        results = [results] if isinstance(inputs, dict) else results
        for text, result in zip(texts, results, strict=True):
            written = text["text"] + (text.get("text_pair") or "") if isinstance(text, dict) else text
            assert is_unicode(written)
            ids = tokenizer(written).input_ids
            assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == written
            with torch.no_grad():
                # What the model makes of one node more, which is padding.
                padded, mask = torch.tensor([[*ids, 0]]), torch.tensor([[1] * len(ids) + [0]])
                [expected] = model(input_ids=padded, attention_mask=mask).logits.softmax(-1).tolist()
            assert scores(result) == pytest.approx(
                dict(zip(model.config.id2label.values(), expected, strict=True)), abs=1e-6
            )

    examples = 10_000 if full else 300
    fuzz(check, INPUTS, examples)
    assert accepted > examples / 4


@pytest.mark.parametrize("pooling", ["mean", "last", "max", "flatten"])
@pytest.mark.parametrize("units", ["bytes", "words"])
def test_an_empty_text_is_an_empty_chain_alone_and_among_others(pooling, units):
    classifier = build(units=units, pooling=pooling, chain_length=40)
    [alone] = classifier("")
    first, _, last = classifier(["", "good day", ""], batch_size=3)
    assert scores(alone) == scores(first) == scores(last)
    bias = classifier.model.classifier.bias.softmax(-1).tolist()
    assert sorted(scores(alone).values()) == pytest.approx(sorted(bias), abs=1e-6)
    [both] = classifier([""])
    assert scores(both) == scores(alone)


def test_an_empty_text_has_no_entities():
    tagger = build("token-classification")
    assert tagger("") == []
    assert tagger(["", "good"])[0] == []


def test_an_empty_text_on_an_encoder():
    from transformers import GPT2Config, GPT2Model

    encoder = GPT2Model(GPT2Config(vocab_size=300, n_embd=8, n_layer=1, n_head=2))
    model = ChainHeadForSequenceClassification.from_backbone(encoder, n=6, num_labels=3).eval()
    none = torch.zeros(1, 0, dtype=torch.long)
    padded, mask = torch.zeros(1, 2, dtype=torch.long), torch.zeros(1, 2)
    assert torch.equal(model(input_ids=none).logits, model(input_ids=padded, attention_mask=mask).logits)


def test_a_long_text():
    [long] = CLASSIFIER("good day" * 200_000)
    [short] = CLASSIFIER("good day" * 20_000)
    assert scores(long) == pytest.approx(scores(short), abs=1e-3)


BAD = {
    "bytes": b"good",
    "bytes that are no UTF-8": b"\xff\xfe",
    "a bytearray": bytearray(b"good"),
    "half of a surrogate pair": "a\ud800b",
    "None": None,
    "a number": 3,
    "NaN": float("nan"),
    "an object": object(),
    "a dict without text": {"txt": "good"},
    "a list in a list": [["good"]],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_no_text_at_all(bad):
    for inputs in (bad, ["good", bad]):
        with pytest.raises((TypeError, ValueError)) as refusal:
            CLASSIFIER(inputs)
        assert len(str(refusal.value)) > 15
