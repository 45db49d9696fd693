"""Fits a forecaster to series: a transformers model whose settings are all chosen at rolling origins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks.precision import check_squares
from ..checks.values import check_whole_number
from ..models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from .bands import ErrorRecord
from .building import LinearForecast, built, with_quantiles
from .choosing import Mixture, choose
from .classical import naive
from .effects import covariates_of, with_effects
from .origins import Fold, Sample, folds_of, sample_of
from .seasons import find_seasons
from .stacks import try_stack

Array = NDArray[np.float64]

QUANTILES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
# For the quantiles an error counts half after this share of the time that the rolling origins cover.
_MEMORY = 1 / 12


@dataclass(frozen=True)
class ForecasterFit:
    """A fitted forecaster.

    Attributes
    ----------
    model : ChainHeadForTimeSeriesPrediction
        In eval mode.
    seasons : list of int
        The seasons that were found or given, in steps.
    shares : dict of float by str
        The averaged forecasts, described in words, and the share of each.
    origins : int
        Number of forecasts at the rolling origins, which chose the mean and gave the quantiles.
    error, naive_error : float
        Mean absolute error at these origins, of the mean and of a forecast that repeats the last season, in units of
        the series' standard deviation. No forecast of the mean has seen its origin: its parts were fitted to the time
        before, and their shares chosen at other origins.
    record : ErrorRecord
        The errors at these origins, in the units in which the model computes.
    effects : float64 array [covariates, targets]
        By how much one unit of a covariate raises a forecast: in the unit of a single series, or in standard
        deviations of several series. It is 0 for a covariate that does not vary. All effects are 0 if forecasts are no
        better with covariates.
    constant : list of str
        Names of the covariates that do not vary.
    reason : str
        A sentence that says whether a trained stack was chosen, and why.
    """

    model: ChainHeadForTimeSeriesPrediction
    seasons: list[int]
    shares: dict[str, float]
    origins: int
    error: float
    naive_error: float
    record: ErrorRecord
    effects: Array
    constant: list[str]
    reason: str


def fit_forecaster(
    series: Sequence[Array],
    horizon: int,
    *,
    seasons: Sequence[int] | None = None,
    likely_seasons: Sequence[int] = (),
    quantiles: Sequence[float] = QUANTILES,
    ends: Sequence[int] | None = None,
    known: Sequence[Array] | None = None,
    names: Sequence[str] = (),
    seconds: float | None = None,
    seed: int = 0,
) -> ForecasterFit:
    """Fit a forecaster to series. No option is needed.

    The point forecast is a weighted mean of exponential smoothing, seasonal naive forecasts and ridge regressions.
    Each of them is a linear map of the past, and so is their mean. Rolling origins in the second half of the time
    choose the mean: forecasts are made from many steps, each by maps that were fitted to the time before, and compared
    with the values that followed. The quantiles are the quantiles of the errors of these forecasts, for each step of
    the horizon. Recent errors count more, and quantiles lie further out if errors are few.

    Everything is computed in closed form, within seconds, and two calls give the same model. Only a stack, which
    `seconds` asks for, is trained.

    Parameters
    ----------
    series : sequence of float arrays [length] or [length, targets]
        In any unit, a row for each step; NaN is a missing value.
    horizon : int
        Steps to forecast.
    seasons : sequence of int, optional
        After how many steps the series repeat, such as 7 for daily values; empty for no season. By default they are
        found in the series.
    likely_seasons : sequence of int
        Seasons to look for first, such as 24 and 168 for hourly values. The first of them is used if the series are
        too short to show any season.
    quantiles : sequence of float
        Levels of the quantiles, between 0 and 1; 0.5 must be among them.
    ends : sequence of int, optional
        For each series, the number of steps from a common first time to just after its last step; by default all
        series end at the same time.
    known : sequence of float arrays [length, covariates], optional
        The covariates of each series, which are known for the future too. The effect of a covariate is proportional to
        its value, and on the same step only. Effects are used if forecasts at the rolling origins are better with them.
    names : sequence of str
        Names of the covariates.
    seconds : float, optional
        Time to train a stack of chain heads as well, which is chosen if it is better at the last rolling origins. By
        default none is trained. Only for a single target without covariates.
    seed : int
        The seed of the stack's first weights and of the order of its training examples.

    Returns
    -------
    ForecasterFit

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, a series has no finite value, or all series are too short.
    """
    check_whole_number("horizon", horizon, 1)
    tables = [_as_table(number, one) for number, one in enumerate(series)]
    if not tables:
        raise ValueError("there is no series to fit a forecaster to")
    targets = tables[0].shape[1]
    if any(table.shape[1] != targets for table in tables):
        raise ValueError(
            f"series have {sorted({table.shape[1] for table in tables})} columns, expected the same number in all"
        )
    longest = max(map(len, tables))
    ends = [longest] * len(tables) if ends is None else ends
    units = [_units(table) for table in tables]
    samples, owners = [], []
    for number, (table, (loc, scale), end) in enumerate(zip(tables, units, ends, strict=True)):
        for target in range(targets):
            samples.append(sample_of((table[:, target] - loc[target]) / scale[target], end))
            owners.append((number, target))
    covariates = None if known is None else covariates_of(tables, known, names)
    _check_length(samples, horizon)

    if seasons is None:
        seasons = find_seasons([sample.filled for sample in samples], likely_seasons)
        longest = max(len(sample.values) for sample in samples)
        if not seasons and likely_seasons and longest >= 2 * likely_seasons[0]:
            # The series are too short to show this season. The rolling origins decide whether it is of use.
            seasons = [likely_seasons[0]]
    else:
        seasons = sorted({int(check_whole_number("each of seasons", season, 2)) for season in seasons})
    # Forecasts may return to the mean level of a single series. The level of series that come later is not known.
    has_level = len(tables) == 1
    folds = folds_of(samples, horizon, seasons)
    found = choose(samples, folds, horizon, seasons, level=has_level)
    effects = np.zeros((0, targets))
    centres, constant = np.zeros(0), list[int]()
    if covariates is not None:
        effects, found = with_effects(samples, owners, covariates, targets, folds, found, seasons, has_level)
        centres, constant = covariates.means, covariates.constant

    scaling: dict[str, Any] = {"scaling": "std"}
    if has_level:
        loc, scale = units[0]
        scaling = {"scaling": "fixed", "fixed_loc": loc.tolist(), "fixed_scale": scale.tolist()}
    record = _record(found, folds, horizon, len(samples), is_relative=not has_level)
    points = record.band(folds[-1].end, quantiles)
    forecast = LinearForecast(found.weight, effects, centres, constant)
    model = built(forecast, targets, quantiles, scaling, points)
    reason = "the map of the past was taken: no time was given to try a trained chain"
    if seconds is not None:
        model, record, reason = _tried(
            model, record, samples, folds, found, seasons, seconds, seed, targets + len(effects)
        )
    shares: dict[str, float] = {}
    for candidate, share in found.shares.items():
        shares[str(candidate)] = shares.get(str(candidate), 0.0) + share
    return ForecasterFit(
        model=model,
        seasons=list(seasons),
        shares=dict(sorted(shares.items(), key=lambda entry: -entry[1])),
        origins=len(found.future),
        error=found.error_of(found.forecast),
        naive_error=found.error_of(_seasonal_naive(found, seasons)),
        record=record,
        effects=effects * (units[0][1] if has_level else 1.0),
        constant=[names[place] for place in constant],
        reason=reason,
    )


def _as_table(number: int, values: Any) -> Array:
    """Return a series as [length, targets]."""
    table = np.asarray(values, dtype=np.float64)
    if table.ndim not in (1, 2) or not table.size:
        raise ValueError(
            f"series {number} has shape {list(table.shape)}, expected [length] or [length, targets]"
        )
    table = table.reshape(len(table), -1)
    if np.isinf(table).any():
        row = int(np.isinf(table).any(1).argmax())
        raise ValueError(
            f"series {number} is infinite in step {row}: expected numbers, NaN where one is missing"
        )
    empty = np.isnan(table).all(0)
    if empty.any():
        raise ValueError(f"series {number}: column {int(empty.argmax())} has no value")
    check_squares(f"series {number}", table)
    return table


def _units(table: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column; the deviation is 1 if the column does not vary."""
    scale = np.nanstd(table, 0)
    varies = np.nanmax(table, 0) > np.nanmin(table, 0)
    return np.where(varies, np.nanmean(table, 0), np.nanmin(table, 0)), np.where(
        varies & (scale > 0), scale, 1.0
    )


