"""Training of the default forecaster on a table, and its test on the time after the training part."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...forecasts.metrics import forecast_scores, naive_scale
from ...recipes.data.in_time.continuing import continued
from ...tables.errors import listed
from ...tables.series import SeriesSet
from ...tables.summarising import summary
from ...tables.time.patterns import is_time
from ..forecaster import ChainHeadForecaster
from ..tables.plan import TablePlan
from .histories import History, first_steps, history_of, with_targets

Array = NDArray[np.float64]

# The most test forecasts of each series, and the most series whose scores are listed one by one.
_MOST_ORIGINS, _MOST_SHOWN = 100, 10
# Names of columns that are hours of a day, and names of columns that are parts of a time.
_HOUR = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_PARTS = {
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "hour",
    "minute",
    "jahr",
    "monat",
    "woche",
    "tag",
    "stunde",
}


@dataclass(frozen=True)
class TrainedForecaster:
    """A forecaster trained by a plan, and its scores.

    Attributes
    ----------
    plan : TablePlan
        The plan, completed by everything that was guessed.
    estimator : ChainHeadForecaster
    said : list of str
        Sentences for the user on the data, the guesses and the choices.
    series : int
        Number of series in the table.
    origins : int
        Number of test forecasts; 0 without a test part.
    scores : dict of float by str
        Scores of the test part; empty without a test part.
    by_series : dict
        The same scores for each pair of series and target; empty if there are many pairs, or only one.
    seconds : float
        Time of training and test.
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
    """Fit the default forecaster to a plan's table, and test it on the last share of the time, or on later files.

    Parameters
    ----------
    plan : TablePlan
    read : SeriesSet
        The series of the plan's table.

    Returns
    -------
    TrainedForecaster

    Raises
    ------
    ValueError
        If it is unclear which columns to forecast, series are too short, or later files do not continue the table.
    """
    _check(plan, read)
    found = with_targets(read)
    said = [summary(found)]
    if plan.task is None:
        said.append("task: forecasting, as there are times and no labels (otherwise: --label)")
    known, firsts = found, [len(series) for series in found]
    if plan.test is not None:
        known, firsts = continued(found, str(plan.test), plan.reading)
        said.append(
            f"test: {_later(known, firsts)} of {plan.test}, which {'go' if len(known) > 1 else 'goes'} on"
        )
    history = history_of(known, is_batch=bool(known.columns.spec.series), is_flat=False)
    if plan.test_share is not None:
        firsts = _firsts(history, plan.test_share)

    start = time.perf_counter()
    options = dict(plan.options)
    horizon = options.pop("horizon", None)
    try:
        estimator = ChainHeadForecaster(**{"random_state": plan.seed, **options})
    except TypeError as error:
        raise ValueError(f"ChainHeadForecaster does not take the options {options}: {error}") from error
    is_tested = plan.test is not None or plan.test_share is not None
    estimator.fit_history(_before(history, firsts) if is_tested else history, horizon)
    if horizon is None:
        said.append(f"horizon: {estimator.horizon_} steps, as is usual for such times (otherwise: --horizon)")
    seasons = estimator.seasons_
    said.append(f"seasons: {' and '.join(map(str, seasons))} steps" if seasons else "seasons: none found")
    if "seconds" in options:
        said.append(estimator.reason_)
    if estimator.effects_:
        told = (
            f"{name} {', '.join(f'{effect:.4g}' for effect in effects)}"
            for name, effects in estimator.effects_.items()
        )
        said.append(
            f"known for the future, and the effect of one unit more: {'; '.join(told)}"
            + ("" if any(map(any, estimator.effects_.values())) else " (forecasts are no better for them)")
        )
    scores: dict[str, float] = {}
    by_series: dict[str, dict[str, float]] = {}
    origins = 0
    if is_tested:
        origins, scores, by_series = _tested(estimator, history, firsts)
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
    names = (*read.features, *read.columns.nodes)
    advice = "turn it, so that there are a column of times and one of values"
    if spec.rows != "series" and len(names) > 1 and all(_HOUR.fullmatch(name) for name in names):
        raise ValueError(
            f"{plan.data}: its columns are hours, but a table to forecast has a row for each time: {advice}"
        )
    if spec.rows != "series" and read.clock is None and any(map(is_time, names)):
        raise ValueError(
            f"{plan.data}: its columns are times: if each row is a whole series, say so with --rows series, and name "
            f"the column that tells series apart with --series; otherwise {advice}"
        )
    for series in read:
        for feature in np.flatnonzero(np.isnan(series.values).all(0)):
            raise ValueError(
                f"{series.place}: {read.features[feature]} has no value in any row: leave out the series, or the column"
            )
    for role in ("static", "calendar"):
        if getattr(spec, role):
            raise ValueError(
                f"the default forecaster takes no --{role}: leave it out, or train a recipe; it takes columns "
                "that are known for the future as --known"
            )
    if not read.targets and len(read.features) > 1:
        raise ValueError(
            f"{plan.data}: which of the columns {listed(read.features)} are to be forecast? Name them with --target, "
            f"as --target {','.join(read.features[:3])}; or for series with labels, name the column of labels with "
            f"--label{_parts_of_time(read)}"
        )
    extra = [name for name in read.features if name not in read.targets] if read.targets else []
    if extra:
        advice = _parts_of_time(read)
        raise ValueError(
            f"{plan.data}: the default forecaster does not learn from columns that are known for the past alone: if "
            f"{listed(extra)} is known for the future too, name it with --known {','.join(extra)}; otherwise leave it "
            f"out with --drop {','.join(extra)}, or train a recipe, which takes such columns as features{advice}"
        )


