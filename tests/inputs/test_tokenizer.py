"""Tokenizers, training and pipelines on an artificial language of ten words, in which only order matters."""

import copy
import random

import pytest
import torch
from text_models import OWN, SMALL
from torch.nn import functional as F
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertModel,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    pipeline,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    train_tokenizer,
)

WORDS = ["ab", "ba", "cd", "dc", "ef", "fe", "gh", "hg", "ij", "ji"]


def sentences(count, seed=0):
    """Words are tagged by the word before: UP if that is 'ab', a sentence is positive if 'ab cd' occurs in it."""
    rng = random.Random(seed)
    for _ in range(count):
        words = rng.choices(WORDS, k=rng.randint(4, 9))
        place = rng.randrange(len(words) - 1)
        words[place : place + 2] = rng.choice([["ab", "cd"], ["cd", "ab"]])
        pairs = list(zip(["", *words[:-1]], words, strict=True))
        yield words, [int(before == "ab") for before, _ in pairs], int(("ab", "cd") in pairs)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(" ".join(words) for words, _, _ in sentences(50))


def encode(tokenizer, count, seed, task):
    data = []
    for words, tags, label in sentences(count, seed):
        row = tokenizer(" ".join(words))
        data.append({**row, "labels": tags if task == "token" else label})
    return data


def train(model, data, tokenizer, collator, folder, **options):
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=32,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        **({"num_train_epochs": 25, "learning_rate": 1e-2} | options.pop("arguments", {})),
    )
    trainer = Trainer(
        model, arguments, train_dataset=data, data_collator=collator, processing_class=tokenizer, **options
    )
    trainer.train()
    return trainer


