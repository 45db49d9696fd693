"""`ChainHeadForecaster`: forecasts the next values of series."""

import warnings
from collections.abc import Sequence
from typing import Any

from ..checks.values import check_number, check_whole_number
from ..config.forecasts import check_quantiles
from ..forecasts.fitting import QUANTILES, fit_forecaster
from ..forecasts.following.state import BandState
from ..tables.schema import schema_of
from .ahead.answers import as_given
from .ahead.fitted import FittedForecaster
from .ahead.histories import History, read_history
from .ahead.horizons import likely_seasons, usual_horizon
from .parameters import plain


class ChainHeadForecaster(FittedForecaster):
    """Forecast the next values of series, with quantiles. No option is needed.

    Methods and arguments have the names of sktime: `fit(y, X)`, `update`, `predict(X=…)`, `predict_quantiles` and
    `predict_interval`. Unlike in sktime, a horizon is a number of steps. Forecasts have the data type of `y`, with its
    times. `get_params`, `set_params` and `clone` of scikit-learn work.

    The forecast is a weighted mean of exponential smoothing, seasonal naive forecasts and ridge regressions on the
    past. Rolling origins choose it: forecasts are made from many steps within the training data, each from the values
    before that step, and compared with the values after it. The quantiles come from the errors of these forecasts, and
    after `update` from the errors of later forecasts. See `chainhead_plugin.forecasts.fit_forecaster`.

    Parameters
    ----------
    seasons : "auto" or sequence of int
        After how many steps the series repeat, such as (7,) for daily values; an empty sequence for no season. "auto"
        finds the seasons in the series, and first tries those that are usual for the time between two steps.
    quantiles : sequence of float
        Levels to forecast, between 0 and 1; 0.5 must be among them.
    seconds : float, optional
        Time to train a stack of chain heads as well, starting from the weighted mean. It is chosen if it is better at
        the last rolling origins by more than the standard error of the difference. By default none is trained. Only
        for a single target without covariates.
    update_bands : bool
        Whether quantiles that are forecast from a past that is given, as `predict(y=…)`, are adjusted to the errors of
        forecasts within this past, from every step after those that `fit` and `update` have seen: the same quantiles
        as those of `update` and then `predict`, but the forecaster does not change. Steps are matched by time, so that
        arrays, which have no times, are forecast with the quantiles as they are.
    random_state : int
        The seed of the stack's first weights and of the order of its training examples.

    Attributes
    ----------
    model_ : ChainHeadForTimeSeriesPrediction
    horizon_ : int
        Steps that the model forecasts at once.
    seasons_ : list of int
        The seasons, in steps.
    shares_ : dict of float by str
        The averaged forecasts, described in words, and the share of each.
    effects_ : dict of list by str
        For each covariate, by how much one unit of it raises the forecast of each target. The effect is in the
        target's unit for a single series, and in standard deviations for several series. It is 0 for a covariate
        that does not vary in training. All effects are 0 if forecasts are no better with covariates.
    reason_ : str
        A sentence that says whether a trained stack was chosen, and why.
    error_, naive_error_ : float
        Mean absolute error at the rolling origins, of the weighted mean and of a forecast that repeats the last
        season, in units of the series' standard deviation.
    origins_ : int
        How many forecasts these errors are averaged over.
    n_targets_ : int
        Number of targets.

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
        update_bands: bool = True,
        random_state: int = 0,
    ) -> None:
        self.seasons = seasons
        self.quantiles = quantiles
        self.seconds = seconds
        self.update_bands = update_bands
        self.random_state = random_state

    def fit(self, y: Any, X: Any = None, *, horizon: int | None = None) -> "ChainHeadForecaster":
        """Fit the forecaster to series.

        Parameters
        ----------
        y : array, list, Series or DataFrame
            The past, in any unit: [length] or [length, targets]; a list of such arrays for several series; a Series;
            a DataFrame whose columns are targets, with times in its index or a column, or with a MultiIndex of series
            and time. Rows are sorted by time; a step without a row, and NaN, are missing values.
        X : the same, optional
            Covariates, which are known for the future too, such as holidays and prices: a row for each row of `y`.
            Further rows are not used. The effect of a covariate is proportional to its value, and on the same step
            only. Columns that are known for the past alone need a recipe.
        horizon : int, optional
            Steps to forecast at once; by default a usual number for the time between two steps, such as 12 for months.

        Raises
        ------
        TypeError, ValueError
            If series are not as described, or too short for the horizon.

        Warns
        -----
        UserWarning
            If a covariate does not vary; its effect is 0 then.
        """
        found = self.fit_history(read_history(y, X), horizon)
        self._given = (y, X)
        return found

    def fit_history(self, history: History, horizon: int | None = None) -> "ChainHeadForecaster":
        """Fit the forecaster to series that have been read already; otherwise like `fit`."""
        step = None if history.table is None else history.table.step
        horizon = plain(horizon)
        if horizon is None:
            horizon = usual_horizon(step, max(map(len, history.values)))
        seasons, quantiles = plain(self.seasons), plain(self.quantiles)
        if seasons != "auto" and not isinstance(seasons, list | tuple):
            raise ValueError(f'seasons must be "auto" or a list of numbers of steps, got {seasons!r}')
        if 0.5 not in quantiles:
            raise ValueError(
                f"quantiles must have 0.5 among them, the median, which is the point forecast; got {quantiles!r}"
            )
        check_quantiles(quantiles)
        fit = fit_forecaster(
            history.values,
            horizon,
            seasons=None if isinstance(seasons, str) else seasons,
            likely_seasons=likely_seasons(step),
            quantiles=quantiles,
            ends=history.ends,
            known=history.known,
            names=history.names,
            seconds=None if self.seconds is None else check_number("seconds", plain(self.seconds), above=0),
            seed=check_whole_number("random_state", plain(self.random_state), 0),
        )
        if fit.constant:
            warnings.warn(
                f"{', '.join(fit.constant)} {'do' if len(fit.constant) > 1 else 'does'} not vary in the training data: "
                "no effect can be learned, and it counts as 0",
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
        self.schema_ = None if history.table is None else schema_of(history.table)
        self._history: History | None = history
        self._given: tuple[Any, Any] | None = None
        # Steps are counted from the first time of the training data. A past that is given later may begin at another
        # time, which lies `_offset` steps after that.
        end = max(history.ends)
        self._band = BandState(fit.record, end, end, history.mark)
        self._offset = 0
        return self

    def predict(self, horizon: int | None = None, *, X: Any = None, y: Any = None) -> Any:
        """Forecast the medians of the next steps.

        Parameters
        ----------
        horizon : int, optional
            Steps to forecast; by default `horizon_`. For more steps than `horizon_` the model continues from its own
            forecasts.
        X : array, list, Series or DataFrame, optional
            The covariates of the steps to forecast, `horizon_` at least, in the form that `fit` was given. If `y` is
            given, the covariates of its steps come first.
        y : array, list, Series or DataFrame, optional
            The past to forecast from, as for `fit`; by default the past that `fit` and `update` were given.

        Returns
        -------
        array [horizon] or [horizon, targets], list of them, Series or DataFrame
            In the data type of the past; a Series or DataFrame has the times of the steps.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If an argument is not as described.
        """
        history, forecasts, origins = self._forecasts(horizon, X, y)
        median = self._levels.index(0.5)
        return as_given(history, [forecast[..., median] for forecast in forecasts], origins=origins)

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
            As for `predict`. After `horizon_` steps the quantiles move further apart, as errors add up.
        alpha : float or sequence of float, optional
            Levels, which must be among `quantiles`; by default all of them.

        Returns
        -------
        array [horizon, quantiles] or [horizon, targets, quantiles], list of them, or DataFrame
            A DataFrame has a column for each pair of target and level. ``attrs["new_origins"]`` of a DataFrame is the
            number of steps of `y`, after those that `fit` and `update` have seen, from which forecasts were made to
            adjust the quantiles to their errors (see `update_bands`).

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As by `predict`.
        """
        levels, alpha = self._levels, plain(alpha)
        wanted = levels if alpha is None else [alpha] if isinstance(alpha, float | int) else list(alpha)
        absent = [level for level in wanted if level not in levels]
        if absent:
            raise ValueError(
                f"the forecaster has the quantiles {levels}, and not {absent}: state them before fit, as "
                "ChainHeadForecaster(quantiles=…)"
            )
        history, forecasts, origins = self._forecasts(horizon, X, y)
        places = [levels.index(level) for level in wanted]
        return as_given(history, [forecast[..., places] for forecast in forecasts], wanted, origins)

    def predict_interval(
        self, horizon: int | None = None, *, coverage: float = 0.8, X: Any = None, y: Any = None
    ) -> Any:
        """Forecast an interval, between two quantiles, that holds a share `coverage` of the values to come.

        Parameters
        ----------
        horizon, X, y
            As for `predict`.
        coverage : float
            The share, between 0 and 1. The two quantiles are (1 - coverage) / 2 and (1 + coverage) / 2, such as 0.1 and
            0.9 for a share of 0.8; both must be among `quantiles`.

        Returns
        -------
        array [horizon, 2] or [horizon, targets, 2], list of them, or DataFrame
            The lower and the upper quantile, as by `predict_quantiles`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As by `predict`.
        """
        low = round((1 - check_number("coverage", plain(coverage), above=0, below=1)) / 2, 6)
        return self.predict_quantiles(horizon, alpha=[low, round(1 - low, 6)], X=X, y=y)


__all__ = ["ChainHeadForecaster"]
