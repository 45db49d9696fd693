"""Weights that are means over training, and the statistics of BatchNorm that belong to them."""

import numpy as np
import pytest
import torch

from chainhead_plugin.head.normalisation import NodeBatchNorm
from chainhead_plugin.models import ChainHeadForSequenceClassification
from chainhead_plugin.recipes.stacks import averaging, default_stack, training
from chainhead_plugin.recipes.stacks.training import Manner, fitted_extractor, train_stack

CONFIG = default_stack(1, ["a", "b"], 30, shape="plain", hidden_sizes=[8, 8])
RNG = np.random.default_rng(0)
EQUAL, UNEQUAL = (
    [RNG.normal(2, 3, (length, 1)) for length in lengths] for lengths in ([30] * 6, range(25, 31))
)


@pytest.mark.parametrize("series", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("batch", [64, 3])
def test_statistics_are_those_of_all_series(series, batch, monkeypatch):
    monkeypatch.setattr(averaging, "_BATCH", batch)
    extractor, model = fitted_extractor(series, False), ChainHeadForSequenceClassification(CONFIG)
    first = next(module for module in model.modules() if isinstance(module, NodeBatchNorm))
    inputs = []
    first.register_forward_pre_hook(lambda module, given: inputs.append(given))
    averaging.restate_norms(model, extractor, series)

    parts = []
    for nodes, *mask in inputs:
        is_real = nodes.new_ones(nodes.shape[:2]) if not mask or mask[0] is None else mask[0]
        parts.append(nodes[is_real != 0].double())
    assert len(parts) == 6 // min(batch, 6)
    torch.testing.assert_close(
        first.running_mean.double(), torch.stack([part.mean(0) for part in parts]).mean(0)
    )
    torch.testing.assert_close(
        first.running_var.double(), torch.stack([part.var(0) for part in parts]).mean(0)
    )
    assert first.momentum == 0.1


def test_weights_are_means_of_the_last_steps(monkeypatch):
    seen, labels = [], np.arange(6) % 2
    usual = training.usual_optimizer

    def optimizer_and_weights(model, steps):
        optimizer, scheduler = usual(model, steps)
        optimizer.register_step_post_hook(
            lambda *_: seen.append([weight.detach().clone() for weight in model.parameters()])
        )
        return optimizer, scheduler

    monkeypatch.setattr(training, "usual_optimizer", optimizer_and_weights)
    model = train_stack(
        CONFIG, fitted_extractor(EQUAL, False), EQUAL, labels, 5, 0, manner=Manner(averaged=0.5)
    )
    assert len(seen) == 5
    for weight, *late in zip(model.parameters(), *seen[2:], strict=True):
        torch.testing.assert_close(weight.detach(), torch.stack(late).mean(0))


def test_smoothed_labels_leave_doubt():
    # Of several lengths, so that they are not mixed.
    series = [np.linspace(0, 1 - 2 * (length % 2), length)[:, None] for length in range(20, 38)]
    extractor, labels, sure = fitted_extractor(series, False), np.arange(18) % 2, []
    for smoothing in (0.0, 0.9):
        model = train_stack(CONFIG, extractor, series, labels, 40, 0, manner=Manner(smoothing=smoothing))
        logits = model(**extractor(series, batched=True, return_tensors="pt")).logits
        sure.append(float(logits.detach().softmax(1)[torch.arange(18), labels].mean()))
    # Of smoothed labels the wanted probability is 0.55.
    assert sure[1] < 0.6 < sure[0]
