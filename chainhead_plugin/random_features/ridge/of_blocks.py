"""Ridge regression on features of three kinds: those of fixed kernels, of groups and of levels.

Each kind is scaled to a share of the sum of squares. Leave-one-out errors choose the shares, whether differences of
nodes are read at all, and the regression's strength. Where labels have few series, the pools within kinds are scaled to
shares of their own, too.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..plan import FeaturePlan
from ..pools import as_counts
from ..standard import Standard, standardised, weights_of_features
from ..workers import in_threads, one_torch_thread
from .closed_form import RidgeFit, fit_ridge
from .few_series import MOST_STRENGTH, products_of, share_of_pools, squares_of_pools
from .in_passes import Guide, Rows, solve_in_passes
from .shares import Shares, factors_of_features, mixed, shares_to_try

# If there are more rows than the first number, shares are chosen on as many as the second. The strength is chosen on
# at most as many as the third.
_FEW_ROWS, _ROWS_FOR_SHARES = 768, 512
_ROWS_FOR_STRENGTH = 3000
# A ridge regression with more rows gains from the threads of torch. With fewer rows threads would mostly wait.
_MOST_IN_ONE_THREAD = 1024
# With fewer rows, threads that each try some shares cost more time than they save.
_LEAST_IN_THREADS = 128


@dataclass(frozen=True)
class BlockFit:
    """A ridge regression on standardised features, and the settings that were chosen.

    Parameters
    ----------
    weight : float64 Tensor [features, targets]
    intercept : float64 Tensor [targets]
    feature_mean, feature_scale : float64 Tensor [features]
        The numbers to subtract from features, and the factors to multiply them with afterwards.
    strength : float
        Strength of the penalty.
    shares : Shares
        How much each part of the features counts.
    counts : bool
        Whether features are counts of nodes; otherwise they are shares of a chain's nodes.
    rows : int64 Tensor [rows]
        Indices of the series on which the settings were chosen.
    left_out : float64 Tensor [rows, targets]
        The prediction for each of these series by a fit to the rest of them.
    error : float
        The mean squared error of these predictions.
    """

    weight: Tensor
    intercept: Tensor
    feature_mean: Tensor
    feature_scale: Tensor
    strength: float
    shares: Shares
    counts: bool
    rows: Tensor
    left_out: Tensor
    error: float


@dataclass(frozen=True)
class _Chosen:
    """The settings that leave-one-out errors chose, and the factor of each standardised feature."""

    fit: RidgeFit
    counts: bool
    shares: Shares
    standard: Standard
    factors: Tensor


def fit_blocks(
    batches: Rows,
    count: int,
    targets: Tensor,
    plan: FeaturePlan,
    amounts: Tensor | None,
    seed: int,
    weights: Tensor | None = None,
    labels: Tensor | None = None,
) -> BlockFit:
    """Fit a ridge regression, and choose its settings.

    Parameters
    ----------
    batches : function
        Called with None or an int64 Tensor of series' indices. It yields batches of all series, or of these series:
        pairs of indices, int64 [some], and features as shares of nodes, float32 [some, features].
    count : int
        The number of series.
    targets : float64 Tensor [series, targets]
    plan : FeaturePlan
    amounts : float64 Tensor [series], optional
        The length of each series, in any unit; None if all series have the same length.
    seed : int
        The seed that draws series for the choice of settings, if there are too many series to use all.
    weights : float64 Tensor [series], optional
        How much each series counts, as in `fit_ridge`.
    labels : int64 Tensor [series], optional
        The single label of each series, if they have one: with few series a label, single pools are weighed by them.

    Returns
    -------
    BlockFit
    """
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    rows = order[:_ROWS_FOR_STRENGTH].sort().values
    features = _collect(batches(rows), rows, count, plan)
    chosen = _choose(
        features,
        targets[rows],
        plan,
        _taken(amounts, rows),
        seed,
        _mean_of_one(_taken(weights, rows)),
        _taken(labels, rows),
        share_of_pools(labels),
    )
    del features
    standard, fit, factors = chosen.standard, chosen.fit, chosen.factors
    if count <= len(rows):
        with one_torch_thread():
            weight, intercept = weights_of_features(standard, fit.weight) * factors[:, None], fit.intercept
    else:
        mean, scale = standard.mean.float(), standard.scale.float()

        def standardised_batches(numbers: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
            for found, some in batches(numbers):
                taken = (
                    as_counts(some, plan, amounts[found]) if chosen.counts and amounts is not None else some
                )
                yield found, (taken - mean) * scale

        guide = guide_of(standard.features, factors, fit, _taken(weights, rows))
        weight, intercept = solve_in_passes(
            standardised_batches, count, targets, fit.strength, guide, _mean_of_one(weights)
        )
    return BlockFit(
        weight,
        intercept,
        standard.mean,
        standard.scale * factors,
        fit.strength,
        chosen.shares,
        chosen.counts,
        rows,
        fit.left_out,
        fit.error,
    )


def _taken(values: Tensor | None, rows: Tensor) -> Tensor | None:
    return None if values is None else values[rows]


def _mean_of_one(weights: Tensor | None) -> Tensor | None:
    return None if weights is None else weights / weights.mean()


def guide_of(features: Tensor, factors: Tensor, fit: RidgeFit, weights: Tensor | None) -> Guide:
    """Return the guide of a fit to some rows: their features as its eigenvectors know them.

    Parameters
    ----------
    features : float32 Tensor [some, features]
        Each feature has mean 0.
    factors : float64 Tensor [features]
        The factors of features.
    fit : RidgeFit
        The fit to these rows, with `weights`.
    weights : float64 Tensor [some], optional
        How much each of these rows counts.
    """
    if weights is not None:
        share = (weights / weights.sum()).float()
        features = (features - share @ features) * (share * len(share)).sqrt()[:, None]
    return Guide(features, factors, fit.values, fit.vectors)


def _choose(
    features: Tensor,
    targets: Tensor,
    plan: FeaturePlan,
    amounts: Tensor | None,
    seed: int,
    weights: Tensor | None,
    labels: Tensor | None,
    pool_share: float,
) -> _Chosen:
    """Choose the shares of blocks and of pools, the strength, and whether features are counts."""
    most = MOST_STRENGTH if pool_share > 0 else None
    options = [False] if amounts is None else [False, True]
    best: _Chosen | None = None
    drawn = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))
    few = drawn[: _ROWS_FOR_SHARES if len(drawn) > _FEW_ROWS else None].sort().values
    fit_few = partial(fit_ridge, targets=targets[few], weights=_mean_of_one(_taken(weights, few)), most=most)
    for counts in options:
        if counts and amounts is not None:
            taken = as_counts(features, plan, amounts)
        else:
            taken = features if len(options) == 1 else features.clone()
        with one_torch_thread() as threads:
            standard = standardised(taken, plan, threads)
            fit, shares = _choose_shares(standard, plan, few, fit_few, threads)
        if best is None or fit.error < best.fit.error:
            best = _Chosen(fit, counts, shares, standard, factors_of_features(standard, shares, plan))
    assert best is not None
    products = None
    with one_torch_thread() if len(features) <= _MOST_IN_ONE_THREAD else nullcontext():
        if pool_share > 0 and labels is not None:
            squares = squares_of_pools(best.standard.features[few], plan, labels[few], _taken(weights, few))
            if squares is not None:
                best = _with_pools(best, squares, pool_share, plan)
                products = products_of(best.standard.features, best.factors)
        if products is None and len(few) < len(features):
            products = mixed(best.standard, best.shares, None)
        if products is not None:
            best = replace(best, fit=fit_ridge(products, targets, weights, most))
    best.standard.products.clear()
    return best


def _choose_shares(
    standard: Standard,
    plan: FeaturePlan,
    rows: Tensor,
    fit: Callable[[Tensor], RidgeFit],
    threads: int,
) -> tuple[RidgeFit, Shares]:
    """Choose the shares with the least leave-one-out error, and return them with their fit.

    Where series are noisy, differences of nodes are noise for the most part, and kernels that read them cost accuracy.
    So the best shares are compared with the same without differences; if that is better, all are tried without.
    """

    def tried(ways: list[Shares]) -> list[tuple[RidgeFit, Shares]]:
        products = [mixed(standard, way, rows) for way in ways]
        fits = in_threads(fit, products, threads if len(rows) >= _LEAST_IN_THREADS else 1)
        return list(zip(fits, ways, strict=True))

    def best(found: list[tuple[RidgeFit, Shares]]) -> tuple[RidgeFit, Shares]:
        return min(found, key=lambda each: each[0].error)

    chosen = best(tried(shares_to_try(plan, plan.with_differences)))
    if plan.with_differences:
        without = replace(chosen[1], differences=0.0)
        (alike,) = tried([without])
        if alike[0].error < chosen[0].error:
            rest = [way for way in shares_to_try(plan, False) if way != without]
            chosen = best([alike, *tried(rest)])
    return chosen


def _with_pools(chosen: _Chosen, squares: Tensor, pool_share: float, plan: FeaturePlan) -> _Chosen:
    """Return the settings with factors that are mixed with those of pools, and the shares that parts then have."""
    factors = (1 - pool_share) * chosen.factors.square() + pool_share * squares
    parts = torch.split(chosen.standard.features.square().mean(0) * factors, list(plan.part_sizes))
    return replace(
        chosen, factors=factors.sqrt(), shares=Shares.of_sums([float(part.sum()) for part in parts])
    )


def _collect(batches: Iterable[tuple[Tensor, Tensor]], rows: Tensor, count: int, plan: FeaturePlan) -> Tensor:
    place = torch.full((count,), -1)
    place[rows] = torch.arange(len(rows))
    features = torch.empty(len(rows), plan.num_features)
    for numbers, some in batches:
        features[place[numbers]] = some
    return features
