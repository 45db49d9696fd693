"""Series become a forecaster: an ordinary model, whose every choice was made at rolling origins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..checks.values import check_whole_number
from ..config.configuration_chainhead import ChainHeadConfig
from ..models.forecasting.quantiles import conformal_offsets
from ..models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from .choosing import Mixture, choose
from .classical import naive
from .origins import Sample, folds_of, sample_of
from .seasons import find_seasons

Array = NDArray[np.float64]

QUANTILES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
# Quantiles are at least so far apart, in units of the scale: the model's own never touch.
_LEAST_GAP = 1e-6


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
    """

    model: ChainHeadForTimeSeriesPrediction
    seasons: list[int]
    shares: dict[str, float]
    origins: int
    error: float
    naive_error: float


def fit_forecaster(
    series: Sequence[Array],
    horizon: int,
    *,
    seasons: Sequence[int] | None = None,
    likely_seasons: Sequence[int] = (),
    quantiles: Sequence[float] = QUANTILES,
    ends: Sequence[int] | None = None,
) -> ForecasterFit:
    """Fit a forecaster to series, without an option that has to be chosen.

    Its point forecast is a linear map of the past, as exponential smoothing, seasonal naive, ridge regression and all
    their means are. Which of them are averaged, rolling origins in the second half of the time decide, each judged by
    maps fitted to what lies before it. Quantiles are those of the errors at these origins (split conformal
    prediction), by step. It is in closed form and takes seconds; two calls give the same model.

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
    samples = [
        sample_of((table[:, target] - loc[target]) / scale[target], end)
        for table, (loc, scale), end in zip(tables, units, ends, strict=True)
        for target in range(targets)
    ]
    samples = [sample for sample in samples if len(sample.values)]
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
    found = choose(samples, folds_of(samples, horizon), horizon, seasons, level=has_level)
    is_fixed = has_level
    scaling: dict[str, Any] = {"scaling": "std"}
    if is_fixed:
        loc, scale = units[0]
        scaling = {"scaling": "fixed", "fixed_loc": loc.tolist(), "fixed_scale": scale.tolist()}
    config = ChainHeadConfig(
        m=targets,
        n=1,
        pooling="last",
        chain_length=len(found.weight),
        prediction_length=horizon,
        quantiles=list(quantiles),
        with_linear_path=True,
        interpolate_missing=True,
        **scaling,
    )
    model = _built(config, found, is_fixed=is_fixed)
    shares: dict[str, float] = {}
    for candidate, share in found.shares.items():
        shares[str(candidate)] = shares.get(str(candidate), 0.0) + share
    return ForecasterFit(
        model=model,
        seasons=list(seasons),
        shares=dict(sorted(shares.items(), key=lambda entry: -entry[1])),
        origins=len(found.future),
        error=_mean_error(found, found.forecast),
        naive_error=_mean_error(found, _seasonal_naive(found, seasons)),
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


@torch.no_grad()
def _built(config: ChainHeadConfig, found: Mixture, *, is_fixed: bool) -> ChainHeadForTimeSeriesPrediction:
    """Return the model of a map, with the quantiles of its errors; its chain adds nothing."""
    model = ChainHeadForTimeSeriesPrediction(config).eval()
    assert model.linear_path is not None
    for parameter in model.parameters():
        parameter.zero_()
    model.linear_path.map.weight.copy_(torch.from_numpy(found.weight.T.copy()))
    errors = found.future - found.forecast
    if not is_fixed:
        scale = found.past.std(1, keepdims=True)
        errors = np.where(scale > 0, errors / np.where(scale > 0, scale, 1), np.nan)
    model.start_at_quantiles(torch.from_numpy(_quantiles(errors, config.quantiles)))
    return model


def _quantiles(errors: Array, levels: Sequence[float]) -> Array:
    """Return the conformal quantiles [steps, levels] of errors [origins, steps], each step in a unit of its own."""
    counts = (~np.isnan(errors)).sum(0)
    total = np.nansum(np.square(errors))
    # A step with few errors is as uncertain as the other ones.
    mean = total / max(counts.sum(), 1)
    deviations = np.sqrt((np.nansum(np.square(errors), 0) + mean) / (counts + 1))
    relative = (errors / np.maximum(deviations, 1e-12))[~np.isnan(errors)]
    if not len(relative):
        relative = np.zeros(1)
    offsets = conformal_offsets(torch.from_numpy(relative)[:, None].expand(-1, len(levels)), levels)
    points = deviations[:, np.newaxis] * np.array(offsets)
    median = list(levels).index(0.5)
    above = np.maximum.accumulate(points[:, median:], 1)
    below = np.minimum.accumulate(points[:, : median + 1][:, ::-1], 1)[:, ::-1]
    places = np.arange(len(levels)) - median
    return np.concatenate([below[:, :-1], above], 1) + _LEAST_GAP * places


def _seasonal_naive(found: Mixture, seasons: Sequence[int]) -> Array:
    """Return the last season's values again [origins, steps], of the longest season that the past holds."""
    past, steps = found.weight.shape
    season = max((season for season in seasons if season <= past), default=1)
    return found.past @ naive(past, steps, season)


def _mean_error(found: Mixture, forecast: Array) -> float:
    errors = np.nanmean(np.abs(forecast - found.future), 1)
    return float(found.weights @ errors)


__all__ = ["QUANTILES", "ForecasterFit", "fit_forecaster"]
