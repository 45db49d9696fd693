"""`ChainHeadForecaster`: series to their next values."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForTimeSeriesPrediction

from ..checks.values import check_whole_number
from ..forecasts.fitting import QUANTILES, fit_forecaster
from ..forecasts.rolling import roll_forward
from ..hub.pushing import push
from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..inputs.named_sequences import is_frame
from ..models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ..tables.schema import Schema, schema_of
from .ahead.histories import History, as_given, read_history
from .ahead.horizons import likely_seasons, usual_horizon
from .files import params_from_json, params_to_json, read_state, write_state
from .requirement import BaseEstimator

Array = NDArray[np.float64]

_FITTED = ("horizon_", "seasons_", "shares_", "error_", "naive_error_", "origins_", "n_targets_")
_EXTRACTOR = "preprocessor_config.json"


class ChainHeadForecaster(BaseEstimator):
    """Forecast the next values of series, with quantiles; no option has to be chosen.

    Methods are named as sktime's: `fit`, `predict`, `predict_quantiles`, `predict_interval`; in place of a horizon of
    single steps there is the number of steps. The forecast is a mean of exponential smoothing, seasonal naive and
    ridge regressions on the past, which rolling origins within the training data choose; quantiles are calibrated on
    the errors at these origins. See `chainhead_plugin.forecasts.fit_forecaster`.

    Parameters
    ----------
    seasons : "auto" or sequence of int
        After how many steps series repeat themselves, such as (7,) for days; empty for not at all. By default what
        the series show, at what their times suggest.
    quantiles : sequence of float
        Levels to forecast, 0.5 among them.

    Attributes
    ----------
    model_ : ChainHeadForTimeSeriesPrediction
    horizon_ : int
        Steps that are forecast at once.
    seasons_ : list of int
    shares_ : dict
        What the forecast is the mean of, in words, and the share of each.
    error_, naive_error_ : float
        Mean absolute error at the rolling origins, and that of the last season's values again, in units of the series'
        deviation.
    origins_ : int
        How many forecasts these are of.
    n_targets_ : int

    Examples
    --------
    >>> forecaster = ChainHeadForecaster().fit(sales, horizon=14)
    >>> forecaster.predict()
    >>> forecaster.predict_quantiles(alpha=[0.1, 0.9])
    """

    def __init__(
        self, *, seasons: str | Sequence[int] = "auto", quantiles: Sequence[float] = QUANTILES
    ) -> None:
        self.seasons = seasons
        self.quantiles = quantiles

    def fit(self, y: Any, X: None = None, *, horizon: int | None = None) -> "ChainHeadForecaster":
        """Learn from series.

        Parameters
        ----------
        y : array, list, Series or DataFrame
            The past, in any unit: [length] or [length, targets]; a list of such arrays for several series; a Series;
            a DataFrame whose columns are targets, with times in its index or a column, or with a MultiIndex of series
            and time. Rows are sorted by time; a step without a row, and NaN, are missing values.
        X : None
            There for the interface; covariates need a recipe.
        horizon : int, optional
            Steps to forecast at once; by default a usual number for steps of this kind, such as 12 for months.

        Raises
        ------
        TypeError, ValueError
            If series are not as described, or too short for the horizon.
        """
        if X is not None:
            raise ValueError(
                "this forecaster learns from the past of the series alone: to use covariates, train a recipe that "
                "names them as known"
            )
        return self.fit_history(read_history(y), horizon)

    def fit_history(self, history: History, horizon: int | None = None) -> "ChainHeadForecaster":
        """Learn from series that have been read; as `fit`."""
        step = None if history.table is None else history.table.step
        if horizon is None:
            horizon = usual_horizon(step, max(map(len, history.values)))
        if isinstance(self.seasons, str) and self.seasons != "auto":
            raise ValueError(f'seasons must be "auto" or numbers of steps, got {self.seasons!r}')
        fit = fit_forecaster(
            history.values,
            horizon,
            seasons=None if isinstance(self.seasons, str) else self.seasons,
            likely_seasons=likely_seasons(step),
            quantiles=self.quantiles,
            ends=history.ends,
        )
        self.model_ = fit.model
        self.horizon_ = horizon
        self.seasons_ = fit.seasons
        self.shares_ = fit.shares
        self.error_, self.naive_error_ = fit.error, fit.naive_error
        self.origins_ = fit.origins
        self.n_targets_ = history.values[0].shape[1]
        self.schema_ = None if history.table is None else schema_of(history.table)
        self._history: History | None = history
        return self

    def predict(self, horizon: int | None = None, *, y: Any = None) -> Any:
        """Forecast the medians of the next steps.

        Parameters
        ----------
        horizon : int, optional
            Steps; by default `horizon_`. Beyond it the model goes on from its own forecasts.
        y : array, list, Series or DataFrame, optional
            The past to go on from, as for `fit`; by default that of `fit`.

        Returns
        -------
        array [horizon] or [horizon, targets], list of them, Series or DataFrame
            In the form of the past; a table with the times of the steps.
        """
        history, forecasts = self._forecasts(horizon, y)
        median = self._levels.index(0.5)
        return as_given(history, [forecast[..., median] for forecast in forecasts])

    def predict_quantiles(
        self, horizon: int | None = None, *, alpha: float | Sequence[float] | None = None, y: Any = None
    ) -> Any:
        """Forecast quantiles of the next steps.

        Parameters
        ----------
        horizon, y
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
        history, forecasts = self._forecasts(horizon, y)
        places = [levels.index(level) for level in wanted]
        return as_given(history, [forecast[..., places] for forecast in forecasts], wanted)

    def predict_interval(self, horizon: int | None = None, *, coverage: float = 0.8, y: Any = None) -> Any:
        """Forecast the band that holds a share of what comes, between two quantiles; as `predict_quantiles`."""
        low = round((1 - coverage) / 2, 6)
        return self.predict_quantiles(horizon, alpha=[low, round(1 - low, 6)], y=y)

    @property
    def _levels(self) -> list[float]:
        self._require_fitted()
        return list(self.model_.config.quantiles)

    def _forecasts(self, horizon: int | None, y: Any) -> tuple[History, list[Array]]:
        """Return the past, and the quantiles [steps, targets, quantiles] of each of its series."""
        self._require_fitted()
        history = self._history if y is None else read_history(y, self.schema_ if is_frame(y) else None)
        if history is None:
            raise ValueError(
                "a forecaster that was loaded holds no series, which are nobody else's business: pass the past as y"
            )
        targets = history.values[0].shape[1]
        if targets != self.n_targets_:
            raise ValueError(f"y has {targets} targets, but the forecaster was fitted to {self.n_targets_}")
        steps = self.horizon_ if horizon is None else check_whole_number("horizon", horizon, 1)
        return history, [self._forecast(number, past, steps) for number, past in enumerate(history.values)]

    def _forecast(self, number: int, past: Array, steps: int) -> Array:
        past = past[-self.model_.config.chain_length :]
        if np.isnan(past).all(0).any():
            raise ValueError(
                f"series {number}: all of its last {len(past)} values are missing, there is nothing to forecast from"
            )
        if np.isinf(past).any():
            raise ValueError(f"series {number} is infinite: expected numbers, NaN where one is missing")
        return self.forecast_from([past], steps)[0]

    def forecast_from(self, pasts: Sequence[Array], steps: int | None = None) -> Array:
        """Forecast from several pasts at once.

        Parameters
        ----------
        pasts : sequence of float64 arrays [length, targets]
            With an observed value of every target.
        steps : int, optional

        Returns
        -------
        float64 array [pasts, steps, targets, quantiles]
        """
        length = max(min(len(past), self.model_.config.chain_length) for past in pasts)
        batch = np.full((len(pasts), length, self.n_targets_), np.nan)
        for row, past in zip(batch, pasts, strict=True):
            row[length - min(len(past), length) :] = past[-length:]
        with torch.inference_mode():
            found = roll_forward(self._at_once, torch.from_numpy(batch), steps or self.horizon_, self._levels)
        return found.double().numpy()

    def _at_once(self, past: torch.Tensor) -> torch.Tensor:
        device = self.model_.device
        outputs = self.model_(past.to(device))
        quantiles: torch.Tensor = outputs.quantile_outputs.to(past.device)
        return quantiles.unsqueeze(2) if quantiles.ndim == 3 else quantiles

    def to_transformers(self) -> tuple[ChainHeadForTimeSeriesPrediction, ChainHeadFeatureExtractor | None]:
        """Return the fitted model, and the names of its columns where it has some, as pipelines take them."""
        self._require_fitted()
        if self.schema_ is None:
            return self.model_, None
        names = ChainHeadFeatureExtractor(self.n_targets_, do_normalize=False, schema=self.schema_.to_dict())
        return self.model_, names

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Save model, names of columns and parameters; no pickle, and none of the series.

        The folder loads with `from_pretrained` of this class, with
        ``AutoModelForTimeSeriesPrediction.from_pretrained`` and with ``pipeline("time-series-forecasting")``.
        """
        model, names = self.to_transformers()
        state = self._state()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        if names is None:
            (folder / _EXTRACTOR).unlink(missing_ok=True)
        else:
            names.save_pretrained(folder)
        write_state(folder, state)

    def push_to_hub(self, repo_id: str, **options: Any) -> Any:
        """Push everything that `save_pretrained` writes, with a model card, in one commit; as of the model."""
        self._require_fitted()
        return push(self.model_, self.save_pretrained, repo_id, **options)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str], **hub: Any) -> "ChainHeadForecaster":
        """Load what `save_pretrained` or `push_to_hub` saved; `predict` then needs the past as `y`.

        Parameters
        ----------
        name : str or path
            A folder, or a repository on the Hub as ``"owner/name"``.
        **hub
            As of ``AutoModelForTimeSeriesPrediction.from_pretrained``.

        Raises
        ------
        OSError
            If there is no such model, or its weights are no safetensors.
        ValueError
            If it is damaged, or was not saved by a forecaster.
        """
        state = read_state(name, cls.__name__, **hub)
        if not state:
            raise ValueError(
                f"{name} was not saved by {cls.__name__}: load it with AutoModelForTimeSeriesPrediction"
            )
        try:
            found = cls(**params_from_json(state["params"]))
            for fitted in _FITTED:
                setattr(found, fitted, state[fitted])
        except (KeyError, TypeError) as error:
            raise ValueError(f"what {name} holds is not of {cls.__name__}: {error}") from error
        found.schema_ = None if state.get("schema") is None else Schema.from_dict(state["schema"])
        found.model_ = AutoModelForTimeSeriesPrediction.from_pretrained(
            name, use_safetensors=True, **hub
        ).eval()
        found._history = None
        return found

    def _state(self) -> dict[str, Any]:
        return {
            "estimator": type(self).__name__,
            "params": params_to_json(self.get_params(deep=False)),
            **{name: getattr(self, name) for name in _FITTED},
            "schema": None if self.schema_ is None else self.schema_.to_dict(),
        }

    def _require_fitted(self) -> None:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "model_")
