"""The metrics of forecasts, by points and by quantiles."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metric import Metric, mae, rmse

Values = NDArray[Any]


def smape(forecasts: Values, values: Values) -> float:
    """Return the mean of 2·|error| / (|forecast| + |value|), without a unit.

    A term is 0 where forecast and value are 0. NaN in `values` does not count.

    Parameters
    ----------
    forecasts, values : arrays of the same shape
    """
    errors, sizes = np.abs(forecasts - values), np.abs(forecasts) + np.abs(values)
    return float(np.nanmean(2 * errors / np.where(sizes == 0, 1, sizes)))


def wape(forecasts: Values, values: Values) -> float:
    """Return the sum of absolute errors, divided by the sum of absolute values; NaN if all values are zero."""
    size = float(np.nansum(np.abs(values)))
    return float(np.nansum(np.abs(forecasts - values))) / size if size else float("nan")


def pinball(quantiles: Values, values: Values, levels: Sequence[float]) -> float:
    """Return the mean pinball loss, in the values' unit.

    Parameters
    ----------
    quantiles : array [..., levels]
    values : array [...]
        NaN does not count.
    levels : sequence of float
        The levels of the quantiles, between 0 and 1.
    """
    errors = values[..., np.newaxis] - quantiles.astype(np.float64)
    losses = np.maximum(np.multiply(levels, errors), np.multiply(np.subtract(levels, 1), errors))
    return float(np.nanmean(losses))


def weighted_quantile_loss(quantiles: Values, values: Values, levels: Sequence[float]) -> float:
    """Return twice the pinball loss, divided by the mean absolute value, without a unit; NaN if all values are zero.

    Parameters
    ----------
    quantiles, values, levels
        As for `pinball`.
    """
    size = float(np.nanmean(np.abs(values)))
    return 2 * pinball(quantiles, values, levels) / size if size else float("nan")


def coverage(quantiles: Values, values: Values, low: int, high: int) -> float:
    """Return the share of observed values that lie between two quantiles, from 0 to 1.

    Parameters
    ----------
    quantiles, values
        As for `pinball`.
    low, high : int
        The positions of the two quantiles on the last axis.
    """
    observed = ~np.isnan(values)
    inside = (quantiles[..., low] <= values) & (values <= quantiles[..., high])
    return float(inside[observed].mean())


def mase(forecasts: Values, values: Values, scales: Values) -> float:
    """Return the mean absolute error in units of a naive forecast's errors in training.

    Values with scale 0 do not count, and neither does NaN in `values`. The result is NaN if no value counts.

    Parameters
    ----------
    forecasts, values : arrays [windows, steps, targets]
    scales : array that broadcasts to the shape of `values`
        The mean absolute error of the naive forecast in training.
    """
    scales = np.broadcast_to(scales, values.shape)
    counts = (scales > 0) & ~np.isnan(values)
    errors = np.abs(forecasts.astype(np.float64) - values)[counts] / scales[counts]
    return float(errors.mean()) if len(errors) else float("nan")


def _error(name: str, title: str, of: Callable[..., float], *, share: bool = False) -> Metric:
    return Metric(name, title, greater_is_better=False, of=of, percent=share, has_unit=not share)


MASE = Metric("mase", "MASE", greater_is_better=False, of=mase, of_scale=True, has_unit=False)
POINT_METRICS: tuple[Metric, ...] = (
    _error("rmse", "RMSE", rmse),
    _error("mae", "MAE", mae),
    MASE,
    _error("smape", "sMAPE", smape, share=True),
    _error("wape", "WAPE", wape, share=True),
)


def quantile_metrics(levels: Sequence[float]) -> tuple[Metric, ...]:
    """Return the metrics of forecasts [..., levels], the pinball loss first.

    Metrics of points measure the median. A forecast without the axis of levels counts as every quantile. For each pair
    of levels at the same distance from 0.5, such as 0.1 and 0.9, the share of values between the two is measured.

    Parameters
    ----------
    levels : sequence of float
        Ascending, 0.5 among them.
    """
    levels = list(levels)
    median = levels.index(0.5)

    def whole(of: Callable[..., float], **places: Any) -> Callable[..., float]:
        def measured(forecasts: Values, values: Values, *scales: Values) -> float:
            if forecasts.ndim == values.ndim:
                forecasts = np.broadcast_to(forecasts[..., np.newaxis], (*values.shape, len(levels)))
            return of(forecasts, values, *scales, **places)

        return measured

    bands = []
    for low in range(median):
        share = 1 - 2 * levels[low]
        high = next(
            (place for place, level in enumerate(levels) if abs(level - 1 + levels[low]) < 1e-9), None
        )
        if high is not None:
            name = f"{100 * share:g}"
            of = whole(coverage, low=low, high=high)
            bands.append(
                Metric(
                    f"coverage_{name}",
                    f"share within the {name} % band",
                    True,
                    of,
                    percent=True,
                    has_unit=False,
                )
            )
    points = [replace(metric, of=whole(partial(_of_median, metric.of, median))) for metric in POINT_METRICS]
    return (
        _error("pinball", "pinball loss", whole(pinball, levels=levels)),
        _error("wql", "weighted quantile loss", whole(weighted_quantile_loss, levels=levels), share=True),
        *points,
        *bands,
    )


def _of_median(
    of: Callable[..., float], median: int, forecasts: Values, values: Values, *scales: Values
) -> float:
    return of(forecasts[..., median], values, *scales)


__all__ = [
    "POINT_METRICS",
    "coverage",
    "mase",
    "pinball",
    "quantile_metrics",
    "smape",
    "wape",
    "weighted_quantile_loss",
]
