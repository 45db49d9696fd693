"""Random chain heads with common tools: ONNX, PEFT, Trainer and torch.func."""

import copy

import onnxruntime
import pytest
import torch
from peft import LoraConfig, get_peft_model
from random_chains import two_kinds
from transformers import Trainer, TrainingArguments

from chainhead_plugin import fit_random_chain
from chainhead_plugin.random_features import pools

TINY = {"dilations": [1], "with_differences": False, "num_biases": 1, "num_groups": 2, "group_size": 2}
ANY = torch.export.Dim.DYNAMIC
DYNAMIC = {"input_features": {0: ANY, 1: ANY}, "attention_mask": {0: ANY, 1: ANY}}


@pytest.fixture(scope="module")
def fitted():
    return fit_random_chain(*two_kinds(), num_levels=2, **TINY).model


def inputs(batch=4, length=30):
    mask = torch.ones(batch, length, dtype=torch.int64)
    mask[0, length // 2 :] = 0
    mask[1, : length // 3] = 0
    return {"input_features": torch.randn(batch, length, 1), "attention_mask": mask}


@pytest.mark.slow
def test_an_exported_program_and_onnx_take_any_batch_length_and_padding(fitted, tmp_path):
    file = tmp_path / "model.onnx"
    program = torch.export.export(fitted, (), kwargs=inputs(3), dynamic_shapes=DYNAMIC)
    torch.onnx.export(fitted, (), file, kwargs=inputs(3), dynamo=True, dynamic_shapes=DYNAMIC, verbose=False)
    session, exported = onnxruntime.InferenceSession(file), program.module()
    for batch, length in ((2, 9), (5, 30), (3, 77)):
        given = inputs(batch, length)
        torch.testing.assert_close(exported(**given).logits, fitted(**given).logits, atol=2e-6, rtol=1e-5)
        (found,) = session.run(None, {name: value.numpy() for name, value in given.items()})
        torch.testing.assert_close(torch.from_numpy(found), fitted(**given).logits, atol=2e-6, rtol=1e-5)


def test_compiled_without_a_break_in_the_graph(fitted):
    compiled = torch.compile(fitted, backend="eager", fullgraph=True, dynamic=True)
    for batch, length in ((4, 30), (3, 41)):
        given = inputs(batch, length)
        torch.testing.assert_close(compiled(**given).logits, fitted(**given).logits, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("before", [0.0, 3.0])
def test_runs_are_the_same_by_sorting(before, monkeypatch):
    above = torch.rand(5, 40, 7) < torch.tensor([0.0, 0.1, 0.5, 0.8, 0.9, 0.97, 1.0])
    run = torch.full((5, 7), before)
    expected = pools.runs_of(above, run)
    for one, longest, last in zip(above[..., 4], *(part[:, 4] for part in expected), strict=True):
        lengths = [int(before)]
        for is_above in one:
            lengths.append(lengths[-1] + 1 if is_above else 0)
        assert (longest, last) == (max(lengths[1:]), lengths[-1])
    monkeypatch.setattr(pools, "is_exporting", lambda: True)
    # A run that ended before these nodes is the caller's; either form may count it.
    found = pools.runs_of(above, run)
    assert torch.equal(torch.maximum(found[0], run), torch.maximum(expected[0], run))
    assert torch.equal(found[1], expected[1])


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_peft_adapts_the_linear_map(fitted):
    adapted = get_peft_model(copy.deepcopy(fitted), LoraConfig(r=2, target_modules=["classifier"]))
    given, labels = inputs(), torch.tensor([0, 1, 0, 1])
    assert torch.equal(adapted(**given).logits, fitted(**given).logits)
    trained = [name for name, value in adapted.named_parameters() if value.requires_grad]
    assert trained
    assert all("lora" in name for name in trained)
    optimizer = torch.optim.Adam(adapted.parameters(), lr=1e-3)
    adapted(**given, labels=labels).loss.backward()
    optimizer.step()
    merged = copy.deepcopy(adapted).merge_and_unload()
    torch.testing.assert_close(merged(**given).logits, adapted(**given).logits, atol=2e-6, rtol=1e-5)
    assert not torch.equal(merged(**given).logits, fitted(**given).logits)


def test_trainer_trains_the_linear_map_alone(fitted, tmp_path):
    series, labels = two_kinds()
    examples = [
        {"input_features": torch.from_numpy(one)[:, None], "labels": int(label)}
        for one, label in zip(series, labels, strict=True)
    ]
    model = copy.deepcopy(fitted)
    arguments = TrainingArguments(
        tmp_path, max_steps=2, report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no"
    )
    Trainer(model, arguments, train_dataset=examples).train()
    assert not torch.equal(model.classifier.weight, fitted.classifier.weight)
    for found, expected in zip(model.random_chain.buffers(), fitted.random_chain.buffers(), strict=True):
        assert torch.equal(found, expected)


def test_gradients_of_inputs_are_zero_and_vmap_is_refused(fitted):
    given = inputs()["input_features"]

    def total(nodes):
        return fitted(nodes).logits.sum()

    assert torch.equal(torch.func.grad(total)(given), torch.zeros_like(given))
    with pytest.raises(RuntimeError, match="pass the series as one batch"):
        torch.func.vmap(lambda nodes: fitted(nodes[None]).logits[0])(given)


def test_batches_differ_by_the_rounding_of_float32_alone(fitted):
    """Features are the same to the last bit; a sum of thousands of products is added up in another order."""
    given = inputs(16, 50)
    with torch.no_grad():
        features = fitted.random_chain(given["input_features"])
        alone = [fitted.random_chain(one[None])[0] for one in given["input_features"]]
        assert torch.equal(torch.stack(alone), features)
        together = fitted(given["input_features"]).logits
        single = torch.cat([fitted(one[None]).logits for one in given["input_features"]])
        weight = fitted.classifier.weight
        rounding = torch.finfo(torch.float32).eps * (features.abs() @ weight.abs().T)
    assert ((together - single).abs() <= 2 * rounding).all()
