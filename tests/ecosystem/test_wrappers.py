"""Common wrappers of models, such as DDP: predictions and gradients are those of the plain model."""

import copy
import io
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import joined_batch_norm
import pytest
import torch
import wrapped_models
from fresh_processes import run_script
from torch import nn
from torch.nn.parallel.replicate import replicate
from torch.nn.utils import parametrize, prune

every_model = pytest.mark.parametrize("kind", wrapped_models.MODELS)


def same(found, expected):
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@every_model
def test_replicas_of_data_parallel(kind, monkeypatch):
    """`nn.DataParallel` needs GPUs to copy weights to; all else of a replica is the same without."""

    def copies(tensors, devices, detach=False):
        return [[tensor.detach().clone() if detach else tensor * 1 for tensor in tensors] for _ in devices]

    monkeypatch.setattr(sys.modules["torch.nn.parallel.replicate"], "_broadcast_coalesced_reshape", copies)
    model, inputs = wrapped_models.build(kind)
    expected = wrapped_models.results_of_halves(model, inputs)
    model.zero_grad()
    outputs = [
        replica(**half)
        for replica, half in zip(replicate(model, [0, 1]), wrapped_models.halves(inputs), strict=True)
    ]
    sum(output["loss"] for output in outputs).backward()
    same(torch.cat([wrapped_models.predictions(output) for output in outputs]), expected[0])
    gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    same(gradients, expected[1])


def deep_copy(model):
    return copy.deepcopy(model)


