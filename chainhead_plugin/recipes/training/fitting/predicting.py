"""Predict with trained models, and measure them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.trainer_pt_utils import nested_concat

from ...candidates.inputs.inputs import Inputs
from ...data.batches import batch_size, similar_batches
from ...data.examples import Examples
from ...data.node_labels import IGNORED
from ...task import Task

_OF_ONE_LENGTH, _OF_SIMILAR_LENGTH = 512, 64


def scores(model: nn.Module, inputs: Inputs, examples: Sequence[Any]) -> Tensor:
    """Return every label's probability for each example, [examples, labels]."""
    return _outputs(model, inputs, examples, "logits").softmax(-1)


@torch.no_grad()
def predicted_labels(model: nn.Module, inputs: Inputs, examples: Examples) -> NDArray[np.int64]:
    """Return the predicted labels of examples or nodes, int64 in the shape of `examples.labels`."""
    named = np.full_like(examples.labels, IGNORED)
    for places, batch in _batches(examples.inputs):
        found = model(**inputs.batch(batch))["logits"].argmax(-1).numpy()
        region: Any = (places, *map(slice, found.shape[1:]))
        named[region] = found
    return named


def quality(model: nn.Module, inputs: Inputs, examples: Examples, task: Task) -> dict[str, float]:
    """Return the task's metrics of a model, by name."""
    return task.measure_on(predict(model, inputs, examples.inputs, task).numpy(), examples)


def predict(model: nn.Module, inputs: Inputs, examples: Sequence[Any], task: Task) -> Tensor:
    """Return the predictions that the task measures.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode, on the CPU.
    inputs : Inputs
        The model's preprocessing.
    examples : sequence
        Inputs of examples, at least one.
    task : Task

    Returns
    -------
    Tensor [examples, ...]
        The model's output of the name `task.outputs`.
    """
    return _outputs(model, inputs, examples, task.outputs)


@torch.no_grad()
def _outputs(model: nn.Module, inputs: Inputs, examples: Sequence[Any], name: str) -> Tensor:
    """Return the model's output of this name for each example."""
    order: list[int] = []
    outputs: Tensor | None = None
    for places, batch in _batches(examples):
        part = model(**inputs.batch(batch))[name]
        # As in the Trainer, parts of different lengths are filled with -100.
        outputs = part if outputs is None else nested_concat(outputs, part)
        order.extend(places.tolist())
    assert outputs is not None
    return outputs[np.argsort(order)]


def _batches(examples: Sequence[Any]) -> Iterator[tuple[NDArray[np.intp], Sequence[Any]]]:
    """Yield the places of examples with these examples. If lengths differ, similar ones stand together."""
    if not isinstance(examples, list) or len({len(example) for example in examples}) == 1:
        count = batch_size(examples[0], _OF_ONE_LENGTH)
        for start in range(0, len(examples), count):
            batch = examples[start : start + count]
            yield np.arange(start, start + len(batch)), batch
        return

    for places in similar_batches(examples, _OF_SIMILAR_LENGTH):
        yield places, [examples[place] for place in places]
