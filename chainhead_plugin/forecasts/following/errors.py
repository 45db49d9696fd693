"""Errors of a model's forecasts on values that came after the fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from .pasts import forecast_pasts

Array = NDArray[np.float64]

# The most forecasts that are made to measure errors.
_MOST = 2000


@dataclass(frozen=True)
class SeriesInTime:
    """Series that share one count of steps.

    Attributes
    ----------
    values : sequence of float64 arrays [length, targets]
        NaN where a value is missing.
    ends : sequence of int
        For each series, the step just after its last step.
    known : sequence of float64 arrays [length or more, covariates], optional
        The covariates of every step, and of steps after the last.
    """

    values: Sequence[Array]
    ends: Sequence[int]
    known: Sequence[Array] | None = None

    @property
    def first(self) -> int:
        """The first step of all series."""
        return min(end - len(values) for values, end in zip(self.values, self.ends, strict=True))


def errors_since(
    series: SeriesInTime, since: int, model: ChainHeadForTimeSeriesPrediction, least: int = 1
) -> tuple[Array, NDArray[np.int64], float]:
    """Return the errors of forecasts from every step since a given step, and the steps at which they begin.

    Each forecast uses only the values before the step at which it begins. If there are very many steps, a random part
    of them is used. Steps are left out whose past has no value, or an infinite value, or lacks a covariate.

    Parameters
    ----------
    series : SeriesInTime
    since : int
        The first step to forecast from.
    model : ChainHeadForTimeSeriesPrediction
    least : int
        The least number of steps before a forecast.

    Returns
    -------
    errors : float64 array [forecasts, steps]
        Observed values less forecast medians, a row for each forecast of each target, in the scaled units in which the
        model computes; NaN where the value is not known.
    origins : int64 array [forecasts]
        The step at which each forecast begins; ascending.
    share : float
        How many forecasts each row stands for: 1, or more if only a part of the steps was used.
    """
    config: Any = model.config
    horizon: int = config.prediction_length
    known = None
    if series.known is not None:
        # Padded covariates only affect steps beyond the series' end, whose errors are NaN.
        known = [np.pad(values, ((0, horizon), (0, 0)), mode="edge") for values in series.known]
    places = sorted(
        (step + end - len(values), number, step)
        for number, (values, end) in enumerate(zip(series.values, series.ends, strict=True))
        for step in range(max(least, since - end + len(values)), len(values))
        if _has_past(values, None if known is None else known[number], step, config)
    )
    if not places:
        return np.empty((0, horizon)), np.empty(0, np.int64), 1.0
    share = max(1.0, len(places) / _MOST)
    if share > 1:
        drawn = np.random.default_rng(0).choice(len(places), _MOST, replace=False)
        places = [places[place] for place in np.sort(drawn)]

    pasts = [series.values[number][:step] for _, number, step in places]
    used = None if known is None else [known[number] for _, number, _ in places]
    medians = forecast_pasts(model, pasts, horizon, used)[..., config.quantiles.index(0.5)]
    errors: Array = np.full(medians.shape, np.nan)
    for row, (_, number, step) in enumerate(places):
        values = series.values[number]
        came = values[step : step + horizon]
        errors[row, : len(came)] = (came - medians[row, : len(came)]) / _scale(values[:step], config)
    errors[np.isinf(errors)] = np.nan
    origins = np.repeat(np.array([origin for origin, _, _ in places], np.int64), medians.shape[2])
    return errors.transpose(0, 2, 1).reshape(-1, horizon), origins, share


def _has_past(values: Array, known: Array | None, step: int, config: Any) -> bool:
    """Tell whether a forecast can be made from a step: of its past and its covariates."""
    begin = max(0, step - config.chain_length)
    past = values[begin:step]
    if np.isnan(past).all(0).any() or np.isinf(past).any():
        return False
    return known is None or bool(np.isfinite(known[begin : step + config.prediction_length]).all())


def _scale(past: Array, config: Any) -> Array:
    """Return the scale by which the model divides values [targets]; NaN where a series does not vary."""
    if config.scaling == "fixed":
        return np.asarray(config.fixed_scale[: past.shape[1]], np.float64)
    deviations = np.nanstd(past[-config.chain_length :], 0)
    return np.where(deviations > 0, deviations, np.nan)


__all__ = ["SeriesInTime", "errors_since"]
