"""The weights that a stack starts with: spread biases and classifier, and heads as everywhere."""

import numpy as np
import pytest
import torch

from chainhead_plugin.models import ChainHeadForSequenceClassification
from chainhead_plugin.recipes.stacks import default_stack
from chainhead_plugin.recipes.stacks.start import spread_start
from chainhead_plugin.recipes.stacks.training import fitted_extractor, train_stack

# Of univariate series: with their differences the first perceptron has two features in, the second 64.
CONFIG = default_stack(1, ["a", "b"], 30, shape="plain", hidden_sizes=[64, 64])
SPREAD_WEIGHTS = {
    "chainhead.layers.0.perceptron.bias": 2,
    "chainhead.layers.1.perceptron.bias": 64,
    "classifier.weight": 64,
    "classifier.bias": 64,
}


def started(seed, config=CONFIG):
    torch.manual_seed(seed)
    model = ChainHeadForSequenceClassification(config)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    spread_start(model)
    return before, model.state_dict()


def test_biases_and_classifier_are_spread_and_nothing_else_changes():
    before, after = started(0)
    assert {name for name in after if not torch.equal(before[name], after[name])} == SPREAD_WEIGHTS.keys()
    for name, features in SPREAD_WEIGHTS.items():
        assert after[name].abs().max() <= features**-0.5
        if after[name].numel() > 2:
            assert after[name].std().item() == pytest.approx((3 * features) ** -0.5, rel=0.2)


def test_the_seed_decides():
    assert torch.equal(*(started(0)[1]["classifier.weight"] for _ in range(2)))
    assert not torch.equal(*(started(seed)[1]["classifier.weight"] for seed in range(2)))


def test_perceptrons_without_biases_stay_without():
    config = default_stack(1, ["a", "b"], 30, shape="plain", hidden_sizes=[8, 8], enable_bias=False)
    before, after = started(0, config)
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


@pytest.mark.parametrize("is_spread", [True, False])
def test_training_starts_there_if_asked(is_spread):
    series = list(np.random.default_rng(0).normal(size=(6, 30, 1)))
    labels, extractor = np.arange(6) % 2, fitted_extractor(series, False)
    model = train_stack(CONFIG, extractor, series, labels, 1, 0, is_spread=is_spread)
    start = started(0)[1 if is_spread else 0]
    # The only step of AdamW moves a weight by no more than its rate, and the decay of some.
    for name in SPREAD_WEIGHTS:
        assert (model.state_dict()[name] - start[name]).abs().max() < 6e-3
