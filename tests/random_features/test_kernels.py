"""The kernels' weights and channels, and equal outputs of chain heads."""

import numpy as np
import pytest
import torch

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.random_features.kernels import draw_channels, draw_group_taps, fixed_taps
from chainhead_plugin.random_features.pools import kernel_outputs
from tests.support.random_chains import features, plan


@pytest.mark.parametrize("parity", [0, 1])
def test_the_fixed_kernels_are_all_that_have_three_twos(parity):
    taps = fixed_taps(parity)
    assert taps.shape == (9, 84)
    assert len({tuple(kernel) for kernel in taps.T}) == 84
    np.testing.assert_array_equal((taps == 2).sum(0), 3)
    np.testing.assert_array_equal((taps == -1).sum(0), 6)


def test_even_and_odd_dilations_swap_the_halves():
    halves = [{tuple(kernel) for kernel in fixed_taps(parity).T[:42]} for parity in (0, 1)]
    assert not halves[0] & halves[1]


def test_random_kernels_sum_to_zero_and_have_the_same_size():
    taps = draw_group_taps(plan(), np.random.default_rng(0))
    np.testing.assert_allclose(taps.sum(-1), 0, atol=1e-6)
    np.testing.assert_allclose(np.abs(taps).sum(-1), 1, rtol=1e-6)


@pytest.mark.parametrize("m", [1, 2, 5, 30])
def test_channels_are_one_to_nine(m):
    channels = draw_channels(m, 500, np.random.default_rng(0), signs=True)
    counts = np.abs(channels).sum(1)
    assert set(np.unique(channels)) <= {-1, 0, 1}
    assert counts.min() == 1
    assert counts.max() == min(m, 9)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    ("m", "length", "dilation"), [(1, 40, 1), (1, 40, 4), (3, 40, 2), (1, 5, 2), (2, 1, 1)]
)
def test_a_chain_head_gives_the_same_outputs(m, length, dilation, causal):
    """A bank of kernels is a chain interdependence head with hops of multiples of the dilation."""
    module = features(plan(m, (1, 2, 4), causal))
    number = (1, 2, 4).index(dilation)
    tables = module.tables()
    nodes = torch.randn(2, length, m)

    reach, lag = 8 * dilation, module.plan.lag(dilation)
    window = torch.nn.functional.pad(nodes, (0, 0, reach, lag)) @ tables.kernel_channels[number].float().T
    outputs = kernel_outputs(window, tables.steps[number], dilation)[:, lag:]

    hops = [tap * dilation - lag for tap in range(9)]
    head = ChainInterdependenceHead(
        m, 84, length, channel_hops=hops, bi_directional=not causal, with_relu=False, with_softmax=False
    )
    taps = torch.from_numpy(fixed_taps(number % 2).copy())
    weight = taps[:, :, None] * module.kernel_channels[number].float()  # [9, 84, m]
    with torch.no_grad():
        for tensor in head.parameters():
            tensor.copy_(weight.reshape(tensor.shape))
    torch.testing.assert_close(outputs, head(nodes), atol=1e-5, rtol=1e-6)


def test_outputs_are_exactly_zero_where_a_chain_does_not_change():
    module = features(plan(1))
    tables = module.tables()
    window = torch.full((1, 60, 1), 1234.567)
    for steps in (tables.steps[0], tables.group_steps[0].flatten(0, 1).T):
        assert (kernel_outputs(window, steps, 2) == 0).all()
