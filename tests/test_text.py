"""Text: tokens in, through an embedding of the model's own or a transformers encoder."""

import copy
import json
import random
import time

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BartConfig,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    DistilBertConfig,
    GPT2Config,
    ModernBertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    T5Config,
    Trainer,
    TrainingArguments,
    ViTConfig,
    ViTModel,
    pipeline,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
    train_tokenizer,
)

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 64,
}
ENCODERS = {
    "bert": BertConfig(**SMALL),
    "distilbert": DistilBertConfig(vocab_size=50, dim=32, n_layers=2, n_heads=4, hidden_dim=37),
    "roberta": RobertaConfig(**SMALL),
    "modernbert": ModernBertConfig(
        **SMALL, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2
    ),
    "t5": T5Config(vocab_size=50, d_model=32, num_layers=2, num_heads=4, d_ff=37, d_kv=8),
    "gpt2": GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=1),
}
MODELS = {
    ChainHeadModel: AutoModel,
    ChainHeadForSequenceClassification: AutoModelForSequenceClassification,
    ChainHeadForTokenClassification: AutoModelForTokenClassification,
}
STACK = {"hidden_sizes": [8, 6], "num_labels": 3, "bi_directional": True}
OWN = {"vocab_size": 50, "pad_token_id": 0, "m": 16}

every_model = pytest.mark.parametrize("model_class", MODELS)
every_input = pytest.mark.parametrize("source", ["own", *ENCODERS])


def fields(source, **extra):
    if source == "own":
        return OWN | STACK | extra
    return {"backbone_config": copy.deepcopy(ENCODERS[source])} | STACK | extra


def build(source, model_class=ChainHeadForSequenceClassification, **extra):
    """Weights of a size at which an ignored token or mask would show."""
    model = model_class(ChainHeadConfig(**fields(source, **extra)))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.5)
    return model.eval()


def batch():
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [1] * 2 + [0] * 7])
    return torch.randint(5, 50, (3, 9)), mask


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


def test_hidden_states_of_a_backbone_may_be_given_instead_of_tokens():
    model = build("bert")
    ids, mask = batch()
    nodes = model.chainhead.backbone(ids, attention_mask=mask).last_hidden_state
    assert torch.equal(model(nodes, mask).logits, model(input_ids=ids, attention_mask=mask).logits)


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


def test_a_backbone_of_another_dtype():
    model = build("bert")
    model.chainhead.backbone.to(torch.bfloat16)
    assert model(input_ids=batch()[0]).logits.dtype == torch.float32


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
    with pytest.raises(ValueError, match="ViTModel takes pixel_values, expected input_ids"):
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


# Tokenizers, training and pipelines, on a language of ten words in which order is all that counts.

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
        ({"vocab_size": 2}, "vocab_size must be at least 3"),
        ({"units": "bytes", "vocab_size": 256}, "vocab_size must be at least 257"),
        ({"min_frequency": 0}, "min_frequency at least 1"),
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
