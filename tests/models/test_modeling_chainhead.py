"""The transformers models: outputs, losses, checkpoints, and conventions of the library."""

import copy
import json

import pytest
import torch
from chains import HEADS
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
)
from chainhead_plugin.models.pooling import pool

CONFIGS = {
    "one-head": {"m": 4, "n": 6},
    "all-parts": {
        "m": 4,
        "n": 6,
        "channel_num": 3,
        "enable_bias": True,
        "with_residual": True,
        "with_batch_norm": True,
        "with_dropout": True,
    },
    "stack-lorr-taylor": {
        "m": 4,
        "hidden_sizes": [6, 5],
        "with_lorr": True,
        "r": 2,
        "channel_num": 2,
        "with_taylor": True,
        "enable_bias": True,
        "pooling": "max",
    },
    "stack-flatten": {
        "m": 4,
        "hidden_sizes": [6],
        "pooling": "flatten",
        "chain_length": 9,
        "with_residual": True,
    },
    "dual-lphm": {"m": 4, "n": 6, "with_dual_lphm": True, "channel_num": 2, "pooling": "last"},
    "stack-hops": {"m": 4, "hidden_sizes": [6, 5], "channel_hops": [0, 2, -1], "bi_directional": True},
    "learned-decay": {
        "m": 4,
        "n": 6,
        "with_inverse_approx": True,
        "decay": 0.8,
        "with_learned_decay": True,
    },
    "spectral": {"m": 4, "n": 6, "with_inverse_approx": True, "bi_directional": True},
}
MODELS = [ChainHeadModel, ChainHeadForSequenceClassification, ChainHeadForTokenClassification]
AUTO = {
    ChainHeadModel: AutoModel,
    ChainHeadForSequenceClassification: AutoModelForSequenceClassification,
    ChainHeadForTokenClassification: AutoModelForTokenClassification,
}
every_config = pytest.mark.parametrize("fields", CONFIGS.values(), ids=CONFIGS)
every_model = pytest.mark.parametrize("model_class", MODELS)


def build(model_class, fields, **extra):
    model = model_class(ChainHeadConfig(**fields, **({"num_labels": 3} | extra)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1, 1)
    return model.eval()


def batch():
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [0] * 6 + [1] * 3])
    return torch.randn(3, 9, 4), mask


def state_equal(one, other):
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@every_model
@every_config
def test_save_and_load_are_bit_exact_also_into_poisoned_memory(model_class, fields, tmp_path):
    model = build(model_class, fields)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    assert not list(tmp_path.glob("*.bin"))
    x, mask = batch()
    expected = model(x, mask)[0]
    for _ in range(20 if model_class is ChainHeadModel else 3):
        poison = [torch.full((64, 64), float("nan")) for _ in range(50)]
        del poison
        loaded = AUTO[model_class].from_pretrained(tmp_path)
        assert type(loaded) is model_class
        assert state_equal(model, loaded)
        assert torch.equal(loaded(x, mask)[0], expected)


@every_config
def test_models_start_on_meta_and_initialise_alike(fields):
    """What `from_config` builds directly and what an empty checkpoint leaves to initialise are distributed alike."""
    with torch.device("meta"):
        model = ChainHeadModel(ChainHeadConfig(**fields))
    assert all(parameter.is_meta for parameter in model.parameters())
    assert all(p.isfinite().all() for p in AutoModel.from_config(ChainHeadConfig(**fields)).parameters())


@every_config
def test_what_a_checkpoint_lacks_is_initialised_and_the_rest_kept(fields, tmp_path):
    model = build(ChainHeadModel, {**fields, **({} if "hidden_sizes" in fields else {"n": 60})})
    model.save_pretrained(tmp_path)
    # Copies: older versions of safetensors write in place, also under tensors that are mapped from the file.
    weights = {key: value.clone() for key, value in load_file(tmp_path / "model.safetensors").items()}
    for missing in weights:
        kept = {key: value for key, value in weights.items() if key != missing}
        save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
        loaded, info = ChainHeadModel.from_pretrained(tmp_path, output_loading_info=True)
        assert list(info["missing_keys"]) == [missing]
        state = loaded.state_dict()
        assert all(torch.equal(state[key], value) for key, value in kept.items())
        fresh = state[missing]
        assert fresh.double().isfinite().all()
        if "reconciliation" in missing:
            # xavier_normal from the fans of the real matrices, not transformers' general 0.02
            assert 0.1 < fresh.std() < 1.2, missing


