"""A fitted forecaster: it forecasts from given pasts, and takes up new values."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...checks.values import check_whole_number
from ...forecasts.building import set_band
from ...forecasts.following.errors import SeriesInTime
from ...forecasts.following.other_scale import tell_other_scale
from ...forecasts.following.pasts import forecast_pasts
from ...forecasts.following.state import followed
from ...inputs.named_sequences import is_frame
from ..parameters import plain
from .histories import History, read_history
from .joining import joined
from .saving import SavedForecaster

Array = NDArray[np.float64]
Own = TypeVar("Own", bound="FittedForecaster")


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
            seen = read_history(before, before_X, schema)
            end = self._band.end_of(seen.mark)
            self._offset = (self._band.known_until if end is None else end) - max(seen.ends)
        self.take_up(read_history(*given, schema))
        self._given = given
        return self

    def take_up(self, history: History) -> None:
        """Replace the history by a longer history, as `update` does. Without times both begin at the same step."""
        history = self._checked(history)
        end = self._band.end_of(history.mark)
        # By the clock where there is one, as a table may have rows before the first row so far.
        offset = self._offset if end is None else end - max(history.ends)
        if max(history.ends) + offset <= self._band.known_until:
            raise ValueError("y has no step after the values so far")
        state, _ = self._band.after(self.model_, _in_time(history, offset), history.mark)
        set_band(self.model_, state.band(self.model_))
        self._band, self._history, self._offset = state, history, offset

    @property
    def _levels(self) -> list[float]:
        self._require_fitted()
        return list(self.model_.config.quantiles)

    def _forecasts(self, horizon: int | None, X: Any, y: Any) -> tuple[History, list[Array], int]:
        """Return the past, the quantiles [steps, targets, quantiles] of each series, and the number of new origins."""
        self._require_fitted()
        steps = self.horizon_ if horizon is None else check_whole_number("horizon", plain(horizon), 1)
        history = self._checked(self._past(X, y))
        for number, values in enumerate(history.values):
            self._check_past(number, values[-self.model_.config.chain_length :])
        model, origins = self.model_, 0
        end = None if y is None else self._band.end_of(history.mark)
        if self.update_bands and end is not None:
            model, origins = followed(model, self._band, _in_time(history, end - max(history.ends)))
        forecasts = [
            forecast_pasts(model, [values], steps, None if history.known is None else [history.known[number]])
            for number, values in enumerate(history.values)
        ]
        return history, [forecast[0] for forecast in forecasts], origins

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
        """Return a past that fits the model; warn if it varies far more than the training."""
        targets = history.values[0].shape[1]
        if targets != self.n_targets_:
            raise ValueError(f"y has {targets} targets, but the forecaster was fitted to {self.n_targets_}")
        given, wanted = len(history.names), self.model_.config.num_time_features
        if given != wanted:
            raise ValueError(
                f"X has {given} covariates, but the forecaster was fitted to {wanted}"
                + (f": {', '.join(self.effects_)}" if wanted else "")
            )
        for values in history.values:
            tell_other_scale(self.model_.config, values)
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
        """Forecast from several pasts at once, with the band as it was fitted and updated.

        Parameters
        ----------
        pasts : sequence of float64 arrays [length, targets]
            Each has at least one observed value of every target; NaN is a missing value.
        steps : int, optional
            Steps to forecast; by default `horizon_`.
        known : sequence of float64 arrays [length + steps or more, covariates], optional
            The covariates of each past and of the steps to forecast, which are `horizon_` at least.

        Returns
        -------
        float64 array [pasts, steps, targets, quantiles]

        Raises
        ------
        ValueError
            If covariates are missing.
        """
        return forecast_pasts(self.model_, pasts, self.horizon_ if steps is None else steps, known)


def _in_time(history: History, offset: int) -> SeriesInTime:
    """Return the series of a history, whose first step is a given number of steps after that of the training data."""
    return SeriesInTime(history.values, [end + offset for end in history.ends], history.known)


__all__ = ["FittedForecaster"]