def _check_length(samples: Sequence[Sample], horizon: int) -> None:
    longest = max((len(sample.values) for sample in samples), default=0)
    if longest < 2 * horizon + 1:
        raise ValueError(
            f"the longest series has {longest} steps, expected at least {2 * horizon + 1} to forecast {horizon}: a "
            "horizon to learn from, a horizon to test on and one step more; take a shorter horizon or more data"
        )


def _tried(
    model: ChainHeadForTimeSeriesPrediction,
    record: ErrorRecord,
    samples: Sequence[Sample],
    folds: Sequence[Fold],
    found: Mixture,
    seasons: Sequence[int],
    seconds: float,
    seed: int,
    columns: int,
) -> tuple[ChainHeadForTimeSeriesPrediction, ErrorRecord, str]:
    """Return a trained stack and its errors if it is better, otherwise the given model and record; and the reason."""
    if columns > 1:
        return (
            model,
            record,
            "the map of the past was kept: a trained chain is tried for a single column alone",
        )
    trial = try_stack(samples, folds, found, seasons, seconds, seed)
    if trial.model is None:
        return model, record, trial.reason
    span = folds[-1].end - folds[-2].begin
    steps = np.full(len(trial.errors), span * len(samples) / len(trial.errors))
    record = ErrorRecord(trial.errors, trial.origins, steps, record.memory)
    quantiles = model.config.quantiles
    points = record.band(folds[-1].end, quantiles)
    return with_quantiles(trial.model, quantiles, points), record, trial.reason


def _record(
    found: Mixture, folds: Sequence[Fold], horizon: int, series: int, *, is_relative: bool
) -> ErrorRecord:
    """Return the errors at the rolling origins; relative errors are divided by the standard deviation of their past."""
    errors = found.future - found.forecast
    if is_relative:
        scale = found.past.std(1, keepdims=True)
        errors = np.where(scale > 0, errors / np.where(scale > 0, scale, 1), np.nan)
    span = folds[-1].end - folds[0].begin
    # The forecasts that were drawn stand for a forecast of each series at every step of the span.
    steps = np.full(len(errors), span * series / len(errors))
    return ErrorRecord(errors, found.times.astype(np.int64), steps, max(_MEMORY * span, horizon))


def _seasonal_naive(found: Mixture, seasons: Sequence[int]) -> Array:
    """Return forecasts [origins, steps] that repeat the last season, the longest that fits into the past."""
    past, steps = found.weight.shape
    season = max((season for season in seasons if season <= past), default=1)
    return found.past @ naive(past, steps, season)


__all__ = ["QUANTILES", "ForecasterFit", "fit_forecaster"]
