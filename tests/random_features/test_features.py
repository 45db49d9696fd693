"""Features of chains by their definition, in plain PyTorch and compiled, for every padding."""

import numpy as np
import pytest
import torch

from chainhead_plugin.random_features import workers
from chainhead_plugin.random_features.kernels import fixed_taps
from chainhead_plugin.random_features.pools import as_counts
from tests.support.random_chains import features, plan

PLANS = {
    "causal": plan(),
    "around": plan(causal=False),
    "several channels": plan(m=3),
    "several channels, around": plan(m=12, causal=False),
    "no differences": plan(m=2, with_differences=False),
    "no groups": plan(groups=(0, 0)),
    "no levels": plan(num_levels=0),
    "one dilation": plan(dilations=(1,)),
    "far": plan(dilations=(1, 3, 32)),
}
every_plan = pytest.mark.parametrize("name", PLANS)
LENGTHS = [1, 2, 3, 8, 63, 64, 65, 300]


def by_definition(module, chain):
    """The features of a chain [length, m], one output after the other."""
    of, length = module.plan, len(chain)
    nodes = module.scaled(chain).numpy()
    kernels, groups = np.zeros(of.kernel_shape), np.zeros(of.group_shape)

    def pools(outputs, threshold, first, count):
        above = outputs > threshold
        runs, longest = 0, 0
        for one in above:
            runs = runs + 1 if one else 0
            longest = max(longest, runs)
        places = np.flatnonzero(above)
        total = (outputs[above] - threshold).sum()
        return (
            above.sum() / count,
            total / max(above.sum(), 1),
            places.mean() / count if len(places) else -1,
            longest / count,
        )

    for bank, (diff, dilation, number) in enumerate(of.banks):
        read = np.diff(nodes, axis=0, prepend=nodes[:1]) if diff else nodes
        lag = of.lag(dilation)

        def at(t, read=read):
            return read[t] if 0 <= t < length else np.zeros(of.m)

        window = np.array([[at(t + lag - tap * dilation) for tap in range(9)] for t in range(length)])
        taps = fixed_taps(number % 2)
        channels = module.kernel_channels[bank].numpy()
        outputs = np.einsum("lcm,km,ck->lk", window, channels, taps)
        for kernel in range(84):
            full = kernel >= 42
            first = 8 * dilation - lag if full else 0
            some = outputs[first : length - lag if full else length, kernel]
            for row in range(of.num_biases):
                threshold = float(module.kernel_thresholds[bank, row, kernel])
                count = max(length - (8 * dilation if full else 0), 1)
                kernels[bank, row, :, kernel] = pools(some, threshold, first, count)
        for group in range(of.num_groups):
            channel = module.group_channels[bank, group].numpy()
            competing = np.einsum("lcm,m,kc->lk", window, channel, module.group_taps[bank, group].numpy())
            for output in competing:
                for kernel in np.flatnonzero(np.isclose(output, output.max(), atol=1e-7)):
                    groups[bank, 0, group, kernel] += output[kernel]
                for kernel in np.flatnonzero(np.isclose(output, output.min(), atol=1e-7)):
                    groups[bank, 1, group, kernel] += 1
    levels = nodes @ module.level_channels.numpy().T
    by_level = [
        pools(levels[:, k], float(module.level_thresholds[0, k]), 0, length) for k in range(of.num_levels)
    ]
    parts = [
        kernels.ravel(),
        np.sqrt(np.maximum(groups, 0) / length).ravel(),
        np.array(by_level).reshape(-1, 4).T.ravel(),
    ]
    return torch.from_numpy(np.concatenate(parts)).float()


def plainly(module, nodes):
    lengths = torch.full((len(nodes),), nodes.size(1))
    return module.pooled_plainly(module.scaled(nodes), lengths)


@every_plan
@pytest.mark.parametrize("length", [1, 2, 9, 25])
def test_features_are_what_they_are_defined_as(name, length):
    module = features(PLANS[name])
    nodes = torch.randn(2, length, module.plan.m)
    expected = torch.stack([by_definition(module, chain) for chain in nodes])
    torch.testing.assert_close(plainly(module, nodes), expected, atol=2e-5, rtol=1e-5)


