"""Series become a forecaster: an ordinary model, whose every choice was made at rolling origins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
# Share of the time of the rolling origins after which an error counts half for the quantiles.
_MEMORY = 1 / 12


@dataclass(frozen=True)
class ForecasterFit:
    """A fitted forecaster.

    Attributes
    ----------
    model : ChainHeadForTimeSeriesPrediction
        In eval mode.
    seasons : list of int
        That were found, or given.
    shares : dict
        What the forecast is the mean of, in words, and the share of each.
    origins : int
        Forecasts that chose and calibrated.
    error, naive_error : float
        Mean absolute error at these origins, and that of the last season's values again, in units of the series'
        deviation. Every forecast is by what was fitted to the time before it, mixed as other origins have it.
    record : ErrorRecord
        The errors at these origins, in the units in which the model computes.
    effects : float64 array [covariates, targets]
        By how much a forecast is larger for each unit of a covariate, in the series' unit, or of several series in
        their deviations. 0 where a covariate does not vary, and all 0 where they do not help.
    constant : list of str
        Covariates that do not vary.
    reason : str
        Whether a trained chain was taken, and why, in a sentence.
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
    """Fit a forecaster to series, without an option that has to be chosen.

    Its point forecast is a linear map of the past, as exponential smoothing, seasonal naive, ridge regression and all
    their means are. Which of them are averaged, rolling origins in the second half of the time decide, each judged by
    maps fitted to what lies before it. Quantiles are those of the errors at these origins, by step: recent errors
    count more, and the band is wider where they are few. It is in closed form and takes seconds; two calls give the
    same model.

    Parameters
    ----------
    series : sequence of float arrays [length] or [length, targets]
        In any unit, a row a step; NaN is a missing value.
    horizon : int
        Steps to forecast.
    seasons : sequence of int, optional
        After how many steps series repeat, such as 7 for days; by default what is found in them. Empty for none.
    likely_seasons : sequence of int
        Where to look for seasons first, as time suggests, the usual one at the head: it is tried where none shows.
    quantiles : sequence of float
        Levels, 0.5 among them.
    ends : sequence of int, optional
        Of each series, how many steps after a common beginning its time ends; by default all end together.
    known : sequence of float arrays [length, covariates], optional
        Of each series, what is known for the future too. It has an effect on the same step, in proportion; whether
        that helps, the rolling origins tell.
    names : sequence of str
        Of the covariates.
    seconds : float, optional
        Time for training a chain too, which is taken where it forecasts better at rolling origins; by default none.
        For one column, without covariates.
    seed : int
        Where its first weights, and the order of its windows, come from.

    Returns
    -------
    ForecasterFit

    Raises
    ------
    TypeError, ValueError
        If the horizon is no whole number, a series has no finite values or all are too short.
    """
    check_whole_number("horizon", horizon, 1)
    tables = [_as_table(number, one) for number, one in enumerate(series)]
    if not tables:
        raise ValueError("there is no series to fit a forecaster to")
    targets = tables[0].shape[1]
    if any(table.shape[1] != targets for table in tables):
        raise ValueError(
            f"series have {sorted({table.shape[1] for table in tables})} columns, expected the same"
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
            # Too short to show it; whether it helps, the rolling origins tell.
            seasons = [likely_seasons[0]]
    else:
        seasons = sorted({int(check_whole_number("each of seasons", season, 2)) for season in seasons})
    # A level to return to is known of the one series, not of others that come later.
    has_level = len(tables) == 1
    folds = folds_of(samples, horizon)
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
    return table


def _units(table: Array) -> tuple[Array, Array]:
    """Return mean and deviation of each column; deviation 1 where it does not vary."""
    scale = np.nanstd(table, 0)
    varies = np.nanmax(table, 0) > np.nanmin(table, 0)
    return np.where(varies, np.nanmean(table, 0), np.nanmin(table, 0)), np.where(
        varies & (scale > 0), scale, 1.0
    )


def _check_length(samples: Sequence[Sample], horizon: int) -> None:
    longest = max((len(sample.values) for sample in samples), default=0)
    if longest < 2 * horizon + 1:
        raise ValueError(
            f"the longest series has {longest} steps, expected at least {2 * horizon + 1} to forecast {horizon}: one "
            "horizon to learn from, one to test on and one step more; take a shorter horizon or more data"
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
    """Return the model of a trained chain and its errors, if it is better; else those that are given."""
    if columns > 1:
        return model, record, "the map of the past was kept: a trained chain is tried for one column alone"
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
    """Return the errors at the rolling origins; relative ones in units of the deviation of each past."""
    errors = found.future - found.forecast
    if is_relative:
        scale = found.past.std(1, keepdims=True)
        errors = np.where(scale > 0, errors / np.where(scale > 0, scale, 1), np.nan)
    span = folds[-1].end - folds[0].begin
    # Every step of the span has a forecast of each series, of which a part was drawn.
    steps = np.full(len(errors), span * series / len(errors))
    return ErrorRecord(errors, found.times.astype(np.int64), steps, max(_MEMORY * span, horizon))


def _seasonal_naive(found: Mixture, seasons: Sequence[int]) -> Array:
    """Return the last season's values again [origins, steps], of the longest season that the past holds."""
    past, steps = found.weight.shape
    season = max((season for season in seasons if season <= past), default=1)
    return found.past @ naive(past, steps, season)


__all__ = ["QUANTILES", "ForecasterFit", "fit_forecaster"]
