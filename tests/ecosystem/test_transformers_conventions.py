"""Conventions of transformers that its common tests do not check."""

import copy

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification
from transformers.testing_utils import CaptureLogger
from transformers.utils import logging

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
)

CONFIGS = {
    "one-head": {"m": 4, "n": 6},
    "stack": {
        "m": 4,
        "hidden_sizes": [16, 16, 16],
        "enable_bias": True,
        "with_residual": True,
        "with_batch_norm": True,
        "with_dropout": True,
    },
}
every_config = pytest.mark.parametrize("fields", CONFIGS.values(), ids=CONFIGS)
TASKS = [
    (AutoModelForSequenceClassification, ChainHeadForSequenceClassification),
    (AutoModelForTokenClassification, ChainHeadForTokenClassification),
]
every_task = pytest.mark.parametrize(("auto_class", "model_class"), TASKS)


def build(model_class, fields, **extra):
    return model_class(ChainHeadConfig(**fields, **({"num_labels": 3} | extra))).eval()


def batch():
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [0] * 6 + [1] * 3])
    return torch.randn(3, 9, 4), mask


def report_of(load):
    """Return what transformers says while `load` runs, which may raise."""
    with CaptureLogger(logging.get_logger("transformers.modeling_utils")) as captured:
        load()
    return captured.out


@every_task
@every_config
def test_base_and_task_checkpoints_load_into_each_other(auto_class, model_class, fields, tmp_path):
    base = build(ChainHeadModel, fields)
    base.save_pretrained(tmp_path / "base")
    task, info = auto_class.from_pretrained(tmp_path / "base", num_labels=3, output_loading_info=True)
    assert type(task) is model_class
    assert info["missing_keys"] == {"classifier.weight", "classifier.bias"}
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]

    task.save_pretrained(tmp_path / "task")
    again, info = AutoModel.from_pretrained(tmp_path / "task", output_loading_info=True)
    assert not info["missing_keys"]
    assert info["unexpected_keys"] == {"classifier.weight", "classifier.bias"}
    x, mask = batch()
    expected = base(x, mask).last_hidden_state
    assert torch.equal(task.chainhead(x, mask).last_hidden_state, expected)
    assert torch.equal(again(x, mask).last_hidden_state, expected)


def test_loading_names_missing_and_unexpected_weights(tmp_path):
    model = build(ChainHeadForSequenceClassification, CONFIGS["one-head"])
    model.save_pretrained(tmp_path)
    # Copies: safetensors writes in place, also under tensors that are mapped from the file.
    weights = {key: value.clone() for key, value in load_file(tmp_path / "model.safetensors").items()}
    weights["classifier.extra"] = weights.pop("classifier.bias")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    report = report_of(lambda: ChainHeadForSequenceClassification.from_pretrained(tmp_path))
    lines = {line.split("|")[0].strip(): line for line in report.splitlines() if "|" in line}
    assert "MISSING" in lines["classifier.bias"]
    assert "UNEXPECTED" in lines["classifier.extra"]


def test_loading_names_mismatched_weights_and_both_shapes(tmp_path):
    build(ChainHeadForSequenceClassification, CONFIGS["one-head"]).save_pretrained(tmp_path)

    with pytest.raises(RuntimeError, match=r"classifier.weight is \[3, 6\] .* and \[5, 6\]"):
        ChainHeadForSequenceClassification.from_pretrained(tmp_path, num_labels=5)


@every_config
def test_evaluation_is_deterministic_and_training_is_with_a_seed(fields):
    model = build(ChainHeadForSequenceClassification, fields)
    x, mask = batch()
    assert torch.equal(model(x, mask).logits, model(x, mask).logits)

    def train():
        torch.manual_seed(1)
        one = copy.deepcopy(model).train()
        one(x, mask, labels=torch.tensor([0, 1, 2])).loss.backward()
        return [parameter.grad for parameter in one.parameters()]

    assert all(torch.equal(first, second) for first, second in zip(train(), train(), strict=True))