@every_plan
@pytest.mark.parametrize("length", LENGTHS)
def test_the_compiled_form_gives_the_same(name, length):
    pytest.importorskip("numba")
    module = features(PLANS[name])
    nodes = torch.randn(3, length, module.plan.m) * torch.tensor([1.0, 1e-3, 30.0])[:, None, None] + 0.3
    torch.testing.assert_close(module.pooled(nodes), plainly(module, nodes), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("count", [1, 2, 31])
def test_threads_change_no_bit(threads, count, monkeypatch):
    pooling = pytest.importorskip(
        "chainhead_plugin.random_features.compiled_form.pooling", exc_type=ImportError
    )
    module, nodes = features(PLANS["several channels, around"]), torch.randn(count, 40, 12)
    mask = torch.arange(40) < torch.randint(1, 41, (count, 1))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = module.pooled(nodes, mask)
    began = []

    class Pool(workers.ThreadPoolExecutor):
        def __init__(self, most, *names):
            began.append(most)
            super().__init__(most, *names)

    monkeypatch.setattr(workers, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(pooling, "_LEAST_OUTPUTS", 1)
    torch.set_num_threads(threads)
    try:
        assert torch.equal(module.pooled(nodes, mask), alone)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert began == ([min(threads, count)] if count > 1 else [])


@every_plan
@pytest.mark.parametrize("side", ["left", "right", "both"])
@pytest.mark.parametrize("compiled", [True, False])
def test_padding_changes_nothing(name, side, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr("chainhead_plugin.random_features.features.runs_compiled", lambda nodes: False)
    module = features(PLANS[name])
    chains = [torch.randn(length, module.plan.m) for length in (1, 7, 20, 33)]
    before = {"left": 3, "right": 0, "both": 2}[side]
    nodes = torch.full((4, 40, module.plan.m), torch.nan)
    mask = torch.zeros(4, 40, dtype=torch.bool)
    for row, chain in enumerate(chains):
        start = 40 - len(chain) if side == "left" else before
        nodes[row, start : start + len(chain)] = chain
        mask[row, start : start + len(chain)] = True
    expected = torch.cat([module.pooled(chain[None]) for chain in chains])
    torch.testing.assert_close(module.pooled(nodes, mask), expected, atol=0, rtol=1e-6)


@every_plan
def test_no_chain_has_no_features(name):
    module = features(PLANS[name])
    assert module(torch.zeros(0, 5, module.plan.m)).shape == (0, module.plan.num_features)
    assert plainly(module, torch.zeros(0, 5, module.plan.m)).shape == (0, module.plan.num_features)


def test_a_chain_without_nodes_is_finite():
    module = features(plan())
    mask = torch.zeros(1, 4, dtype=torch.bool)
    assert module.pooled(torch.zeros(1, 4, 1), mask).isfinite().all()


@pytest.mark.parametrize("compiled", [True, False])
def test_many_chains_are_the_same_as_each_by_itself(compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr("chainhead_plugin.random_features.features.runs_compiled", lambda nodes: False)
        monkeypatch.setattr("chainhead_plugin.random_features.features._MOST_OUTPUTS", 10_000)
    module = features(plan())
    nodes = torch.randn(70, 33, 1)
    one_by_one = torch.cat([module(chain[None]) for chain in nodes])
    torch.testing.assert_close(module(nodes), one_by_one, atol=0, rtol=0)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_node_that_is_not_finite_spoils_its_own_chain_only(value):
    module = features(plan())
    nodes = torch.randn(3, 30, 1)
    expected = module(nodes)
    nodes[1, 7] = value
    found = module(nodes)
    assert found[1].isnan().all()
    torch.testing.assert_close(found[[0, 2]], expected[[0, 2]], atol=0, rtol=0)


def test_constant_chains_of_any_level_have_the_same_kernels():
    module = features(plan(dilations=(1,)))
    module.kernel_thresholds.zero_()
    # From the second on: before the first, nodes are zero.
    first, second = (module.pooled(torch.full((1, 50, 1), level)) for level in (3.0, -7.7))
    kernels = slice(0, module.plan.block_sizes[0])
    full = torch.zeros(module.plan.kernel_shape, dtype=torch.bool)
    full[..., 42:] = True
    assert torch.equal(first[0, kernels][full.flatten()], second[0, kernels][full.flatten()])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_no_dtype_changes_the_buffers(dtype):
    module = features(plan())
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    module.to(dtype)
    for name, buffer in module.named_buffers():
        assert torch.equal(buffer, before[name]), name
    nodes = torch.randn(2, 30, 1).to(dtype)
    torch.testing.assert_close(module(nodes), module(nodes.float()), atol=0, rtol=0)


def test_autocast_changes_nothing():
    module = features(plan(m=3))
    nodes = torch.randn(2, 30, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = module(nodes)
    assert torch.equal(found, module(nodes))


def test_counts_are_shares_times_lengths():
    of = plan()
    shares = torch.rand(3, of.num_features)
    counts = as_counts(shares, of, torch.tensor([1.0, 2.0, 0.5]))
    assert torch.equal(counts[0], shares[0])
    kernels = counts[1, : of.block_sizes[0]].view(of.kernel_shape) / shares[1, : of.block_sizes[0]].view(
        of.kernel_shape
    )
    torch.testing.assert_close(kernels[0, 0, :, 0], torch.tensor([2.0, 1.0, 1.0, 2.0]))
    groups = slice(of.block_sizes[0], of.block_sizes[0] + of.block_sizes[1])
    torch.testing.assert_close(counts[1, groups], shares[1, groups] * 2**0.5)
