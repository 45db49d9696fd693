"""A forecasting model's inputs, and the errors of its forecasts on values that came after the fit."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .histories import History

Array = NDArray[np.float64]

# The most forecasts that an update makes to measure errors.
_MOST = 2000


def batch_of(
    pasts: Sequence[Array], config: Any, known: Sequence[Array] | None, further: int = 0
) -> dict[str, torch.Tensor]:
    """Return the model's inputs: the last values of the pasts, aligned at their ends.

    Parameters
    ----------
    pasts : sequence of float64 arrays [length, targets]
    config : ChainHeadConfig
    known : sequence of float64 arrays [length + prediction_length or more, covariates], optional
        The covariates of each past and of the steps to forecast.
    further : int
        Steps to return beyond those that the model takes at once.

    Returns
    -------
    dict of float64 Tensor by str
        "past_values" [pasts, steps, targets], NaN before shorter pasts. If the model takes covariates, also
        "past_time_features" [pasts, steps, covariates] and "future_time_features" [pasts, horizon, covariates].

    Raises
    ------
    ValueError
        If covariates are missing or infinite, or end too early.
    """
    length = max(min(len(past), config.chain_length + further) for past in pasts)
    batch = np.full((len(pasts), length, pasts[0].shape[1]), np.nan)
    for row, past in zip(batch, pasts, strict=True):
        row[length - min(len(past), length) :] = past[-length:]
    found = {"past_values": torch.from_numpy(batch)}
    if not config.num_time_features:
        return found

    steps = config.prediction_length
    seen = np.zeros((len(pasts), length, config.num_time_features))
    ahead = np.zeros((len(pasts), steps, config.num_time_features))
    for number, (past, values) in enumerate(zip(pasts, known or (), strict=True)):
        following = values[len(past) : len(past) + steps]
        if len(following) < steps:
            raise ValueError(
                f"X holds the covariates of {len(following)} steps after the past, but {steps} are forecast at once: "
                "give a row for each"
            )
        used = values[max(0, len(past) - length) : len(past)]
        if not (np.isfinite(following).all() and np.isfinite(used).all()):
            raise ValueError(
                "X holds a value that is missing or infinite: covariates are known for every step"
            )
        seen[number, length - len(used) :] = used
        ahead[number] = following
    return found | {
        "past_time_features": torch.from_numpy(seen),
        "future_time_features": torch.from_numpy(ahead),
    }


def errors_since(
    history: History,
    since: int,
    config: Any,
    forecast: Callable[[Sequence[Array], int, Sequence[Array] | None], Array],
) -> tuple[Array, NDArray[np.int64], float]:
    """Return the errors of forecasts from every step since a given time, and the steps at which they begin.

    If there are very many steps, a random part of them is used.

    Parameters
    ----------
    history : History
    since : int
        The first step to forecast from, counted from the first time of all series.
    config : ChainHeadConfig
    forecast : callable
        Maps pasts, the number of steps, and covariates or None to quantiles [pasts, steps, targets, quantiles].

    Returns
    -------
    errors : float64 array [forecasts, steps]
        Observed values less forecast medians, a row for each forecast of each target, in the scaled units in which the
        model computes; NaN where the value is not known.
    origins : int64 array [forecasts]
        The step at which each forecast begins, counted from the first time of all series; ascending.
    share : float
        How many forecasts each row stands for: 1, or more if only a part of the steps was used.
    """
    ends = history.ends
    places = sorted(
        (step + end - len(values), number, step)
        for number, (values, end) in enumerate(zip(history.values, ends, strict=True))
        for step in range(max(1, since - end + len(values)), len(values))
        if not np.isnan(values[max(0, step - config.chain_length) : step]).all(0).any()
    )
    share = max(1.0, len(places) / _MOST)
    if share > 1:
        drawn = np.random.default_rng(0).choice(len(places), _MOST, replace=False)
        places = [places[place] for place in np.sort(drawn)]
    steps = config.prediction_length
    pasts = [history.values[number][:step] for _, number, step in places]
    known = None
    if history.known is not None:
        # Padded covariates only affect steps beyond the series' end, whose errors are NaN.
        longer = [np.pad(values, ((0, steps), (0, 0)), mode="edge") for values in history.known]
        known = [longer[number] for _, number, _ in places]
    medians = forecast(pasts, steps, known)[..., config.quantiles.index(0.5)]

    errors: Array = np.full(medians.shape, np.nan)
    for row, (_, number, step) in enumerate(places):
        values = history.values[number]
        came = values[step : step + steps]
        errors[row, : len(came)] = (came - medians[row, : len(came)]) / _scale(values[:step], config)
    origins = np.repeat(np.array([origin for origin, _, _ in places], np.int64), medians.shape[2])
    return errors.transpose(0, 2, 1).reshape(-1, steps), origins, share


def _scale(past: Array, config: Any) -> Array:
    """Return the scale by which the model divides values [targets]; NaN where a series does not vary."""
    if config.scaling == "fixed":
        return np.asarray(config.fixed_scale[: past.shape[1]], np.float64)
    deviations = np.nanstd(past[-config.chain_length :], 0)
    return np.where(deviations > 0, deviations, np.nan)


__all__ = ["batch_of", "errors_since"]
