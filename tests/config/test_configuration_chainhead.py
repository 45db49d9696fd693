"""`ChainHeadConfig`: it has the head's names of options, checks every field, and can be saved and loaded."""

import inspect
import json
import time

import numpy as np
import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, BertConfig, DistilBertConfig, ResNetConfig

from chainhead_plugin import ChainHeadConfig, ChainInterdependenceHead


def test_its_fields_are_the_constructors():
    parameters = inspect.signature(ChainInterdependenceHead).parameters
    config = ChainHeadConfig()
    for name, parameter in parameters.items():
        if name in ("device", "dtype"):
            continue
        value = getattr(config, name)
        if parameter.default is not inspect.Parameter.empty and name != "with_softmax":
            assert value == parameter.default, name
    assert config.with_softmax is False


def test_the_ecosystems_names():
    config = ChainHeadConfig(m=7, hidden_sizes=[8, 9])
    assert (config.hidden_size, config.input_size, config.n, config.num_hidden_layers) == (9, 7, 9, 2)
    assert ChainHeadConfig(hidden_size=11).n == 11
    assert ChainHeadConfig(n=11).num_hidden_layers == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"m": 3, "n": 5, "bi_directional": True, "with_multihop": True, "h": 3, "accumulative": True},
        {"hidden_sizes": [4, 5], "with_lorr": True, "r": 2, "pooling": "flatten", "chain_length": 9},
        {"id2label": {0: "a", 1: "b", 2: "c"}, "problem_type": "multi_label_classification"},
        {"self_scaling": 2, "p": 0, "with_dropout": True},
        {"vocab_size": 50, "pad_token_id": 3},
        {"backbone_config": {"model_type": "distilbert", "dim": 24, "n_layers": 1}, "freeze_backbone": True},
        {"backbone_config": BertConfig(hidden_size=24, num_hidden_layers=1, pad_token_id=5)},
        {"backbone_config": ResNetConfig(hidden_sizes=[8, 12], depths=[1, 1])},
        {"backbone_config": {"model_type": "timm_wrapper", "architecture": "resnet18"}, "m": 512},
        {"channel_hops": [0, -2, 3], "bi_directional": True, "hidden_sizes": [4]},
        {"with_inverse_approx": True, "decay": 0.25, "with_learned_decay": True},
    ],
)
def test_round_trip(fields, tmp_path):
    config = ChainHeadConfig(**fields)
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is ChainHeadConfig
    ours, theirs = config.to_dict(), loaded.to_dict()
    saving = ("transformers_version", "_name_or_path")
    assert {k: v for k, v in ours.items() if k not in saving} == {
        k: v for k, v in theirs.items() if k not in saving
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"m": "12"}, "m"),
        ({"m": np.int64(12)}, "'m'"),
        ({"m": 0}, "m must be a whole number between 1 and"),
        ({"m": 10**6, "n": 10**6}, "1,000,000,000,000 weights"),
        ({"h": 2}, "h=2 has no effect without with_multihop=True"),
        ({"with_lorr": True, "with_dual_lphm": True}, "with_lorr and with_dual_lphm"),
        ({"pooling": "median"}, "pooling"),
        ({"hidden_sizes": [8, 0]}, "each of hidden_sizes must be a whole number between 1 and"),
        ({"hidden_sizes": (8, 8)}, "hidden_sizes"),
        ({"hidden_sizes": ["8"]}, "hidden_sizes"),
        ({"hidden_sizes": [8, 8], "n": 9}, "n=9 differs from the last of hidden_sizes"),
        ({"hidden_sizes": [8] * 2000}, "2,000 layers"),
        ({"hidden_sizes": [10**5] * 3}, "weights"),
        ({"self_scaling": "1"}, "self_scaling"),
        ({"self_scaling": float("inf")}, "self_scaling must be a finite number"),
        ({"pooling": "flatten", "chain_length": 2**31 - 1, "n": 100}, "chain_length with pooling='flatten'"),
        ({"name": 3}, "name"),
        ({"vocab_size": 0}, "vocab_size must be a whole number between 1 and"),
        ({"vocab_size": 2**30, "m": 2**10}, "vocab_size"),
        ({"vocab_size": "50"}, "vocab_size"),
        (
            {"vocab_size": 50, "pad_token_id": 50},
            "pad_token_id=50 is not within the vocabulary: expected 0 to 49",
        ),
        ({"pad_token_id": 0}, "pad_token_id=0 has no effect without vocab_size"),
        ({"freeze_backbone": True}, "freeze_backbone=True has no effect"),
        ({"backbone_config": BertConfig(), "m": 16}, "m=16 differs from the 768 features"),
        (
            {"backbone_config": BertConfig(), "vocab_size": 50},
            "vocab_size=50 has no effect with a backbone_config",
        ),
        ({"backbone_config": {"model_type": "bert", "num_hidden_layers": 10**6}}, "1,000,000 layers"),
        (
            {"backbone_config": {"model_type": "bert", "vocab_size": 10**9}},
            "768,000,000,000 embedding weights",
        ),
        ({"backbone_config": {"model_type": "bert", "intermediate_size": 10**12}}, "intermediate_size="),
        ({"backbone_config": "bert"}, "backbone_config"),
        ({"prediction_length": 3, "vocab_size": 50}, "vocab_size has no effect with prediction_length"),
        ({"channel_hops": [0, 1, 1]}, "channel_hops has 1 twice"),
        ({"channel_hops": ["1"]}, "channel_hops"),
        ({"channel_hops": (0, 1)}, "channel_hops"),
        ({"channel_hops": [0, 1], "channel_num": 3}, "channel_num=3 differs"),
        ({"channel_hops": list(range(200)), "m": 10**4, "n": 10**4}, "20,000,000,000 weights"),
        ({"decay": 1, "with_inverse_approx": True}, "decay must be a finite number above 0 and below 1"),
        ({"decay": 0.5}, "decay=0.5 has no effect"),
    ],
)
def test_bad_fields_are_named(fields, message):
    start = time.process_time()
    with pytest.raises(StrictDataclassError, match=message):
        ChainHeadConfig(**fields)
    assert time.process_time() - start < 0.1