def test_a_base_checkpoint_loads_into_a_task_model_and_back(tmp_path):
    base = build(ChainHeadModel, CONFIGS["one-head"])
    base.save_pretrained(tmp_path / "base")
    task = ChainHeadForSequenceClassification.from_pretrained(tmp_path / "base", num_labels=3)
    assert state_equal(task.chainhead, base)
    task.save_pretrained(tmp_path / "task")
    assert state_equal(AutoModel.from_pretrained(tmp_path / "task"), base)


def test_mismatched_sizes_are_an_error_naming_both(tmp_path):
    build(ChainHeadModel, CONFIGS["one-head"]).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {"n": 7}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RuntimeError, match="mismatched"):
        ChainHeadModel.from_pretrained(tmp_path)


@every_config
@pytest.mark.parametrize("model_class", [ChainHeadForSequenceClassification])
@pytest.mark.parametrize("padding", [0.0, float("nan")])
def test_a_sequence_gives_the_same_logits_alone_and_in_a_batch(fields, model_class, padding):
    model = build(model_class, fields)
    x, mask = batch()
    together = model(torch.where(mask.bool().unsqueeze(-1), x, padding), mask).logits
    for row in range(3):
        alone = model(x[row][mask[row].bool()][None]).logits
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-5, atol=1e-5)


def test_padding_with_nan_leaves_finite_gradients():
    model = build(ChainHeadForSequenceClassification, CONFIGS["stack-lorr-taylor"]).train()
    x, mask = batch()
    x = torch.where(mask.bool().unsqueeze(-1), x, float("nan"))
    model(x, mask, labels=torch.tensor([0, 1, 2])).loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("pooling", ["mean", "max", "last", "flatten"])
def test_pooling(pooling):
    nodes = torch.tensor([[[1.0, -1], [2, -2], [3, -3]], [[0, 0], [0, 0], [5, -5]], [[0, 0], [0, 0], [0, 0]]])
    mask = torch.tensor([[1, 1, 1], [0, 0, 1], [0, 0, 0]]).bool()
    expected = {
        "mean": [[2, -2], [5, -5], [0, 0]],
        "max": [[3, -1], [5, -5], [0, 0]],
        "last": [[3, -3], [5, -5], [0, 0]],
        "flatten": [[1, -1, 2, -2, 3, -3, 0, 0], [5, -5, 0, 0, 0, 0, 0, 0], [0] * 8],
    }[pooling]
    assert torch.equal(pool(nodes, mask, pooling, 4), torch.tensor(expected, dtype=torch.float32))
    assert torch.equal(pool(nodes[:1], None, pooling, 4), torch.tensor(expected[:1], dtype=torch.float32))
    assert pool(nodes[:0], mask[:0], pooling, 4).shape[0] == 0


def test_flatten_refuses_longer_chains():
    model = build(ChainHeadForSequenceClassification, CONFIGS["stack-flatten"])
    with pytest.raises(
        ValueError, match="chains of 10 nodes, but pooling='flatten' takes at most chain_length=9"
    ):
        model(torch.randn(1, 10, 4))


@pytest.mark.parametrize(
    ("problem", "num_labels", "labels", "loss"),
    [
        (None, 3, torch.tensor([0, 2, 1]), torch.nn.CrossEntropyLoss()),
        ("single_label_classification", 3, torch.tensor([0, 2, 1]), torch.nn.CrossEntropyLoss()),
        ("multi_label_classification", 3, torch.eye(3), torch.nn.BCEWithLogitsLoss()),
        ("regression", 3, torch.eye(3), torch.nn.MSELoss()),
        (None, 1, torch.rand(3), torch.nn.MSELoss()),
    ],
)
def test_sequence_losses(problem, num_labels, labels, loss):
    model = build(
        ChainHeadForSequenceClassification, CONFIGS["one-head"], num_labels=num_labels, problem_type=problem
    )
    x, mask = batch()
    output = model(x, mask, labels=labels)
    torch.testing.assert_close(
        output.loss, loss(output.logits.squeeze(-1) if num_labels == 1 else output.logits, labels)
    )


