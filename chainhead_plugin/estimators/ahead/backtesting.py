"""Backtests: forecasts from past origins, and their errors.

An origin is the step at which a forecast begins; the forecast uses only the values before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ...checks.values import check_whole_number
from ...forecasts.metrics import forecast_scores, naive_scale
from ..forecaster import ChainHeadForecaster
from ..parameters import plain
from .answers import as_given
from .histories import History, first_steps, read_history

Array = NDArray[np.float64]
Strategy = Literal["refit", "update", "frozen"]
_STRATEGIES = ("refit", "update", "frozen")


@dataclass(frozen=True)
class Backtest:
    """The results of a backtest.

    Attributes
    ----------
    scores : dict of float by str
        Scores of all forecasts together, named as in `chainhead_plugin.forecasts.metrics.forecast_scores`.
    by_origin : list of dict
        The same scores for each origin.
    forecasts : list
        The forecast quantiles for each origin, in the form that `predict_quantiles` returns.
    origins : list of int
        The step at which each forecast begins, counted from the first time of all series.
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
    """Forecast from several origins near the end of the series, and compare with the values that followed.

    Each forecast uses only the values before its origin.

    Parameters
    ----------
    forecaster : ChainHeadForecaster
        Its parameters are used; the forecaster itself is not changed.
    y, X
        As for `ChainHeadForecaster.fit`.
    horizon : int
        Steps to forecast from each origin.
    origins : int
        How many origins there are. The last origin lies `horizon` steps before the end of the longest series.
    stride : int, optional
        Steps between two origins; by default the horizon.
    strategy : {"refit", "update", "frozen"}
        "refit" fits a new forecaster at each origin. "update" fits once, before the first origin, and gives the values
        that follow to `update`. "frozen" fits once and changes nothing afterwards. With every strategy the forecast
        starts from all values before the origin.

    Returns
    -------
    Backtest

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the series are too short for so many origins.
    """
    horizon, origins, stride = plain((horizon, origins, stride))
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
    """Return the history before a time, and the values that follow [horizon, targets]; later series are left out."""
    lengths: dict[int, int] = {}
    came = []
    for number, (whole, end) in enumerate(zip(history.values, history.ends, strict=True)):
        cut = len(whole) - end + time
        if cut < 1 or np.isnan(whole[:cut]).all(0).any() or np.isnan(whole[cut : cut + horizon]).all():
            continue
        lengths[number] = cut
        future = whole[cut : cut + horizon]
        came.append(np.pad(future, ((0, horizon - len(future)), (0, 0)), constant_values=np.nan))
    if not lengths:
        raise ValueError(f"no series has values both before and after step {time}")
    return first_steps(history, lengths), came


__all__ = ["Backtest", "backtest"]
