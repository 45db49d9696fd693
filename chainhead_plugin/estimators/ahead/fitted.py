"""A fitted forecaster: it forecasts from given pasts, and takes up new values."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...checks.values import check_whole_number
from ...forecasts.building import set_band
from ...forecasts.rolling import forecast_behind_gaps, roll_forward, trailing_gap
from ...inputs.named_sequences import is_frame
from .histories import History, joined, read_history
from .saving import SavedForecaster
from .updating import batch_of, errors_since

Array = NDArray[np.float64]
Own = TypeVar("Own", bound="FittedForecaster")

# How many forecasts are computed in one call of the model.
_BATCH = 256


class FittedForecaster(SavedForecaster):
    """The methods of a forecaster that has been fitted or loaded."""

    def update(self: Own, y: Any, X: Any = None, *, past: Any = None, past_X: Any = None) -> Own:
        """Take up values that came after the fit, without training anew.

        Later forecasts start from the longer past. The quantiles are adjusted to the errors of the newer forecasts.

        Parameters
        ----------
        y : array, list, Series or DataFrame
            The values that follow those known so far, in the form that `fit` was given.
        X : the same, optional
            The covariates of these steps.
        past, past_X : the same, optional
            The values and covariates before `y`. A forecaster that was loaded needs them, as it holds no series.

        Raises
        ------
        TypeError, ValueError
            If the forms differ, times do not follow, or there is no past to go on from.
        """
        self._require_fitted()
        if self._given is not None and past is not None:
            raise ValueError("this forecaster holds the values before y: leave out past")
        if self._given is None and past is None:
            raise ValueError(
                "this forecaster holds no series that y could go on from: give the values before y as past"
            )
        before, before_X = self._given or (past, past_X)
        if (X is None) != (before_X is None):
            raise ValueError("give X for the new steps if, and only if, it was given for the steps before")
        schema = self.schema_ if is_frame(before) else None
        given = joined(before, y), None if X is None else joined(before_X, X)
        if self._given is None:
            # The training series and the series given now may count time from different beginnings.
            self._offset = self._known_until - max(read_history(before, before_X, schema).ends)
        self.take_up(read_history(*given, schema))
        self._given = given
        return self

    def take_up(self, history: History) -> None:
        """Replace the history by a longer history with the same beginning, as `update` does."""
        history = self._checked(history)
        now = max(history.ends) + self._offset
        if now <= self._known_until:
            raise ValueError("y has no step after the values so far")
        since = max(self._fitted_until, self._known_until - self.horizon_ + 1)
        errors, origins, share = errors_since(
            history, since - self._offset, self.model_.config, self.forecast_from
        )
        if len(origins):
            self.record_ = self.record_.followed_by(errors, origins + self._offset, share)
        set_band(self.model_, self.record_.band(now, self._levels))
        self._history, self._known_until = history, now

    @property
    def _levels(self) -> list[float]:
        self._require_fitted()
        return list(self.model_.config.quantiles)

    def _forecasts(self, horizon: int | None, X: Any, y: Any) -> tuple[History, list[Array]]:
        """Return the past, and the quantiles [steps, targets, quantiles] of each of its series."""
        self._require_fitted()
        steps = self.horizon_ if horizon is None else check_whole_number("horizon", horizon, 1)
        history = self._checked(self._past(X, y))
        for number, values in enumerate(history.values):
            self._check_past(number, values[-self.model_.config.chain_length :])
        known = None if history.known is None else list(history.known)
        return history, [
            self.forecast_from([values], steps, None if known is None else [known[number]])[0]
            for number, values in enumerate(history.values)
        ]

    def _past(self, X: Any, y: Any) -> History:
        if y is not None:
            return read_history(y, X, self.schema_ if is_frame(y) else None)
        if self._history is None:
            raise ValueError(
                "a loaded forecaster holds no series, as saving keeps users' data out of its files: pass the past as y"
            )
        if X is None:
            return self._history
        given, given_X = self._given or (None, None)
        if given_X is None:
            raise ValueError("X has no effect: the forecaster was fitted without covariates")
        return read_history(given, joined(given_X, X), self.schema_ if is_frame(given) else None)

    def _checked(self, history: History) -> History:
        """Return a past that fits the model."""
        targets = history.values[0].shape[1]
        if targets != self.n_targets_:
            raise ValueError(f"y has {targets} targets, but the forecaster was fitted to {self.n_targets_}")
        given, wanted = len(history.names), self.model_.config.num_time_features
        if given != wanted:
            raise ValueError(
                f"X has {given} covariates, but the forecaster was fitted to {wanted}"
                + (f": {', '.join(self.effects_)}" if wanted else "")
            )
        return history

    def _check_past(self, number: int, past: Array) -> None:
        if np.isnan(past).all(0).any():
            raise ValueError(
                f"series {number}: all of its last {len(past)} values are missing, there is nothing to forecast from"
            )
        if np.isinf(past).any():
            raise ValueError(f"series {number} is infinite: expected numbers, NaN where one is missing")

    def forecast_from(
        self, pasts: Sequence[Array], steps: int | None = None, known: Sequence[Array] | None = None
    ) -> Array:
        """Forecast from several pasts at once.

        Parameters
        ----------
        pasts : sequence of float64 arrays [length, targets]
            Each has at least one observed value of every target; NaN is a missing value.
        steps : int, optional
            Steps to forecast; by default `horizon_`.
        known : sequence of float64 arrays [length + steps or more, covariates], optional
            The covariates of each past and of the steps to forecast.

        Returns
        -------
        float64 array [pasts, steps, targets, quantiles]

        Raises
        ------
        ValueError
            If covariates are missing, or are needed for more steps than the model forecasts at once.
        """
        wanted = self.horizon_ if steps is None else steps
        if self.model_.config.num_time_features and wanted > self.horizon_:
            raise ValueError(
                f"with covariates this model forecasts {self.horizon_} steps at most, got {wanted}: fit it for a "
                "longer horizon"
            )
        found = []
        for begin in range(0, len(pasts), _BATCH):
            some = slice(begin, begin + _BATCH)
            with torch.inference_mode():
                if known is None:
                    forecasts = self._behind_gaps(pasts[some], wanted)
                else:
                    forecasts = self._rolled(batch_of(pasts[some], self.model_.config, known[some]), wanted)
                found.append(forecasts.double().numpy())
        return np.concatenate(found)

    def _behind_gaps(self, pasts: Sequence[Array], steps: int) -> torch.Tensor:
        """Return the forecast [batch, steps, targets, quantiles] of pasts without covariates."""
        config = self.model_.config
        gaps = [trailing_gap(past[-config.chain_length :]) for past in pasts]
        batch = batch_of(pasts, config, None, max(gaps))
        if not any(gaps):
            return self._rolled(batch, steps)

        def ahead(past: torch.Tensor, count: int, _rows: torch.Tensor) -> torch.Tensor:
            return self._rolled({"past_values": past}, count)

        return forecast_behind_gaps(ahead, batch["past_values"], gaps, steps)

    def _rolled(self, batch: dict[str, torch.Tensor], steps: int) -> torch.Tensor:
        """Return the forecast [batch, steps, targets, quantiles]."""
        future = {name: tensor for name, tensor in batch.items() if name != "past_values"}
        device = self.model_.device

        def at_once(past: torch.Tensor) -> torch.Tensor:
            inputs = {"past_values": past[:, -self.model_.config.chain_length :], **future}
            outputs = self.model_(**{name: tensor.to(device) for name, tensor in inputs.items()})
            quantiles: torch.Tensor = outputs.quantile_outputs.to(past.device)
            return quantiles.unsqueeze(2) if quantiles.ndim == 3 else quantiles

        return roll_forward(at_once, batch["past_values"], steps, self._levels)


__all__ = ["FittedForecaster"]