def test_token_loss_ignores_minus_100():
    model = build(ChainHeadForTokenClassification, CONFIGS["one-head"])
    x, mask = batch()
    labels = torch.where(mask.bool(), 1, -100)
    output = model(x, mask, labels=labels)
    assert output.logits.shape == (3, 9, 3)
    expected = torch.nn.functional.cross_entropy(output.logits[mask.bool()], labels[mask.bool()])
    torch.testing.assert_close(output.loss, expected)


@every_model
def test_hidden_states_and_tuples(model_class):
    model = build(model_class, CONFIGS["stack-lorr-taylor"])
    x, mask = batch()
    output = model(x, mask, output_hidden_states=True)
    assert [tuple(state.shape) for state in output.hidden_states] == [(3, 9, 4), (3, 9, 6), (3, 9, 5)]
    assert torch.equal(model(x, mask, return_dict=False)[0], output[0])


@every_model
@every_config
def test_gradient_checkpointing_gives_the_same_gradients(model_class, fields):
    model = build(model_class, fields).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    checkpointed = copy.deepcopy(model)
    enable = getattr(
        checkpointed, "activation_checkpointing_enable", checkpointed.gradient_checkpointing_enable
    )
    enable()
    x, mask = batch()
    for one in (model, checkpointed):
        one(x, mask)[0].square().sum().backward()
    for first, second in zip(model.parameters(), checkpointed.parameters(), strict=True):
        if first.grad is not None:
            torch.testing.assert_close(first.grad, second.grad)


@every_model
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_model_dtypes(model_class, dtype):
    model = build(model_class, CONFIGS["all-parts"]).to(dtype)
    x, mask = batch()
    assert model(x, mask)[0].dtype == dtype
    assert model(x.double(), mask)[0].dtype == dtype


@pytest.mark.parametrize("options", HEADS.values(), ids=HEADS)
def test_every_kind_makes_a_model(options):
    model = build(ChainHeadModel, {"m": 4, "n": 6, **options})
    x, mask = batch()
    output = model(x, mask).last_hidden_state
    assert output.isfinite().all()
    assert not output[~mask.bool()].any()


def test_inputs_that_do_not_fit():
    model = build(ChainHeadModel, CONFIGS["one-head"])
    with pytest.raises(ValueError, match=r"shape \(2, 5, 3\), expected \[batch, length, 4\]"):
        model(torch.ones(2, 5, 3))
    with pytest.raises(ValueError, match="expected one value per node"):
        model(torch.ones(2, 5, 4), torch.ones(2, 6))
    with pytest.raises(ValueError, match="no holes"):
        model(torch.ones(1, 3, 4), torch.tensor([[1, 0, 1]]))


@every_model
def test_misspelt_arguments_are_refused(model_class):
    model = build(model_class, CONFIGS["one-head"])
    x, mask = batch()
    with pytest.raises(TypeError, match="takes no argument 'attention_masks'"):
        model(x, attention_masks=mask)
    model(x, attention_mask=mask, output_attentions=False, use_cache=None)


def test_an_empty_batch():
    x, mask = batch()
    for model_class in MODELS:
        model = build(model_class, CONFIGS["all-parts"])
        assert model(x[:0], mask[:0])[0].shape[0] == 0


def test_sharded_checkpoints(tmp_path):
    model = build(ChainHeadModel, {"m": 64, "hidden_sizes": [64] * 4})
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    assert state_equal(model, AutoModel.from_pretrained(tmp_path))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_config
def test_cuda(fields, tmp_path):
    model = build(ChainHeadModel, fields)
    x, mask = batch()
    expected = model(x, mask).last_hidden_state
    model.cuda().save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert torch.equal(loaded(x, mask).last_hidden_state, expected)
    torch.testing.assert_close(
        model(x.cuda(), mask.cuda()).last_hidden_state.cpu(), expected, rtol=1e-4, atol=1e-4
    )
