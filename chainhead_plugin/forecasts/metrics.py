"""Scores of forecasts: errors of the median, and of the quantiles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TITLES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "mase": "MASE",
    "smape": "sMAPE",
    "wape": "WAPE",
    "wql": "weighted quantile loss",
    "coverage": "share within the 80 % band",
}


def naive_scale(values: Array, season: int) -> float:
    """Return the mean absolute difference of values [length] that lie a season apart; NaN does not count."""
    season = max(1, min(season, len(values) - 1))
    changes = np.abs(values[season:] - values[:-season])
    return float(np.nanmean(changes)) if np.isfinite(changes).any() else 0.0


def forecast_scores(
    quantiles: Array, future: Array, levels: Sequence[float], scale: Array | float | None = None
) -> dict[str, float]:
    """Return scores of forecasts.

    Parameters
    ----------
    quantiles : float64 array [..., quantiles]
        Forecast quantiles of every value.
    future : float64 array [...]
        The observed values; NaN does not count. At least one value is observed.
    levels : sequence of float
        Levels of the quantiles; 0.5 must be among them.
    scale : float or array that broadcasts to `future`, optional
        The result of `naive_scale` for each value's series, for MASE. Values with a scale of 0 do not count in MASE.

    Returns
    -------
    dict
        "mae" and "rmse", in the unit of the data. "mase", the absolute error divided by `scale`. "smape" and "wape",
        as shares. "wql", the pinball loss averaged over the levels, doubled and divided by the mean absolute value.
        "coverage", the share of values between the quantiles 0.1 and 0.9, if these are among the levels. A score that
        would be divided by zero is left out.
    """
    median = quantiles[..., list(levels).index(0.5)]
    observed = ~np.isnan(future)
    values, forecasts = future[observed], median[observed]
    errors = values - forecasts
    size = float(np.abs(values).sum())
    scores = {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt(np.square(errors).mean()))}
    if scale is not None:
        scales = np.broadcast_to(np.asarray(scale, np.float64), future.shape)[observed]
        if (scales > 0).any():
            scores["mase"] = float((np.abs(errors)[scales > 0] / scales[scales > 0]).mean())
    sizes = np.abs(values) + np.abs(forecasts)
    scores["smape"] = float((2 * np.abs(errors) / np.where(sizes > 0, sizes, 1)).mean())
    if size > 0:
        scores["wape"] = float(np.abs(errors).sum()) / size
        misses = values[:, np.newaxis] - quantiles[observed]
        losses = np.maximum(np.multiply(levels, misses), np.multiply(np.subtract(levels, 1), misses))
        scores["wql"] = 2 * float(losses.mean(-1).sum()) / size
    if 0.1 in levels and 0.9 in levels:
        low, high = (quantiles[observed][:, list(levels).index(level)] for level in (0.1, 0.9))
        scores["coverage"] = float(((low <= values) & (values <= high)).mean())
    return scores


__all__ = ["TITLES", "forecast_scores", "naive_scale"]
