"""Predictions do not depend on the batches that examples happen to share, and come in the examples' order."""

import numpy as np
import pytest
import torch

from chainhead_plugin import ChainHeadConfig
from chainhead_plugin.recipes.candidates.inputs.chains import prepare_chains
from chainhead_plugin.recipes.data.examples import Examples
from chainhead_plugin.recipes.tasks.known import task_named
from chainhead_plugin.recipes.training.fitting.predicting import predict, predicted_labels, scores

NAMES = ("a", "b", "c")
LENGTHS = {"equal": np.full(130, 9), "different": np.random.default_rng(0).integers(1, 40, 130)}


def model_and_examples(lengths, *, of_nodes):
    rng = np.random.default_rng(1)
    chains = [rng.normal(size=(length, 2)) for length in lengths]
    labels = np.zeros((len(chains), max(lengths)) if of_nodes else len(chains), np.int64)
    examples = Examples(chains, labels, NAMES)
    inputs = prepare_chains(examples, of_nodes=of_nodes)
    torch.manual_seed(0)
    config = ChainHeadConfig(hidden_sizes=[4], bi_directional=True, num_labels=3, **inputs.fields)
    return inputs.model_class(config).eval(), inputs, examples


def alone(model, inputs, chain):
    with torch.no_grad():
        return model(**inputs.batch([chain])).logits[0]


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_of_series(lengths):
    model, inputs, examples = model_and_examples(lengths, of_nodes=False)
    wanted = torch.stack([alone(model, inputs, chain) for chain in examples.inputs])
    task = task_named("time-series-classification")
    torch.testing.assert_close(predict(model, inputs, examples.inputs, task), wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(scores(model, inputs, examples.inputs), wanted.softmax(-1), atol=1e-5, rtol=0)
    assert (predicted_labels(model, inputs, examples) == wanted.argmax(-1).numpy()).all()


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_of_nodes(lengths):
    model, inputs, examples = model_and_examples(lengths, of_nodes=True)
    found = predict(model, inputs, examples.inputs, task_named("time-series-segmentation"))
    named = predicted_labels(model, inputs, examples)
    assert found.shape == (*examples.labels.shape, 3)
    for chain, logits, labels in zip(examples.inputs, found, named, strict=True):
        wanted = alone(model, inputs, chain)
        torch.testing.assert_close(logits[: len(chain)], wanted, atol=1e-5, rtol=0)
        assert (labels[: len(chain)] == wanted.argmax(-1).numpy()).all()


def test_a_long_series_is_not_the_measure_of_all():
    """A hundred short series beside a long one: the short ones are padded to each other's lengths."""
    model, inputs, examples = model_and_examples([*[5] * 99, 1000, 7], of_nodes=False)
    shapes = []
    model.register_forward_pre_hook(
        lambda _, __, named: shapes.append(tuple(named["input_features"].shape[:2])), with_kwargs=True
    )
    scores(model, inputs, examples.inputs)
    assert shapes == [(64, 5), (37, 1000)]
