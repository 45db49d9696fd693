"""Thresholds lie among the outputs, and calibrated probabilities match how often labels are right."""

import numpy as np
import pytest
import torch

from chainhead_plugin.random_features.calibration import fit_temperature
from chainhead_plugin.random_features.plan import dilations_for
from chainhead_plugin.random_features.thresholds import choose_thresholds
from tests.support.random_chains import features, plan


@pytest.mark.parametrize("m", [1, 4])
@pytest.mark.parametrize("causal", [True, False])
def test_thresholds_part_the_outputs(m, causal):
    of = plan(m, (1, 2), causal, num_levels=20)
    module = features(of)
    chains = [np.random.default_rng(n).standard_normal((50 + n, m)).astype(np.float32) for n in range(20)]
    kernels, levels = choose_thresholds(
        chains, of, module.kernel_channels.numpy(), module.level_channels.numpy(), np.random.default_rng(0)
    )
    module.kernel_thresholds.copy_(torch.from_numpy(kernels))
    module.level_thresholds.copy_(torch.from_numpy(levels))
    pooled = torch.cat([module.pooled(torch.from_numpy(chain)[None]) for chain in chains])
    shares = pooled[:, : of.block_sizes[0]].view(-1, *of.kernel_shape)[:, :, :, 0].mean(0)
    assert (kernels[:, -1] == 0).all()
    # A golden sequence fills the unit interval evenly, and so do the shares above its quantiles.
    quantiles = torch.linspace(0.1, 0.9, 9)
    torch.testing.assert_close(shares[:, :-1].flatten().quantile(quantiles), quantiles, atol=0.08, rtol=0)
    above = pooled[:, -4 * of.num_levels :].view(-1, 4, of.num_levels)[:, 0].mean(0)
    assert above.min() < 0.15
    assert above.max() > 0.85


def test_values_that_are_equal_but_for_rounding_are_not_parted():
    of = plan(1, (1,), num_levels=9)
    module = features(of)
    steps = np.repeat([1.0, 2.0, 3.0], 100)[:, None]
    chains = [
        (steps + 1e-7 * np.random.default_rng(n).standard_normal((300, 1))).astype(np.float32) for n in (0, 1)
    ]
    _, levels = choose_thresholds(
        chains, of, module.kernel_channels.numpy(), module.level_channels.numpy(), np.random.default_rng(0)
    )
    assert (np.abs(levels - np.rint(levels))[levels < 2.9] > 0.4).all()


@pytest.mark.parametrize("factor", [0.5, 3.0, 12.0])
def test_the_temperature_of_drawn_labels_is_found(factor):
    scores = torch.randn(20_000, 4, dtype=torch.float64)
    labels = torch.distributions.Categorical(logits=scores * factor).sample()
    assert fit_temperature(scores, labels) == pytest.approx(factor, rel=0.05)
    labels = torch.bernoulli(torch.sigmoid(scores * factor))
    assert fit_temperature(scores, labels) == pytest.approx(factor, rel=0.05)


def test_few_rows_that_are_all_right_are_not_certain():
    scores = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    factor = fit_temperature(scores, torch.tensor([0, 1]))
    assert torch.softmax(scores * factor, 1).max() < 0.95


@pytest.mark.parametrize(
    ("length", "expected"), [(1, [1]), (15, [1]), (16, [1, 2]), (100, [1, 2, 4, 8]), (24.5, [1, 2])]
)
def test_dilations_are_as_many_as_fit(length, expected):
    assert dilations_for(length) == expected