@every_config
def test_rows_do_not_depend_on_their_batch(fields):
    model = build(ChainHeadForTokenClassification, fields)
    x, mask = batch()
    whole = model(x, mask, output_hidden_states=True)
    for rows in ([2, 0, 1], [1], [2, 2], [0, 1]):
        part = model(x[rows], mask[rows], output_hidden_states=True)
        for actual, expected in zip(
            (part.logits, *part.hidden_states), (whole.logits, *whole.hidden_states), strict=True
        ):
            torch.testing.assert_close(actual, expected[rows], rtol=1e-5, atol=1e-6)


@every_config
@pytest.mark.parametrize("shards", [{}, {"max_shard_size": "1KB"}], ids=["whole", "sharded"])
@pytest.mark.parametrize("offloaded", [False, True])
def test_device_map_auto(fields, shards, offloaded, tmp_path):
    model = build(ChainHeadForSequenceClassification, fields)
    model.save_pretrained(tmp_path / "model", **shards)
    loaded = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "model",
        device_map="auto",
        max_memory={"cpu": 50} if offloaded else None,
        offload_folder=tmp_path / "offload",
    )
    assert any(parameter.is_meta for parameter in loaded.parameters()) is offloaded
    x, mask = batch()
    assert torch.equal(loaded(x, mask).logits.cpu(), model(x, mask).logits)


def test_layers_on_disk_and_in_memory(tmp_path):
    model = build(ChainHeadForSequenceClassification, CONFIGS["stack"])
    model.save_pretrained(tmp_path / "model", max_shard_size="1KB")
    places = {"chainhead.layers.0": "cpu", "chainhead.layers.1": "disk", "chainhead.layers.2": "cpu"}
    loaded = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "model", device_map=places | {"classifier": "disk"}, offload_folder=tmp_path / "offload"
    )
    assert loaded.classifier.weight.is_meta
    assert not next(loaded.chainhead.layers[0].parameters()).is_meta
    x, mask = batch()
    assert torch.equal(loaded(x, mask).logits, model(x, mask).logits)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_dtype_is_the_users_or_the_checkpoints(dtype, tmp_path):
    build(ChainHeadForSequenceClassification, CONFIGS["stack"]).to(dtype).save_pretrained(tmp_path)
    x, mask = batch()
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype="auto").dtype == dtype
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype=torch.float32)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert loaded(x.to(dtype), mask).logits.dtype == torch.float32


def with_checkpoints(model, use_reentrant):
    # Newer versions speak of activation checkpointing, and warn of the older name.
    word = "activation" if hasattr(model, "activation_checkpointing_enable") else "gradient"
    options = {f"{word}_checkpointing_kwargs": {"use_reentrant": use_reentrant}}
    getattr(model, f"{word}_checkpointing_enable")(**options)
    return model


@every_config
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointing_keeps_every_gradient(fields, use_reentrant):
    """The input asks for no gradient; re-entrant checkpoints alone would then give their weights none."""
    model = build(ChainHeadForSequenceClassification, fields).train()
    other = with_checkpoints(copy.deepcopy(model), use_reentrant)
    x, mask = batch()
    for one in (model, other):
        torch.manual_seed(1)
        one(x, mask, labels=torch.tensor([0, 1, 2])).loss.backward()
    assert not x.requires_grad
    for first, second in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad)


@pytest.mark.slow
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointed_layers_compile_to_one_graph(use_reentrant):
    fields = {"m": 4, "hidden_sizes": [6, 5], "enable_bias": True}
    model = build(ChainHeadForSequenceClassification, fields).train()
    other = with_checkpoints(copy.deepcopy(model), use_reentrant)
    x, mask = batch()
    for one in (model, torch.compile(other, fullgraph=True, backend="aot_eager")):
        one(x, mask, labels=torch.tensor([0, 1, 2])).loss.backward()
    for first, second in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad)


# PEFT still asks by the older name.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_adapters_of_checkpointed_layers_get_gradients(use_reentrant):
    peft = pytest.importorskip("peft")
    model = with_checkpoints(build(ChainHeadForSequenceClassification, CONFIGS["stack"]), use_reentrant)
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(target_modules="all-linear", init_lora_weights=False)
    )
    x, mask = batch()
    adapted.train()(x, mask, labels=torch.tensor([0, 1, 2])).loss.backward()
    for name, parameter in adapted.named_parameters():
        assert parameter.requires_grad is ("lora_" in name)
        assert (parameter.grad is not None and bool(parameter.grad.any())) is parameter.requires_grad, name
