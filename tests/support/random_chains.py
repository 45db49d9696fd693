"""Random chain heads for tests: features with thresholds among their outputs, and series of many lengths."""

import numpy as np
import torch

from chainhead_plugin.random_features.features import RandomChainFeatures
from chainhead_plugin.random_features.plan import FeaturePlan


def plan(m=1, dilations=(1, 2, 4), causal=True, with_differences=True, groups=(5, 3), num_levels=6):
    """A small plan, whose sizes are no multiples of anything."""
    return FeaturePlan(m, tuple(dilations), causal, with_differences, 2, *groups, num_levels)


def features(of, seed=0):
    """The features of a plan, as drawn, with random thresholds."""
    module = RandomChainFeatures(of)
    generator = torch.Generator().manual_seed(seed)
    for name, value in module.initial_values(seed).items():
        getattr(module, name).copy_(torch.from_numpy(value))
    for thresholds in (module.kernel_thresholds, module.level_thresholds):
        thresholds.copy_(torch.randn(thresholds.shape, generator=generator))
    return module


def two_kinds(count=40, length=60, seed=0):
    """Series [count, length] of noise, and of sums of noise; and which they are."""
    series = np.random.default_rng(seed).standard_normal((count, length)).astype(np.float32)
    labels = np.arange(count) % 2
    series[labels == 1] = series[labels == 1].cumsum(1) / 3
    return series, labels
