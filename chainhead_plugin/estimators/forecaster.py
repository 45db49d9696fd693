"""`ChainHeadForecaster`: series to their next values."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks.values import check_number, check_whole_number
from ..forecasts.fitting import QUANTILES, fit_forecaster
from ..tables.schema import schema_of
from .ahead.fitted import FittedForecaster
from .ahead.histories import History, as_given, read_history
from .ahead.horizons import likely_seasons, usual_horizon


class ChainHeadForecaster(FittedForecaster):
    """Forecast the next values of series, with quantiles; no option has to be chosen.

    Methods and their arguments are named as sktime's: `fit(y, X)`, `update`, `predict(X=…)`, `predict_quantiles` and
    `predict_interval`, and forecasts are in the form of `y`, with its times. In place of a horizon of single steps
    there is the number of steps. Parameters are scikit-learn's: `get_params`, `set_params` and `clone`. The forecast
    is a mean of exponential smoothing, seasonal naive and ridge regressions on the past, which rolling origins within
    the training data choose; quantiles are those of the errors at these origins, and after `update` of later ones.
    See `chainhead_plugin.forecasts.fit_forecaster`.

    Parameters
    ----------
    seasons : "auto" or sequence of int
        After how many steps series repeat themselves, such as (7,) for days; empty for not at all. By default what
        the series show, at what their times suggest.
    quantiles : sequence of float
        Levels to forecast, 0.5 among them.
    seconds : float, optional
        Time for training a chain too, from the map on, which is taken if its lead at the last rolling origins exceeds
        its standard error; by default none. For one column, without covariates.
    random_state : int
        Where its first weights, and the order of its windows, come from.

    Attributes
    ----------
    model_ : ChainHeadForTimeSeriesPrediction
    horizon_ : int
        Steps that are forecast at once.
    seasons_ : list of int
    shares_ : dict
        What the forecast is the mean of, in words, and the share of each.
    effects_ : dict
        Of each covariate, by how much a forecast of each target is larger for each unit of it: in the target's unit,
        or of several series in deviations. 0 where it does not vary in training, and all 0 where they do not help.
    reason_ : str
        Whether a trained chain was taken, and why.
    error_, naive_error_ : float
        Of the map: mean absolute error at the rolling origins, and that of the last season's values again, in units of
        the series' deviation.
    origins_ : int
        How many forecasts these are of.
    n_targets_ : int

    Examples
    --------
    >>> forecaster = ChainHeadForecaster().fit(sales, holidays, horizon=14)
    >>> forecaster.predict(X=holidays_to_come)
    >>> forecaster.update(sales_since, holidays_since)
    >>> forecaster.predict_quantiles(X=holidays_to_come, alpha=[0.1, 0.9])
    """

    def __init__(
        self,
        *,
        seasons: str | Sequence[int] = "auto",
        quantiles: Sequence[float] = QUANTILES,
        seconds: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.seasons = seasons
        self.quantiles = quantiles
        self.seconds = seconds
        self.random_state = random_state

    def fit(self, y: Any, X: Any = None, *, horizon: int | None = None) -> "ChainHeadForecaster":
        """Learn from series.

        Parameters
        ----------
        y : array, list, Series or DataFrame
            The past, in any unit: [length] or [length, targets]; a list of such arrays for several series; a Series;
            a DataFrame whose columns are targets, with times in its index or a column, or with a MultiIndex of series
            and time. Rows are sorted by time; a step without a row, and NaN, are missing values.
        X : the same, optional
            What is known for the future too, such as holidays and prices, a row for each of `y`; further rows are not
            used. A covariate has an effect on the same step, in proportion to it. For columns that are known of the
            past alone there are recipes.
        horizon : int, optional
            Steps to forecast at once; by default a usual number for steps of this kind, such as 12 for months.

        Raises
        ------
        TypeError, ValueError
            If series are not as described, or too short for the horizon.

        Warns
        -----
        UserWarning
            If a covariate does not vary: its effect is then 0.
        """
        found = self.fit_history(read_history(y, X), horizon)
        self._given = (y, X)
        return found

    def fit_history(self, history: History, horizon: int | None = None) -> "ChainHeadForecaster":
        """Learn from series that have been read; as `fit`."""
        step = None if history.table is None else history.table.step
        if horizon is None:
            horizon = usual_horizon(step, max(map(len, history.values)))
        if self.seasons != "auto" and not isinstance(self.seasons, list | tuple | np.ndarray):
            raise ValueError(f'seasons must be "auto" or a list of numbers of steps, got {self.seasons!r}')
        if 0.5 not in self.quantiles:
            raise ValueError(
                f"quantiles must have 0.5 among them, the median, which is the point forecast; got {self.quantiles!r}"
            )
        fit = fit_forecaster(
            history.values,
            horizon,
            seasons=None if isinstance(self.seasons, str) else self.seasons,
            likely_seasons=likely_seasons(step),
            quantiles=self.quantiles,
            ends=history.ends,
            known=history.known,
            names=history.names,
            seconds=None if self.seconds is None else check_number("seconds", self.seconds, above=0),
            seed=check_whole_number("random_state", self.random_state, 0),
        )
        if fit.constant:
            warnings.warn(
                f"{', '.join(fit.constant)} {'do' if len(fit.constant) > 1 else 'does'} not vary in the training data: "
                "nothing can be learnt of it, its effect is 0",
                stacklevel=3,
            )
        self.model_ = fit.model
        self.horizon_ = horizon
        self.seasons_ = fit.seasons
        self.shares_ = fit.shares
        self.reason_ = fit.reason
        self.effects_ = dict(zip(history.names, fit.effects.tolist(), strict=True))
        self.error_, self.naive_error_ = fit.error, fit.naive_error
        self.origins_ = fit.origins
        self.n_targets_ = history.values[0].shape[1]
        self.record_ = fit.record
        self.schema_ = None if history.table is None else schema_of(history.table)
        self._history: History | None = history
        self._given: tuple[Any, Any] | None = None
        # On the time of what was learnt, from which that of a past given later is off by so many steps.
        self._fitted_until = self._known_until = max(history.ends)
        self._offset = 0
        return self

    def predict(self, horizon: int | None = None, *, X: Any = None, y: Any = None) -> Any:
        """Forecast the medians of the next steps.

        Parameters
        ----------
        horizon : int, optional
            Steps; by default `horizon_`. Beyond it the model goes on from its own forecasts, if it has no covariates.
        X : array, list, Series or DataFrame, optional
            The covariates of the steps to forecast, in the form that `fit` had; with `y` those of its steps before.
        y : array, list, Series or DataFrame, optional
            The past to go on from, as for `fit`; by default that of `fit` and `update`.

        Returns
        -------
        array [horizon] or [horizon, targets], list of them, Series or DataFrame
            In the form of the past; a table with the times of the steps.
        """
        history, forecasts = self._forecasts(horizon, X, y)
        median = self._levels.index(0.5)
        return as_given(history, [forecast[..., median] for forecast in forecasts])

    def predict_quantiles(
        self,
        horizon: int | None = None,
        *,
        alpha: float | Sequence[float] | None = None,
        X: Any = None,
        y: Any = None,
    ) -> Any:
        """Forecast quantiles of the next steps.

        Parameters
        ----------
        horizon, X, y
            As of `predict`. Beyond `horizon_` bands widen by the model's own errors.
        alpha : float or sequence of float, optional
            Levels, some of `quantiles`; by default all.

        Returns
        -------
        array [horizon, quantiles] or [horizon, targets, quantiles], list of them, or DataFrame
            Of tables with a column for each target and level.
        """
        levels = self._levels
        wanted = levels if alpha is None else [alpha] if isinstance(alpha, float | int) else list(alpha)
        absent = [level for level in wanted if level not in levels]
        if absent:
            raise ValueError(
                f"the forecaster has no quantiles {absent}, but {levels}: state them before fit, as "
                "ChainHeadForecaster(quantiles=…)"
            )
        history, forecasts = self._forecasts(horizon, X, y)
        places = [levels.index(level) for level in wanted]
        return as_given(history, [forecast[..., places] for forecast in forecasts], wanted)

    def predict_interval(
        self, horizon: int | None = None, *, coverage: float = 0.8, X: Any = None, y: Any = None
    ) -> Any:
        """Forecast the band that holds a share of what comes, between two quantiles; as `predict_quantiles`."""
        low = round((1 - coverage) / 2, 6)
        return self.predict_quantiles(horizon, alpha=[low, round(1 - low, 6)], X=X, y=y)


__all__ = ["ChainHeadForecaster"]