def test_tokenizers_are_found_beside_the_model(tokenizer, tmp_path):
    ChainHeadForSequenceClassification(ChainHeadConfig(**OWN)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(loaded, PreTrainedTokenizerFast)
    text = ["ab cd unseen", "ji"]
    rows = loaded(text, padding=True, return_tensors="pt")
    assert set(rows) == {"input_ids", "attention_mask"}
    assert rows["input_ids"].tolist() == tokenizer(text, padding=True)["input_ids"]
    assert rows["input_ids"][0, 2] == loaded.unk_token_id
    assert loaded.pad_token_id == 0
    # The registration for the model type, where nothing names a class.
    (tmp_path / "tokenizer_config.json").unlink()
    assert AutoTokenizer.from_pretrained(tmp_path)("ab cd").input_ids == tokenizer("ab cd").input_ids


def test_byte_tokenizers_spell_any_text(tmp_path):
    tokenizer = train_tokenizer(["low lower lowest"] * 3, vocab_size=262, units="bytes")
    assert len(tokenizer) == 262
    tokenizer.save_pretrained(tmp_path)
    text = " Straße 猫\n\tlow "
    assert PreTrainedTokenizerFast.from_pretrained(tmp_path).decode(tokenizer(text).input_ids) == text
    assert len(tokenizer("low").input_ids) == 1


def test_tokenizer_options():
    assert train_tokenizer(["A a b", "A"], lowercase=True).vocab.keys() == {"[PAD]", "[UNK]", "a", "b"}
    assert train_tokenizer(["a a b"], min_frequency=2).vocab.keys() == {"[PAD]", "[UNK]", "a"}
    assert len(train_tokenizer(["a b c d e"], vocab_size=4)) == 4
    with pytest.raises(TypeError, match="put it in a list"):
        train_tokenizer("a text")
    for wrong, message in (
        ({"units": "chars"}, "units must be"),
        ({"vocab_size": 2}, "vocab_size must be a whole number of at least 3"),
        ({"units": "bytes", "vocab_size": 256}, "vocab_size must be a whole number of at least 257"),
        ({"min_frequency": 0}, "min_frequency must be a whole number of at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            train_tokenizer(["a"], **wrong)
    with pytest.raises(ValueError, match="no word was found 2 times"):
        train_tokenizer(["a b"], min_frequency=2)


def own_config(tokenizer, **extra):
    return ChainHeadConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        m=16,
        hidden_sizes=[32],
        self_scaling=0.5,
        enable_bias=True,
        **extra,
    )


def test_words_are_tagged_end_to_end(tokenizer, tmp_path):
    config = own_config(tokenizer, id2label={0: "O", 1: "B-UP"}, label2id={"O": 0, "B-UP": 1})
    model = ChainHeadForTokenClassification(config)
    train(
        model,
        encode(tokenizer, 400, 1, "token"),
        tokenizer,
        DataCollatorForTokenClassification(tokenizer),
        tmp_path / "runs",
    )
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    tag = pipeline("token-classification", model=str(tmp_path), aggregation_strategy="simple", device="cpu")
    unseen = list(sentences(100, seed=2))
    texts = [" ".join(words) for words, _, _ in unseen]
    answers = tag(texts, batch_size=16)
    right = 0
    for text, (words, tags, _), answer in zip(texts, unseen, answers, strict=True):
        found = {(entity["start"], entity["end"]) for entity in answer}
        assert all(
            text[start:end] == entity["word"]
            for (start, end), entity in zip(sorted(found), answer, strict=True)
        )
        starts = [sum(len(word) + 1 for word in words[:i]) for i in range(len(words))]
        right += found == {(start, start + 2) for start, up in zip(starts, tags, strict=True) if up}
    assert right > 95
    for alone, together in zip(map(tag, texts[:5]), answers, strict=False):
        assert [entity["start"] for entity in alone] == [entity["start"] for entity in together]
        assert [e["score"] for e in alone] == pytest.approx([e["score"] for e in together], abs=1e-5)


@pytest.mark.parametrize("source", ["own", "bert"])
def test_sentences_are_classified_end_to_end(source, tokenizer, tmp_path):
    """Which of two words comes first cannot be told from the words alone."""
    common = {"id2label": {0: "apart", 1: "together"}, "pooling": "max"}
    if source == "own":
        model = ChainHeadForSequenceClassification(own_config(tokenizer, **common))
    else:
        encoder = BertConfig(**SMALL | {"vocab_size": len(tokenizer), "pad_token_id": 0})
        model = ChainHeadForSequenceClassification(
            ChainHeadConfig(backbone_config=encoder, hidden_sizes=[32], self_scaling=0.5, **common)
        )
    train(
        model,
        encode(tokenizer, 600, 1, "sequence"),
        tokenizer,
        DataCollatorWithPadding(tokenizer),
        tmp_path / "runs",
        arguments={} if source == "own" else {"learning_rate": 2e-3, "num_train_epochs": 12},
    )
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    classify = pipeline("text-classification", model=str(tmp_path), device="cpu")
    unseen = list(sentences(200, seed=2))
    texts = [" ".join(words) for words, _, _ in unseen]
    answers = classify(texts, batch_size=16, padding=True)
    right = [
        answer["label"] == ("apart", "together")[label]
        for answer, (_, _, label) in zip(answers, unseen, strict=True)
    ]
    assert sum(right) / len(right) > 0.95
    for alone, together in zip((classify(text)[0] for text in texts[:5]), answers, strict=False):
        assert alone["label"] == together["label"]
        assert alone["score"] == pytest.approx(together["score"], abs=1e-5)


@pytest.mark.parametrize(
    ("problem", "num_labels"),
    [("single_label_classification", 2), ("multi_label_classification", 3), ("regression", 1)],
)
def test_trainer_takes_every_problem_type_and_leaves_a_frozen_backbone_alone(
    problem, num_labels, tokenizer, tmp_path
):
    encoder = BertModel(BertConfig(**SMALL | {"vocab_size": len(tokenizer)}))
    model = ChainHeadForSequenceClassification.from_backbone(
        encoder, hidden_sizes=[8], freeze_backbone=True, num_labels=num_labels, problem_type=problem
    )
    getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()
    before = copy.deepcopy(model.state_dict())
    data = encode(tokenizer, 32, 1, "sequence")
    for row in data:
        label = row["labels"]
        row["labels"] = {1: float(label), 2: label, 3: [float(label)] * 3}[num_labels]
    train(
        model,
        data,
        tokenizer,
        DataCollatorWithPadding(tokenizer),
        tmp_path,
        arguments={"num_train_epochs": 1},
    )
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == ("backbone" in name), name


def test_class_weights_and_label_smoothing_belong_to_the_trainer(tokenizer, tmp_path):
    model = ChainHeadForSequenceClassification(own_config(tokenizer))
    weights = torch.tensor([1.0, 5.0])
    seen = []

    def weighted_loss(outputs, labels, num_items_in_batch=None):
        seen.append(F.cross_entropy(outputs.logits, labels, weight=weights))
        return seen[-1]

    data, collator = encode(tokenizer, 64, 1, "sequence"), DataCollatorWithPadding(tokenizer)
    once = {"num_train_epochs": 1, "logging_steps": 1, "logging_strategy": "steps"}
    trainer = train(
        model, data, tokenizer, collator, tmp_path, compute_loss_func=weighted_loss, arguments=once
    )
    logged = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert [float(value) for value in logged] == pytest.approx([loss.item() for loss in seen], rel=1e-3)

    smooth = train(
        model, data, tokenizer, collator, tmp_path, arguments=once | {"label_smoothing_factor": 0.2}
    )
    rows = collator(data[:8])
    labels = rows["labels"]
    got = smooth.compute_loss(model.eval(), dict(rows))
    logits = model(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]).logits
    torch.testing.assert_close(got, F.cross_entropy(logits, labels, label_smoothing=0.2))