class NotBert(BertConfig):
    """A subclass that would come back from a file as another class."""


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ({"hidden_size": 24}, "model_type None, which transformers does not know"),
        ({"model_type": "my-encoder", "auto_map": {"AutoConfig": "evil.Config"}}, "model_type 'my-encoder'"),
        ({"model_type": "chainhead"}, "is a chainhead model's"),
        (ChainHeadConfig(), "is a chainhead model's"),
        (NotBert(), "is a NotBert, but would load as the BertConfig"),
        ({"model_type": "timm_wrapper", "architecture": "resnet18"}, "m is missing"),
    ],
)
def test_backbones_that_cannot_be(backbone, message):
    with pytest.raises(ValueError, match=message):
        ChainHeadConfig(backbone_config=backbone)


def test_a_backbone_decides_on_the_nodes():
    given = {"model_type": "distilbert", "dim": 24, "vocab_size": 70}
    config = ChainHeadConfig(backbone_config=given)
    assert type(config.backbone_config) is DistilBertConfig
    assert given == {"model_type": "distilbert", "dim": 24, "vocab_size": 70}
    assert (config.m, config.pad_token_id, config.get_text_config().vocab_size) == (24, 0, 70)
    assert ChainHeadConfig().get_text_config().vocab_size is None
    assert config.sub_configs == {"backbone_config": AutoConfig}


def test_a_backbones_attention_is_the_callers_choice_and_never_a_files(tmp_path):
    chosen = BertConfig(attn_implementation="eager")
    assert ChainHeadConfig(backbone_config=chosen).backbone_config._attn_implementation == "eager"
    from_file = {"model_type": "bert", "attn_implementation": "someone/kernel"}
    config = ChainHeadConfig(backbone_config=from_file)
    assert config.backbone_config._attn_implementation is None


@pytest.mark.parametrize("key", ["bidirectional", "with_multi_hop", "with_attention", "chain_len", "poling"])
def test_misspelt_fields_are_refused(key):
    with pytest.raises(TypeError, match=f"no field '{key}'"):
        ChainHeadConfig(**{key: True})


@pytest.mark.parametrize("key", ["hops", "channels", "dropout"])
def test_keys_that_nothing_reads_are_warned_of(key):
    with pytest.warns(UserWarning, match=f"no field '{key}': kept, but nothing reads it"):
        ChainHeadConfig(**{key: 1})


@pytest.mark.parametrize(
    "labels", [{"num_labels": 10**8}, {"num_labels": 0}, {"num_labels": "3"}, {"id2label": {}}]
)
def test_the_number_of_labels_is_bounded_before_they_are_made(labels):
    start = time.process_time()
    with pytest.raises((TypeError, ValueError), match="must be a whole number between 1 and"):
        ChainHeadConfig(**labels)
    assert time.process_time() - start < 0.1


def test_problem_types():
    with pytest.raises(StrictDataclassError, match="problem_type"):
        ChainHeadConfig(problem_type="clustering")


def test_a_hostile_file_names_no_code_to_import(tmp_path):
    config = ChainHeadConfig().to_dict() | {"auto_map": {"AutoConfig": "evil.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    assert type(AutoConfig.from_pretrained(tmp_path)) is ChainHeadConfig
