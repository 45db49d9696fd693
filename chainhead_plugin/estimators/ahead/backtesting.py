"""Forecasts as they would have been made in the past, and how far off they were."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ...checks.values import check_whole_number
from ...forecasts.metrics import forecast_scores, naive_scale
from ..forecaster import ChainHeadForecaster
from .histories import History, as_given, read_history

Array = NDArray[np.float64]
Strategy = Literal["refit", "update", "frozen"]
_STRATEGIES = ("refit", "update", "frozen")


@dataclass(frozen=True)
class Backtest:
    """What came of forecasts from several origins.

    Attributes
    ----------
    scores : dict
        Of all forecasts together, as `chainhead_plugin.forecasts.metrics.forecast_scores` names them.
    by_origin : list of dict
        The same for each origin.
    forecasts : list
        For each origin, its quantiles in the form of `predict_quantiles`.
    origins : list of int
        Steps on the time of all series at which the futures begin.
    """

    scores: Mapping[str, float]
    by_origin: list[dict[str, float]]
    forecasts: list[Any]
    origins: list[int]


def backtest(
    forecaster: ChainHeadForecaster,
    y: Any,
    X: Any = None,
    *,
    horizon: int,
    origins: int = 5,
    stride: int | None = None,
    strategy: Strategy = "refit",
) -> Backtest:
    """Forecast from origins near the end of series, each from what lies before it, and compare with what came.

    Parameters
    ----------
    forecaster : ChainHeadForecaster
        Its parameters; it is not changed.
    y, X
        As of `ChainHeadForecaster.fit`.
    horizon : int
    origins : int
        How many; the last one lies a horizon before the end.
    stride : int, optional
        Steps between them, by default the horizon.
    strategy : {"refit", "update", "frozen"}
        Whether a forecaster is fitted anew at each origin; or fitted once, before the first, and takes up what came by
        its `update`; or stays as it was fitted. In all cases it forecasts from all values before the origin.

    Returns
    -------
    Backtest

    Raises
    ------
    TypeError, ValueError
        If a number is not as described, or series are too short for so many origins.
    """
    for name, value in (
        ("horizon", horizon),
        ("origins", origins),
        ("stride", horizon if stride is None else stride),
    ):
        check_whole_number(name, value, 1)
    if strategy not in _STRATEGIES:
        raise ValueError(f"strategy must be one of {', '.join(_STRATEGIES)}, got {strategy!r}")
    history = read_history(y, X)
    step = horizon if stride is None else stride
    last = max(history.ends) - horizon
    times = [last - place * step for place in reversed(range(origins))]
    if times[0] < 2 * horizon + 1:
        raise ValueError(
            f"the longest series has {max(history.ends)} steps: too few for {origins} origins, {step} steps apart, and "
            f"{2 * horizon + 1} steps before the first; take fewer origins or a shorter horizon"
        )

    forecasts, futures, scales, given = [], [], [], []
    fitted: ChainHeadForecaster | None = None
    for time in times:
        before, came = _parted(history, time, horizon)
        if fitted is None or strategy == "refit":
            fitted = clone(forecaster).fit_history(before, horizon)
        elif strategy == "update":
            fitted.take_up(before)
        quantiles = [
            fitted.forecast_from([past], known=None if before.known is None else [before.known[number]])[0]
            for number, past in enumerate(before.values)
        ]
        season = min(fitted.seasons_, default=1)
        forecasts.append(np.concatenate([one.swapaxes(0, 1).reshape(-1, one.shape[2]) for one in quantiles]))
        futures.append(np.concatenate([one.T.ravel() for one in came]))
        scales.append(
            np.concatenate(
                [np.full(horizon, naive_scale(column, season)) for past in before.values for column in past.T]
            )
        )
        given.append(as_given(before, quantiles, list(fitted.model_.config.quantiles)))
    levels = list(forecaster.quantiles)
    return Backtest(
        forecast_scores(np.concatenate(forecasts), np.concatenate(futures), levels, np.concatenate(scales)),
        [
            forecast_scores(quantiles, came, levels, scale)
            for quantiles, came, scale in zip(forecasts, futures, scales, strict=True)
        ],
        given,
        times,
    )


def _parted(history: History, time: int, horizon: int) -> tuple[History, list[Array]]:
    """Return what lies before a time, and what came then [horizon, targets], of series that begin before it."""
    kept, values, came = [], [], []
    for number, (whole, end) in enumerate(zip(history.values, history.ends, strict=True)):
        cut = len(whole) - end + time
        if cut < 1 or np.isnan(whole[:cut]).all(0).any() or np.isnan(whole[cut : cut + horizon]).all():
            continue
        kept.append(number)
        values.append(whole[:cut])
        future = whole[cut : cut + horizon]
        came.append(np.pad(future, ((0, horizon - len(future)), (0, 0)), constant_values=np.nan))
    if not kept:
        raise ValueError(f"no series has values both before and after step {time}")
    table = history.table
    if table is not None:
        shorter = [
            replace(
                table[number],
                values=part,
                times=None if table[number].times is None else table[number].times[: len(part)],
            )
            for number, part in zip(kept, values, strict=True)
        ]
        table = replace(table, series=tuple(shorter))
    known = None if history.known is None else [history.known[number] for number in kept]
    return replace(history, values=values, table=table, known=known), came


__all__ = ["Backtest", "backtest"]
