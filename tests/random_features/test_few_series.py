"""Shares of single pools, where labels have few series: against their definition, and what they are good for."""

import numpy as np
import pytest
import torch

from chainhead_plugin.models.random_chain_fit import fit_random_chain
from chainhead_plugin.random_features.ridge.few_series import share_of_pools, squares_of_pools
from chainhead_plugin.random_features.ridge.of_blocks import fit_blocks
from tests.support.random_chains import plan

OF = plan(dilations=(1, 2), groups=(3, 2), num_levels=4)


def few(count, labels, seed=0):
    """Features [count, features] of noise with a sign of each label in the longest runs of one bank, and the labels."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.arange(count) % labels
    features = torch.randn(count, OF.num_features, generator=generator)
    kernels = features[:, : OF.block_sizes[0]].view(count, *OF.kernel_shape)
    signs = torch.randn(labels, *OF.kernel_shape[1:2], OF.kernel_shape[3], generator=generator)
    kernels[:, 2, :, 3] += 1.5 * signs[found]
    return features, found


def fit(features, labels, weigh=True, weights=None):
    targets = torch.nn.functional.one_hot(labels).double() * 2 - 1

    def batches(wanted):
        numbers = torch.arange(len(features)) if wanted is None else wanted
        return [(numbers, features[numbers])]

    return fit_blocks(
        batches,
        len(features),
        targets,
        OF,
        None,
        0,
        weights,
        labels if weigh else None,
    )


def pools(values):
    """Single pools of features [..., features], with the share of their block and its number of pools."""
    kernels, groups, levels = torch.split(values, list(OF.block_sizes), -1)
    banks, _, kinds, _ = OF.kernel_shape
    at = kernels.view(*values.shape[:-1], *OF.kernel_shape)
    yield from (
        (0.45 / (banks * kinds), at[..., b, :, p, :].flatten(-2)) for b in range(banks) for p in range(kinds)
    )
    at = groups.view(*values.shape[:-1], *OF.group_shape)
    yield from ((0.45 / (banks * 2), at[..., b, p, :, :].flatten(-2)) for b in range(banks) for p in range(2))
    at = levels.view(*values.shape[:-1], *OF.level_shape)
    yield from ((0.1 / kinds, at[..., p, :]) for p in range(kinds))


@pytest.mark.parametrize("weighted", [False, True])
def test_a_pool_has_the_fourth_power_of_its_correlation_with_shared_labels(weighted):
    features, labels = few(11, 4)
    weights = torch.linspace(0.5, 1.5, 11, dtype=torch.float64) if weighted else None
    found = squares_of_pools(features, OF, labels, weights)

    first, second = torch.triu_indices(11, 11, 1)
    same = (labels[first] == labels[second]).double()
    count = np.ones(len(first)) if weights is None else (weights[first] * weights[second]).numpy()
    expected = []
    for share, pool in pools(features.double()):
        products = (pool[first] * pool[second]).sum(1)
        both = np.cov(np.stack([products.numpy(), same.numpy()]), aweights=count)
        correlation = both[0, 1] / np.sqrt(both[0, 0] * both[1, 1])
        expected.append(share * max(correlation, 0) ** 4)
    squares = [pool for _, pool in pools(found)]
    units = [pool.square().sum(1).mean() for _, pool in pools(features.double())]
    shares = torch.stack([square[0] * unit for square, unit in zip(squares, units, strict=True)])
    assert all((square == square[0]).all() for square in squares)
    torch.testing.assert_close(shares, torch.tensor(expected) / sum(expected), rtol=1e-4, atol=1e-9)
    assert shares.argmax() == 2 * OF.kernel_shape[2] + 3  # the longest runs of the third bank


@pytest.mark.parametrize("weighted", [False, True])
def test_left_out_predictions_are_those_of_refitting_with_the_same_shares(weighted):
    features, labels = few(15, 5)
    weights = torch.linspace(0.5, 1.5, 15, dtype=torch.float64) if weighted else None
    found = fit(features, labels, weights=weights)
    scaled = (features.double() - found.feature_mean) * found.feature_scale
    torch.testing.assert_close(scaled.square().sum(1).mean(), torch.tensor(1.0).double(), rtol=1e-3, atol=0)
    targets = torch.nn.functional.one_hot(labels).double() * 2 - 1
    count = torch.ones(15, dtype=torch.float64) if weights is None else weights
    for row in (0, 6, 14):
        others = torch.arange(15) != row
        share = (count[others] / count[others].sum())[:, None]
        mean, centre = (share * scaled[others]).sum(0), (share * targets[others]).sum(0)
        root = count[others].sqrt()[:, None]
        rows = root * (scaled[others] - mean)
        products = rows @ rows.T + found.strength * torch.eye(14, dtype=torch.float64)
        weight = rows.T @ torch.linalg.solve(products, root * (targets[others] - centre))
        expected = (scaled[row] - mean) @ weight + centre
        torch.testing.assert_close(found.left_out[row], expected, atol=1e-4, rtol=1e-4)


def test_new_series_are_told_apart_better_than_by_shares_of_blocks():
    features, labels = few(1000, 5)
    right = {}
    for weigh in (False, True):
        found = fit(features[:10], labels[:10], weigh)
        scores = ((features - found.feature_mean) * found.feature_scale) @ found.weight + found.intercept
        right[weigh] = float((scores.argmax(1) == labels)[10:].double().mean())
    assert right[True] > 0.9
    assert right[True] > right[False] + 0.25


@pytest.mark.parametrize(("count", "labels", "share"), [(16, 2, 0), (24, 3, 0), (10, 5, 0.75), (5, 5, 0.875)])
def test_pools_count_the_less_the_more_series_a_label_has(count, labels, share):
    features, found = few(count, labels)
    assert share_of_pools(found) == share
    without, with_labels = fit(features, found, weigh=False), fit(features, found)
    assert torch.equal(without.feature_scale, with_labels.feature_scale) == (share in (0, 0.875))
    if share == 0:
        assert torch.equal(without.weight, with_labels.weight)
    else:
        assert with_labels.strength <= without.strength


def test_values_and_several_labels_have_no_shares_of_pools():
    assert share_of_pools(None) == 0


@pytest.mark.parametrize("labels", [[0, 1], [0, 0, 1], [0, 1, 2, 3], [0, 0, 1, 1]])
@pytest.mark.parametrize("constant", [False, True])
def test_as_few_series_as_there_can_be(labels, constant):
    series = np.random.default_rng(0).standard_normal((len(labels), 30)).astype(np.float32)
    if constant:
        series[:] = np.asarray(labels)[:, None]
    found = fit_random_chain(series, labels)
    assert torch.isfinite(found.model(torch.from_numpy(series)[..., None]).logits).all()


def test_more_series_than_choices_are_made_by_use_the_same_shares(monkeypatch):
    """Shares of pools are found on some series; the regression is fitted to all, here in passes."""
    features, labels = few(90, 30)
    monkeypatch.setattr("chainhead_plugin.random_features.ridge.of_blocks._ROWS_FOR_STRENGTH", 60)
    monkeypatch.setattr("chainhead_plugin.random_features.ridge.of_blocks._FEW_ROWS", 40)
    monkeypatch.setattr("chainhead_plugin.random_features.ridge.of_blocks._ROWS_FOR_SHARES", 40)
    found = fit(features, labels)
    assert len(found.rows) == 60
    scaled = (features.double() - found.feature_mean) * found.feature_scale
    targets = torch.nn.functional.one_hot(labels).double() * 2 - 1
    mean, centre = scaled.mean(0), targets.mean(0)
    rows = scaled - mean
    products = rows @ rows.T + found.strength * torch.eye(90, dtype=torch.float64)
    weight = rows.T @ torch.linalg.solve(products, targets - centre)
    torch.testing.assert_close(
        scaled @ found.weight + found.intercept, rows @ weight + centre, atol=1e-3, rtol=1e-3
    )
