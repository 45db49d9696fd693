"""Ridge regression on rows that count differently: closed form, leave-one-out errors, and passes over rows."""

import numpy as np
import pytest
import torch
from random_chains import two_kinds

from chainhead_plugin.estimators import ChainHeadClassifier, ChainHeadRegressor
from chainhead_plugin.random_features.ridge import of_blocks as ridge_of_blocks
from chainhead_plugin.random_features.ridge.closed_form import fit_ridge
from chainhead_plugin.random_features.ridge.in_passes import solve_in_passes

SMALL = {"num_biases": 1, "num_groups": 4, "num_levels": 8}


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(12, 30, generator=generator, dtype=torch.float64)
    targets = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(12, generator=generator, dtype=torch.float64) + 0.2
    return features - features.mean(0), targets, weights / weights.mean()


def by_definition(features, targets, weights, strength):
    """Weights of features and the intercept, which is not penalised, from the normal equations."""
    ones = torch.cat((features, features.new_ones(len(features), 1)), 1)
    penalty = torch.eye(ones.size(1), dtype=torch.float64) * strength
    penalty[-1, -1] = 0
    solution = torch.linalg.solve(
        ones.T @ (weights[:, None] * ones) + penalty, ones.T @ (weights[:, None] * targets)
    )
    return solution[:-1], solution[-1]


def test_weighted_rows_by_definition(rows):
    features, targets, weights = rows
    fit = fit_ridge(features @ features.T, targets, weights)
    weight, intercept = by_definition(features, targets, weights, fit.strength)
    torch.testing.assert_close(features.T @ fit.weight, weight)
    torch.testing.assert_close(fit.intercept, intercept)
    for row in range(len(features)):
        kept = torch.arange(len(features)) != row
        weight, intercept = by_definition(features[kept], targets[kept], weights[kept], fit.strength)
        torch.testing.assert_close(fit.left_out[row], features[row] @ weight + intercept)
    error = (weights[:, None] * (fit.left_out - targets).square()).mean()
    assert fit.error == pytest.approx(float(error))


def test_equal_weights_are_none(rows):
    features, targets, _ = rows
    plain = fit_ridge(features @ features.T, targets)
    weighted = fit_ridge(features @ features.T, targets, torch.ones(12, dtype=torch.float64))
    assert weighted.strength == pytest.approx(plain.strength)
    torch.testing.assert_close(weighted.weight, plain.weight)
    torch.testing.assert_close(weighted.left_out, plain.left_out)


def test_passes_give_the_closed_form(rows):
    features, targets, weights = rows
    factors = torch.linspace(0.5, 2, 30, dtype=torch.float64)
    scaled = features * factors
    guide = ridge_of_blocks.guide_of(
        features.float(), factors, fit_ridge(scaled @ scaled.T, targets, weights), weights
    )

    def batches(numbers):
        wanted = torch.arange(12) if numbers is None else numbers
        for some in wanted.split(5):
            yield some, features[some].float()

    weight, intercept = solve_in_passes(batches, 12, targets, 0.3, guide, weights)
    expected, expected_intercept = by_definition(scaled, targets, weights, 0.3)
    # Features are kept in float16.
    torch.testing.assert_close(weight, expected, atol=2e-3, rtol=1e-2)
    torch.testing.assert_close(intercept, expected_intercept, atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize("kind", [ChainHeadClassifier, ChainHeadRegressor])
def test_series_without_weight_are_left_out(kind):
    series, labels = two_kinds()
    weights = np.random.default_rng(0).uniform(0.5, 2, len(labels))
    weights[::3] = 0
    kept = weights > 0
    weighted = kind(**SMALL, random_state=0).fit(series, labels, sample_weight=weights)
    without = kind(**SMALL, random_state=0).fit(series[kept], labels[kept], sample_weight=weights[kept])
    np.testing.assert_array_equal(weighted._logits(series), without._logits(series))
    assert weighted.left_out_score_ == without.left_out_score_


def test_what_counts_more_is_fitted_better():
    series, _ = two_kinds()
    values = np.random.default_rng(0).normal(size=len(series))
    heavy = np.where(np.arange(len(series)) < 5, 1000.0, 1.0)
    plain, weighted = (
        ChainHeadRegressor(**SMALL, random_state=0).fit(series, values, sample_weight=weight)
        for weight in (None, heavy)
    )
    missed = [np.abs(one.predict(series) - values)[:5].mean() for one in (plain, weighted)]
    assert missed[1] < missed[0]


def test_balanced_counts_weights():
    series, labels = two_kinds()
    weights = np.where(labels == 1, 4.0, 1.0)
    fits = [
        ChainHeadClassifier(**SMALL, random_state=0, class_weight=weight).fit(
            series, labels, sample_weight=weights
        )
        for weight in (None, "balanced")
    ]
    plain, balanced = (np.diff(np.log(one.predict_proba(series)))[:, 0] for one in fits)
    np.testing.assert_allclose(plain - balanced, np.log(4), atol=1e-5)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(40), "negative"),
        (np.zeros(40), "above zero for 0 series"),
        (np.full(40, np.nan), "NaN"),
        (np.ones(39), "inconsistent"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    series, labels = two_kinds()
    with pytest.raises(ValueError, match=message):
        ChainHeadClassifier(**SMALL).fit(series, labels, sample_weight=weights)


def test_weights_and_stacks_exclude_each_other():
    series, labels = two_kinds()
    with pytest.raises(ValueError, match="sample_weight has no effect on a trained stack"):
        ChainHeadClassifier(**SMALL, seconds=5).fit(series, labels, sample_weight=np.ones(40))
