"""A table of series becomes a fitted forecaster, measured on the time after it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...forecasts.metrics import forecast_scores, naive_scale
from ...tables.errors import listed
from ...tables.series import SeriesSet
from ...tables.summarising import summary
from ..forecaster import ChainHeadForecaster
from ..table_plan import TablePlan
from .histories import History, table_of

Array = NDArray[np.float64]

# Forecasts of each series that the test part is measured by at most, and series that are shown one by one.
_MOST_ORIGINS, _MOST_SHOWN = 100, 10


@dataclass(frozen=True)
class TrainedForecaster:
    """What comes of a plan.

    Attributes
    ----------
    plan : TablePlan
        With everything in it that was guessed.
    estimator : ChainHeadForecaster
    said : list of str
        What was read, guessed and chosen, a line each.
    series : int
    origins : int
        Forecasts of the test part; 0 without one.
    scores : dict
        Of the test part.
    by_series : dict
        The same for each series and target, where these are few.
    seconds : float
    """

    plan: TablePlan
    estimator: ChainHeadForecaster
    said: list[str]
    series: int
    origins: int
    scores: dict[str, float]
    by_series: dict[str, dict[str, float]]
    seconds: float


def train_forecaster(plan: TablePlan, read: SeriesSet) -> TrainedForecaster:
    """Fit the default forecaster to a plan's table, and measure it on the last share of its time.

    Parameters
    ----------
    plan : TablePlan
    read : SeriesSet
        Its table, as it was read so far.

    Raises
    ------
    ValueError
        If nothing says what to forecast, or series are too short.
    """
    _check(plan, read)
    found = table_of(str(plan.data), None, read.columns.spec, plan.reading)
    said = [summary(found)]
    if plan.task is None:
        said.append("task: forecasting, as there are times and no labels (otherwise: --label)")

    start = time.perf_counter()
    history = History([series.values for series in found], found, bool(found.columns.spec.series), False)
    cut = None if plan.test_share is None else _cut(history, plan.test_share)
    options = dict(plan.options)
    horizon = options.pop("horizon", None)
    try:
        estimator = ChainHeadForecaster(**options)
    except TypeError as error:
        raise ValueError(f"the options {options} are not those of ChainHeadForecaster: {error}") from error
    estimator.fit_history(history if cut is None else _before(history, cut), horizon)
    if horizon is None:
        said.append(f"horizon: {estimator.horizon_} steps, as is usual for such times (otherwise: --horizon)")
    seasons = estimator.seasons_
    said.append(f"seasons: {' and '.join(map(str, seasons))} steps" if seasons else "seasons: none found")
    scores: dict[str, float] = {}
    by_series: dict[str, dict[str, float]] = {}
    origins = 0
    if cut is not None:
        origins, scores, by_series = _tested(estimator, history, cut)
    seconds = time.perf_counter() - start
    full = replace(
        plan,
        task="forecasting",
        table=found.columns.spec,
        options={**plan.options, "horizon": estimator.horizon_},
    )
    return TrainedForecaster(full, estimator, said, len(found), origins, scores, by_series, seconds)


def _check(plan: TablePlan, read: SeriesSet) -> None:
    spec = read.columns.spec
    if "seconds" in plan.options:
        raise ValueError(
            "time (--minutes, or seconds in a plan) is for classes alone: forecasts are in closed form"
        )
    if plan.test is not None:
        raise ValueError(
            "forecasts are tested on the last share of the time: give --test-share 0.2 in place of --test"
        )
    if spec.rows == "series" or read.clock is None:
        raise ValueError(f"{plan.data}: there is no column of times to forecast by: name it with --time")
    for role in ("known", "static", "calendar"):
        if getattr(spec, role):
            raise ValueError(
                f"the default forecaster learns from the past of what it forecasts alone: leave out --{role}, or train "
                "a recipe"
            )
    if not read.targets and len(read.features) > 1:
        raise ValueError(
            f"{plan.data}: what is to be forecast of {listed(read.features)}? Name it with --target, one column or "
            "several; or for series with labels the column of labels with --label"
        )
    extra = [name for name in read.features if name not in read.targets] if read.targets else []
    if extra:
        raise ValueError(
            f"{plan.data}: the default forecaster learns from the past of what it forecasts alone, not from "
            f"{listed(extra)}: leave these out with --drop {','.join(extra)}, or train a recipe"
        )


def _cut(history: History, share: float) -> int:
    """Return the step on the time of all series at which the test part begins."""
    end = max(history.ends)
    return end - max(1, round(share * end))


def _before(history: History, cut: int) -> History:
    """Return what lies before a step; series that begin later are left out."""
    assert history.table is not None
    kept = [
        (series, values[: max(0, len(values) - end + cut)])
        for series, values, end in zip(history.table, history.values, history.ends, strict=True)
        if len(values) - end + cut > 0 and not np.isnan(values[: len(values) - end + cut]).all()
    ]
    if not kept:
        raise ValueError("no series begins before the test part: give a smaller --test-share")
    table = replace(history.table, series=tuple(series for series, _ in kept))
    return replace(history, values=[values for _, values in kept], table=table)


def _tested(
    estimator: ChainHeadForecaster, history: History, cut: int
) -> tuple[int, dict[str, float], dict[str, dict[str, float]]]:
    """Return how many forecasts of the test part there are, what they come to, and that by series and target."""
    assert history.table is not None
    horizon, levels = estimator.horizon_, list(estimator.model_.config.quantiles)
    season = max(estimator.seasons_, default=1)
    parts: dict[str, tuple[Array, Array, float]] = {}
    for series, values, end in zip(history.table, history.values, history.ends, strict=True):
        first = max(1, len(values) - end + cut)
        origins = np.arange(first, len(values) - horizon + 1)
        if len(origins) > _MOST_ORIGINS:
            origins = origins[np.linspace(0, len(origins) - 1, _MOST_ORIGINS).round().astype(int)]
        pasts = [values[:origin] for origin in origins.tolist()]
        usable = [
            past for past in pasts if not np.isnan(past[-estimator.model_.config.chain_length :]).all(0).any()
        ]
        if not usable:
            continue
        forecasts = estimator.forecast_from(usable)
        futures = np.stack([values[len(past) : len(past) + horizon] for past in usable])
        for target, name in enumerate(history.table.targets):
            title = f"{series.id}, {name}" if series.id else name
            scale = naive_scale(values[:first, target], season)
            parts[title] = (forecasts[:, :, target], futures[..., target], scale)
    parts = {name: part for name, part in parts.items() if not np.isnan(part[1]).all()}
    if not parts:
        raise ValueError(
            f"the test part is shorter than the horizon of {horizon} steps: give a larger --test-share, or a shorter "
            "--horizon"
        )
    all_scores = forecast_scores(
        np.concatenate([part[0] for part in parts.values()]),
        np.concatenate([part[1] for part in parts.values()]),
        levels,
        np.concatenate([np.full((len(part[1]), 1), part[2]) for part in parts.values()]),
    )
    by_series: Mapping[str, Any] = {}
    if 1 < len(parts) <= _MOST_SHOWN:
        by_series = {
            name: forecast_scores(quantiles, futures, levels, scale)
            for name, (quantiles, futures, scale) in parts.items()
        }
    return sum(len(part[1]) for part in parts.values()), all_scores, dict(by_series)


__all__ = ["TrainedForecaster", "train_forecaster"]
