"""Series that are varied in training: windows that keep their order and length, and labels' features alike."""

import numpy as np
import pytest
import torch

from chainhead_plugin.recipes.stacks.varying import vary


def ramps(lengths, longest, dtype=torch.float32):
    """A chain that counts its nodes for each length, in two features, and its mask."""
    mask = (torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)).long()
    nodes = torch.arange(1, longest + 1, dtype=dtype) * mask
    return torch.stack((nodes, -nodes), 2), mask


def test_windows_are_stretched_in_order():
    nodes, mask = ramps([200] * 300, 200)
    varied = vary(nodes, mask, np.random.default_rng(0))
    assert torch.equal(varied[..., 0], -varied[..., 1])
    steps = varied[..., 0].diff(dim=1)
    assert (steps > 0).all()

    # On a ramp the ends give the window and the scale: (last − first) / 199 is their product.
    spread = (varied[:, -1, 0] - varied[:, 0, 0]) / 199
    assert spread.mean() == pytest.approx(0.95, abs=0.03)
    assert spread.std() == pytest.approx(0.1, abs=0.02)
    # Speeds differ within a chain: e^0.3 is 1.35.
    assert 1.2 < (steps.amax(1) / steps.amin(1)).median() < 3


def test_chains_of_a_batch_are_varied_within_their_own_nodes():
    lengths = [30, 2, 1, 0, 17]
    nodes, mask = ramps(lengths, 30, torch.float64)
    varied = vary(nodes, mask, np.random.default_rng(1))
    assert varied.dtype == torch.float64
    assert (varied[mask == 0] == 0).all()
    assert torch.isfinite(varied).all()
    for chain, length in zip(varied[..., 0], lengths, strict=True):
        # Values are between the chain's own, up to the scale; 0 after it is never mixed in.
        assert ((chain[:length] > 0.6) & (chain[:length] < 1.7 * max(1, length))).all()
        assert (chain[:length].diff() > 0).all()


def test_chains_are_varied_with_their_probability():
    nodes, mask = ramps([20] * 1000, 20)
    varied = vary(nodes, mask, np.random.default_rng(0), 0.3)
    kept = (varied == nodes).flatten(1).all(1)
    assert kept.double().mean() == pytest.approx(0.7, abs=0.05)
    assert torch.equal(vary(nodes, mask, np.random.default_rng(0), 0.0), nodes)


def test_the_generator_decides():
    nodes, mask = ramps([20] * 4, 20)
    first, again, other = (vary(nodes, mask, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
