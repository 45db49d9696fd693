"""Saving a forecaster: its model, names of columns, parameters, and the errors that its quantiles come from."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from transformers import AutoModelForTimeSeriesPrediction

from ...config.configuration_chainhead import ChainHeadConfig
from ...forecasts.bands import ErrorRecord
from ...forecasts.following.state import ERRORS_FILE, BandState, read_state as read_band
from ...hub.pushing import push
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ...storage.saving import save_together
from ...tables.schema import Schema
from ..requirement import BaseEstimator
from ..saved.fitted import require_fitted_values
from ..saved.state import (
    ONE_FILE,
    find_file,
    params_from_json,
    params_to_json,
    read_state,
    read_together,
    require_kind,
    require_own_model,
    write_state,
)
from .histories import History

FITTED = (
    "horizon_",
    "seasons_",
    "shares_",
    "error_",
    "naive_error_",
    "origins_",
    "n_targets_",
    "effects_",
    "reason_",
)
Own = TypeVar("Own", bound="SavedForecaster")
_EXTRACTOR = "preprocessor_config.json"


class SavedForecaster(BaseEstimator):
    """Saving and loading of a fitted forecaster."""

    model_: ChainHeadForTimeSeriesPrediction
    n_targets_: int
    schema_: Schema | None
    update_bands: bool
    _band: BandState
    _history: History | None
    _given: tuple[Any, Any] | None
    _offset: int

    @property
    def record_(self) -> ErrorRecord:
        """The errors that the quantiles come from."""
        self._require_fitted()
        return self._band.record

    def to_transformers(self) -> tuple[ChainHeadForTimeSeriesPrediction, ChainHeadFeatureExtractor | None]:
        """Return the fitted model, and a feature extractor with the names of its columns, as pipelines take them.

        Returns
        -------
        model : ChainHeadForTimeSeriesPrediction
            The forecaster's own model, not a copy.
        feature_extractor : ChainHeadFeatureExtractor, optional
            None if the training data had no names.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        self._require_fitted()
        if self.schema_ is None:
            return self.model_, None
        size = self.n_targets_ + self.model_.config.num_time_features
        return self.model_, ChainHeadFeatureExtractor(size, do_normalize=False, schema=self.schema_.to_dict())

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Save model, names of columns, parameters and errors, whole or not at all; the series are not saved.

        No pickle is written.

        The folder loads with `from_pretrained` of this class, with
        ``AutoModelForTimeSeriesPrediction.from_pretrained`` and with ``pipeline("time-series-forecasting")``. All three
        forecast the same numbers.

        Parameters
        ----------
        folder : str or path
            Made if missing.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError
            If JSON cannot hold a parameter.
        """
        model, names = self.to_transformers()
        state = self._state()
        band = replace(self._band, follows=self.update_bands)

        def save(new: Path) -> None:
            model.save_pretrained(new, max_shard_size=ONE_FILE)
            if names is not None:
                names.save_pretrained(new)
            band.save(new / ERRORS_FILE, model)
            write_state(new, state)

        save_together(folder, save, gone=[_EXTRACTOR] if names is None else [])

    def push_to_hub(self, repo_id: str, **options: Any) -> Any:
        """Push everything that `save_pretrained` writes, with a model card, in one commit.

        Parameters
        ----------
        repo_id : str
            The repository on the Hub, such as ``"owner/name"``.
        **options
            The options of the model's own `push_to_hub`, such as "private" and "token".

        Returns
        -------
        huggingface_hub.CommitInfo
        """
        self._require_fitted()
        return push(self.model_, self.save_pretrained, repo_id, **options)

    @classmethod
    def from_pretrained(cls: type[Own], name: str | os.PathLike[str], **hub: Any) -> Own:
        """Load what `save_pretrained` or `push_to_hub` saved; `predict` then needs the past as `y`.

        Parameters
        ----------
        name : str or path
            A folder, or a repository on the Hub as ``"owner/name"``.
        **hub
            The options of ``AutoModelForTimeSeriesPrediction.from_pretrained``, such as "revision" and "token".

        Raises
        ------
        OSError
            If there is no such model, or its weights are not in safetensors files.
        ValueError
            If the files are damaged, or were not saved by a forecaster.
        """
        return read_together(name, lambda: cls._load(name, **hub), **hub)

    @classmethod
    def _load(cls: type[Own], name: str | os.PathLike[str], **hub: Any) -> Own:
        state = read_state(name, cls.__name__, **hub)
        if not state:
            raise ValueError(
                f"{name} was not saved by {cls.__name__}: load it with AutoModelForTimeSeriesPrediction"
            )
        require_own_model(name, state, **hub)
        require_kind(name, [ChainHeadConfig.model_type], cls.__name__, **hub)
        require_fitted_values(state, (*FITTED, "until", "memory"))
        file = find_file(name, ERRORS_FILE, **hub)
        if file is None:
            raise OSError(f"{name} has no {ERRORS_FILE}, with the errors that quantiles come from")
        try:
            found = cls(**params_from_json(state["params"]))
            for fitted in FITTED:
                setattr(found, fitted, state[fitted])
            schema = None if state.get("schema") is None else Schema.from_dict(state["schema"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the state in {name} is not that of {cls.__name__}: {error}") from error
        band = read_band(file, state)
        assert band is not None
        found._band = band
        found.schema_ = schema
        found.model_ = AutoModelForTimeSeriesPrediction.from_pretrained(
            name, use_safetensors=True, **hub
        ).eval()
        if not isinstance(found.model_, ChainHeadForTimeSeriesPrediction):
            raise ValueError(
                f"{name} holds a {type(found.model_).__name__}, which is no model of {cls.__name__}"
            )
        found._history = found._given = None
        found._offset = 0
        return found

    def _state(self) -> dict[str, Any]:
        return {
            "estimator": type(self).__name__,
            "params": params_to_json(self.get_params(deep=False)),
            **{name: getattr(self, name) for name in FITTED},
            "schema": None if self.schema_ is None else self.schema_.to_dict(),
        }

    def _require_fitted(self) -> None:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "model_")


__all__ = ["SavedForecaster"]
