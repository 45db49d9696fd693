"""Ridge regression in closed form, against a new fit without each row, and against its definition."""

import pytest
import torch

from chainhead_plugin.random_features import standard
from chainhead_plugin.random_features.ridge import in_passes as ridge_in_passes
from chainhead_plugin.random_features.ridge.closed_form import fit_ridge
from chainhead_plugin.random_features.ridge.in_passes import Guide, solve_in_passes
from chainhead_plugin.random_features.ridge.of_blocks import fit_blocks
from tests.support.random_chains import plan


def rows(count, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, width, dtype=torch.float64, generator=generator)
    targets = features[:, :3] + torch.randn(count, 3, dtype=torch.float64, generator=generator)
    return features, targets


def refit(features, targets, strength):
    """Weight and intercept, the intercept not shrunk."""
    mean, centre = features.mean(0), targets.mean(0)
    centred = features - mean
    covariance = centred.T @ centred + strength * torch.eye(features.size(1), dtype=torch.float64)
    weight = torch.linalg.solve(covariance, centred.T @ (targets - centre))
    return weight, centre - mean @ weight


@pytest.mark.parametrize(("count", "width"), [(12, 40), (40, 12), (20, 20)])
def test_left_out_predictions_are_those_of_refitting(count, width):
    features, targets = rows(count, width)
    centred = features - features.mean(0)
    fit = fit_ridge(centred @ centred.T, targets)
    for row in range(count):
        others = torch.arange(count) != row
        weight, intercept = refit(features[others], targets[others], fit.strength)
        torch.testing.assert_close(fit.left_out[row], features[row] @ weight + intercept)
    torch.testing.assert_close(fit.error, float((fit.left_out - targets).square().mean()))
    weight, intercept = refit(features, targets, fit.strength)
    found = centred.T @ fit.weight
    torch.testing.assert_close(found, weight)
    torch.testing.assert_close(fit.intercept - features.mean(0) @ found, intercept)


@pytest.mark.parametrize("kept", [0, 2 * 60 * 70, 2**20], ids=["none kept", "some kept", "all kept"])
@pytest.mark.parametrize(("count", "width"), [(200, 70), (90, 140)])
def test_passes_come_to_the_closed_form(count, width, kept, monkeypatch):
    """Features that vary by up to a hundred times each other; a fourth of the rows guides."""
    features, targets = rows(count, width)
    features = (features * torch.logspace(-2, 0, width)[torch.randperm(width)]).half().double()
    some = features[: count // 4] - features[: count // 4].mean(0)
    factors = torch.linspace(0.5, 2, width, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(some * factors.square() @ some.T)
    guide = Guide(some.float(), factors, values.clamp(min=0), vectors)

    def batches(wanted):
        numbers = torch.arange(count) if wanted is None else wanted
        for part in numbers.split(19):
            yield part, features[part].float()

    monkeypatch.setattr(ridge_in_passes, "_MOST_KEPT", kept)
    weight, intercept = solve_in_passes(batches, count, targets, 0.3, guide)
    expected, expected_intercept = refit(features * factors, targets, 0.3)
    torch.testing.assert_close(
        features * factors @ weight + intercept,
        features * factors @ expected + expected_intercept,
        atol=1e-4,
        rtol=1e-4,
    )


@pytest.mark.parametrize(("kept", "tolerance"), [(0, 1e-4), (2**20, 1e-3)], ids=["float32", "float16"])
@pytest.mark.parametrize("count", [60, 1500])
def test_more_series_than_choices_are_made_by_give_the_same_fit(count, kept, tolerance, monkeypatch):
    """With fewer series than features, and with more; features that are kept are rounded to float16."""
    of = plan(dilations=(1,), with_differences=False, groups=(2, 2), num_levels=3)
    features = torch.randn(count, of.num_features)
    targets = features[:, :2].double() + torch.randn(count, 2)

    def batches(wanted):
        numbers = torch.arange(count) if wanted is None else wanted
        for part in numbers.split(17):
            yield part, features[part]

    monkeypatch.setattr(ridge_in_passes, "_MOST_KEPT", kept)
    monkeypatch.setattr("chainhead_plugin.random_features.ridge.of_blocks._ROWS_FOR_STRENGTH", 50)
    fit = fit_blocks(batches, count, targets, of, None, 0)
    assert len(fit.rows) == 50
    scaled = (features.double() - fit.feature_mean) * fit.feature_scale
    weight, intercept = refit(scaled, targets, fit.strength)
    torch.testing.assert_close(
        scaled @ fit.weight + fit.intercept,
        scaled @ weight + intercept,
        atol=tolerance,
        rtol=tolerance,
    )


def test_features_that_hardly_vary_are_not_scaled_up():
    of = plan(dilations=(1,), groups=(2, 2))
    features = torch.randn(40, of.num_features)
    features[:, 5] = 0.5 + 1e-6 * torch.randn(40)
    fit = fit_blocks(
        lambda wanted: [(wanted, features[wanted])], 40, torch.randn(40, 2).double(), of, None, 0
    )
    assert fit.feature_scale[5] < 20 * fit.feature_scale[6]


def test_left_out_predictions_of_a_weak_penalty_are_not_those_of_rounding(monkeypatch):
    """In float32 no feature has a mean of exactly 0, which the formula for leaving out a row takes for granted."""
    of = plan(dilations=(1,), with_differences=False, groups=(2, 2), num_levels=3)
    monkeypatch.setattr("chainhead_plugin.random_features.ridge.closed_form._STRENGTHS", (1e-7,))
    features = 1 + 0.1 * torch.randn(30, of.num_features)
    targets = features[:, :2].double()
    fit = fit_blocks(lambda wanted: [(wanted, features[wanted])], 30, targets, of, None, 0)
    scaled = (features.double() - fit.feature_mean) * fit.feature_scale
    for row in (0, 7, 29):
        others = torch.arange(30) != row
        weight, intercept = refit(scaled[others], targets[others], fit.strength)
        torch.testing.assert_close(fit.left_out[row], scaled[row] @ weight + intercept, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("count", [3, 128, 300])
def test_standardised_features_and_products_are_what_they_are_defined_as(count, monkeypatch):
    of = plan(dilations=(1,), groups=(2, 2))
    features = torch.randn(count, of.num_features) * 3 + 2
    alone = standard.standardised(features.clone(), of, 1)
    monkeypatch.setattr(standard, "_LEAST_WORK", 0)
    in_two = standard.standardised(features.clone(), of, 2)

    expected = (features.double() - features.double().mean(0)) * alone.scale
    torch.testing.assert_close(alone.features.double(), expected, atol=1e-5, rtol=1e-5)
    parts = torch.split(alone.features.double(), list(of.part_sizes), 1)
    for part, found, same in zip(parts, alone.products, in_two.products, strict=True):
        torch.testing.assert_close(found, part @ part.T, atol=1e-3, rtol=1e-5)
        assert torch.equal(found, same)
    weight = torch.randn(count, 2, dtype=torch.float64)
    found = standard.weights_of_features(alone, weight)
    torch.testing.assert_close(found, alone.features.double().T @ weight)