def saved_whole(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def in_shared_memory(model):
    return model.share_memory()


def with_hooks(model):
    for module in model.modules():
        module.register_forward_pre_hook(lambda _, inputs: inputs)
        module.register_forward_hook(lambda *_: None)
    return model


@every_model
@pytest.mark.parametrize("wrap", [deep_copy, saved_whole, in_shared_memory, with_hooks])
def test_copies_and_hooks(kind, wrap):
    model, inputs = wrapped_models.build(kind)
    expected = wrapped_models.results(model, inputs)
    same(wrapped_models.results(wrap(model), inputs), expected)


@pytest.fixture(scope="module")
def process():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@every_model
def test_pickled_to_a_process(kind, process):
    model, inputs = wrapped_models.build(kind)
    expected = wrapped_models.results(model, inputs)
    same(process.submit(wrapped_models.results, model, inputs).result(), expected)


# What maps over examples: encoders look at their masks' values, random chains keep their state in place.
NOT_MAPPED = {
    **dict.fromkeys(("text encoder, trained", "text encoder, frozen", "ChainClassifier"), "control flow"),
    "random chain": "random chain heads cannot be mapped by torch.vmap",
}


@every_model
def test_mapping_and_gradients_of_every_example(kind):
    model, inputs = wrapped_models.build(kind)
    parts = wrapped_models.halves(inputs)
    stacked = {name: torch.stack([part[name] for part in parts]) for name in inputs}
    every = {name: value.detach() for name, value in model.state_dict(keep_vars=True).items()}
    trained = {name: every[name] for name, value in model.named_parameters() if value.requires_grad}

    def loss(weights, part):
        out = torch.func.functional_call(model, every | weights, kwargs=part)
        return out["loss"], wrapped_models.predictions(out)

    mapped = torch.func.vmap(torch.func.grad(loss, has_aux=True), in_dims=(None, 0))
    if kind in NOT_MAPPED:
        with pytest.raises(RuntimeError, match=NOT_MAPPED[kind]):
            mapped(trained, stacked)
        return
    gradients, found = mapped(trained, stacked)
    for number, part in enumerate(parts):
        expected, of_part = wrapped_models.results(model, part)
        same(found[number], expected)
        same({name: gradients[name][number] for name in of_part}, of_part)


@every_model
def test_torchao(kind):
    quantisation = pytest.importorskip(
        "torchao.quantization", reason="the extra quantisation is not installed"
    )
    model, inputs = wrapped_models.build(kind)
    expected = wrapped_models.predictions(model(**inputs))
    quantisation.quantize_(model, quantisation.Int8WeightOnlyConfig())
    linear = [module.weight for module in model.modules() if type(module) is nn.Linear]
    assert any(type(weight).__name__ == "Int8Tensor" for weight in linear) or not linear
    found = wrapped_models.predictions(model(**inputs))
    assert (found - expected).abs().max() < 0.02 * expected.abs().max().clamp(min=1)


@every_model
def test_functional_call(kind):
    model, inputs = wrapped_models.build(kind)
    expected = wrapped_models.results(model, inputs)
    weights = {
        name: value.detach().clone().requires_grad_(value.requires_grad)
        for name, value in model.named_parameters()
    }
    out = torch.func.functional_call(model, weights, kwargs=inputs)
    out["loss"].backward()
    same(wrapped_models.predictions(out), expected[0])
    same({name: value.grad for name, value in weights.items() if value.grad is not None}, expected[1])


class Identity(nn.Module):
    def forward(self, weight):
        return weight * 1


def parametrized(linear):
    parametrize.register_parametrization(linear, "weight", Identity())


def pruned(linear):
    prune.identity(linear, "weight")


def as_tensors(linear):
    weight = linear.weight
    del linear.weight
    linear.original = weight
    linear.weight = weight * 1


@every_model
@pytest.mark.parametrize("change", [parametrized, pruned, as_tensors])
def test_linear_maps_whose_weights_are_no_parameters(kind, change):
    model, inputs = wrapped_models.build(kind)
    expected, gradients = wrapped_models.results(model, inputs)
    changed = copy.deepcopy(model)
    for linear in [module for module in changed.modules() if type(module) is nn.Linear]:
        change(linear)
    found, of_changed = wrapped_models.results(changed, inputs)
    same(found, expected)
    same(
        sum(grad.abs().sum() for grad in of_changed.values()),
        sum(grad.abs().sum() for grad in gradients.values()),
    )


@every_model
@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor, torch.quantize_per_channel:UserWarning")
def test_dynamic_quantisation(kind):
    model, inputs = wrapped_models.build(kind)
    expected = wrapped_models.predictions(model(**inputs))
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    found = wrapped_models.predictions(quantised(**inputs))
    # int8 keeps seven bits of every weight and every input.
    assert (found - expected).abs().max() < 0.1 * expected.abs().max().clamp(min=1)


@pytest.fixture(scope="module")
def distributed():
    """For every way to distribute a model over two processes and every model, what differed, or nothing."""
    program = Path(__file__).parents[1] / "support" / "distributed_models.py"
    done = run_script(program, offline=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What torch itself refuses, with or without a chain head: BatchNorm of bfloat16 with statistics of float32 on a CPU.
FROZEN, NORMALISED = "uniform `requires_grad` when `use_orig_params=False`", "batch_norm("
REFUSED_BY_TORCH = {
    "fsdp flat": {"text encoder, frozen": FROZEN, "image backbone, frozen": FROZEN},
    "fsdp bfloat16": {"text encoder, frozen": FROZEN, "image backbone, frozen": FROZEN},
    "fsdp2 bfloat16": dict.fromkeys(
        ("series, batch norm", "image backbone, trained", "image backbone, frozen", "timm"), NORMALISED
    ),
}
WAYS = ["ddp", "fsdp", "fsdp flat", "fsdp by layer", "fsdp bfloat16", "fsdp2", "fsdp2 bfloat16"]


@pytest.mark.parametrize("way", WAYS)
def test_two_processes(distributed, way):
    found, refused = distributed[way], REFUSED_BY_TORCH.get(way, {})
    assert found.keys() == wrapped_models.MODELS.keys()
    for kind, message in refused.items():
        assert message in found[kind]
    assert not {kind: told for kind, told in found.items() if told and kind not in refused}


@pytest.mark.parametrize("case", joined_batch_norm.CASES)
def test_batch_norm_over_two_processes_is_that_of_the_joined_batch(distributed, case):
    assert not distributed["joined batch norm"][case]


def test_converted_batch_norms_know_masks_and_are_saved_alike():
    expected = joined_batch_norm.build()
    model = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(expected))
    assert repr(model).count("synchronised=True") == 4
    x, mask = torch.randn(4, 5, 3, dtype=torch.float64), torch.tensor(joined_batch_norm.UNEVEN)
    for training in (True, False):
        model.train(training)
        expected.train(training)
        assert torch.equal(model(x, mask).logits, expected(x, mask).logits)
    same(model.state_dict(), expected.state_dict())