def _parts_of_time(read: SeriesSet) -> str:
    """Return advice for a table that holds parts of its times in several columns, else an empty text."""
    parts = [name for name in read.features if name.strip().casefold() in _PARTS]
    if read.clock is not None or "year" not in (name.strip().casefold() for name in parts):
        return ""
    return (
        f". If {listed(parts)} are parts of the time, name them as such, as --time year,month,day, or put them into "
        "one column, such as 2025-12-31"
    )


def _later(known: SeriesSet, firsts: Sequence[int]) -> str:
    """Return a description of the size of the test part, such as "3 series of 12 steps"."""
    counts = [len(series) - first for series, first in zip(known, firsts, strict=True) if first < len(series)]
    shortest, longest = min(counts), max(counts)
    steps = f"{longest}" if shortest == longest else f"{shortest}–{longest}"
    return f"{len(counts)} series of {steps} {'step' if longest == 1 else 'steps'}"


def _firsts(history: History, share: float) -> list[int]:
    """Return the first step of the test part in each series; the test part begins at the same time for all."""
    end = max(history.ends)
    cut = end - max(1, round(share * end))
    lengths = [len(values) for values in history.values]
    return [
        max(0, min(length, length - end + cut)) for length, end in zip(lengths, history.ends, strict=True)
    ]


def _before(history: History, firsts: Sequence[int]) -> History:
    """Return the history before the test part; series that begin later are left out."""
    kept = [
        number
        for number, (values, first) in enumerate(zip(history.values, firsts, strict=True))
        if first > 0 and not np.isnan(values[:first]).all()
    ]
    if not kept:
        raise ValueError("no series begins before the test part: give a smaller --test-share")
    return first_steps(history, {number: firsts[number] for number in kept})


def _tested(
    estimator: ChainHeadForecaster, history: History, firsts: Sequence[int]
) -> tuple[int, dict[str, float], dict[str, dict[str, float]]]:
    """Return the number of test forecasts, their scores, and the scores of each series and target."""
    assert history.table is not None
    horizon, levels = estimator.horizon_, list(estimator.model_.config.quantiles)
    season = max(estimator.seasons_, default=1)
    parts: dict[str, tuple[Array, Array, float]] = {}
    for number, (series, begin) in enumerate(zip(history.table, firsts, strict=True)):
        values, first = history.values[number], max(1, begin)
        origins = np.arange(first, len(values) - horizon + 1)
        if len(origins) > _MOST_ORIGINS:
            origins = origins[np.linspace(0, len(origins) - 1, _MOST_ORIGINS).round().astype(int)]
        pasts = [values[:origin] for origin in origins.tolist()]
        usable = [
            past for past in pasts if not np.isnan(past[-estimator.model_.config.chain_length :]).all(0).any()
        ]
        if not usable:
            continue
        known = None if history.known is None else [history.known[number]] * len(usable)
        forecasts = estimator.forecast_from(usable, known=known)
        futures = np.stack([values[len(past) : len(past) + horizon] for past in usable])
        for target, name in enumerate(history.table.targets):
            title = f"{series.id}, {name}" if series.id else name
            scale = naive_scale(values[:first, target], season)
            parts[title] = (forecasts[:, :, target], futures[..., target], scale)
    parts = {name: part for name, part in parts.items() if not np.isnan(part[1]).all()}
    if not parts:
        raise ValueError(
            f"the test part is shorter than the horizon of {horizon} steps: give a larger --test-share, a later file "
            "with more steps, or a shorter --horizon"
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
