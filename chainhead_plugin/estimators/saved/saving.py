"""Saving and loading of estimators that hold a model and its feature extractor: folders, the Hub, and pickles."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.torch import load as load_tensors, save as save_tensors

from ...hub.pushing import push
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...storage.saving import save_together
from ...tables.schema import Schema
from ..requirement import BaseEstimator
from .fitted import require_fitted_values
from .state import (
    ONE_FILE,
    params_from_json,
    params_to_json,
    read_state,
    read_together,
    require_kind,
    require_own_model,
    write_state,
)


class SavedEstimator(BaseEstimator):
    """Saving and loading of a fitted estimator. Subclasses say which models they hold."""

    # The class of transformers that loads the models, the models by their type, and the attributes that go into JSON.
    _auto_class: ClassVar[Any]
    _kinds: ClassVar[Mapping[str, tuple[Any, Any]]]
    _fitted: ClassVar[tuple[str, ...]]

    model_: Any
    feature_extractor_: ChainHeadFeatureExtractor

    def to_transformers(self) -> tuple[Any, ChainHeadFeatureExtractor]:
        """Return the fitted model and its feature extractor, as pipelines take them.

        Returns
        -------
        model : PreTrainedModel
            In eval mode; the estimator's own model, not a copy.
        feature_extractor : ChainHeadFeatureExtractor

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        self._require_fitted()
        return self.model_, self.feature_extractor_

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Save model, feature extractor and the estimator's own state, whole or not at all. No pickle is written.

        The folder loads with `from_pretrained` of this class, with the Auto class of transformers for the task, and
        with `pipeline`.

        Parameters
        ----------
        folder : str or path
            Made if missing. Other files in it stay.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError
            If JSON cannot hold a parameter or a label. Nothing is written then.
        """
        self._require_fitted()
        state = self._state()

        def save(new: Path) -> None:
            self.model_.save_pretrained(new, max_shard_size=ONE_FILE)
            self.feature_extractor_.save_pretrained(new)
            write_state(new, state)

        save_together(folder, save)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str], **hub: Any) -> Any:
        """Load an estimator that `save_pretrained` or `push_to_hub` saved, ready to predict.

        Parameters
        ----------
        name : str or path
            A folder, or a repository on the Hub as ``"owner/name"``. A model for the same task with its feature
            extractor is enough: the classes are then the model's label names.
        **hub
            The options of `from_pretrained` of transformers, such as "revision" and "token".

        Raises
        ------
        OSError
            If there is no such model, or its weights are not in safetensors files.
        ValueError
            If the files are damaged, were saved by another estimator, or hold no model for sequences of numbers.
        """
        return read_together(name, lambda: cls._load(name, **hub), **hub)

    @classmethod
    def _load(cls, name: str | os.PathLike[str], **hub: Any) -> Any:
        state = read_state(name, cls.__name__, **hub)
        require_own_model(name, state, **hub)
        require_fitted_values(state, cls._fitted)
        require_kind(name, cls._kinds, cls.__name__, **hub)
        try:
            found = cls(**params_from_json(state.get("params", {})))
        except TypeError as error:
            raise ValueError(
                f"the parameters that {name} holds are not those of {cls.__name__}: {error}"
            ) from error
        found.feature_extractor_ = ChainHeadFeatureExtractor.from_pretrained(name, **hub)
        found.model_ = cls._auto_class.from_pretrained(name, use_safetensors=True, **hub).eval()
        if not isinstance(found.model_, tuple(model for _, model in cls._kinds.values())):
            raise ValueError(
                f"{name} holds a {type(found.model_).__name__}, which is no model of {cls.__name__}"
            )
        found.n_channels_in_ = found.feature_extractor_.feature_size
        for fitted in cls._fitted:
            if fitted in state:
                setattr(found, fitted, state[fitted])
        nodes = (found.feature_extractor_.schema or {}).get("nodes")
        if (
            nodes and "n_features_in_" in state
        ):  # The estimator was fitted to a DataFrame, not to series from a file.
            found.feature_names_in_ = np.array(nodes, dtype=object)
        found._take_state(state)
        return found

    def push_to_hub(self, repo_id: str, **options: Any) -> Any:
        """Push everything that `save_pretrained` writes, with a model card, in one commit.

        Parameters
        ----------
        repo_id : str
            The repository on the Hub, such as ``"owner/name"``.
        **options
            The options of the model's `push_to_hub`, such as "private", "token", "revision" and "license".

        Returns
        -------
        huggingface_hub.CommitInfo
        """
        self._require_fitted()
        self._state()
        return push(self.model_, self.save_pretrained, repo_id, **options)

    def _require_fitted(self) -> None:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "model_")

    def _state(self) -> dict[str, Any]:
        fitted = {name: getattr(self, name) for name in self._fitted if hasattr(self, name)}
        return {
            "estimator": type(self).__name__,
            "params": params_to_json(self.get_params(deep=False)),
            **fitted,
        }

    def _take_state(self, state: dict[str, Any]) -> None:
        """Restore the entries that a subclass added to the state."""

    def _named(self, extractor: ChainHeadFeatureExtractor) -> ChainHeadFeatureExtractor:
        """Return a feature extractor that knows the column names of the training data, if there were any."""
        names = getattr(self, "channel_names_in_", None)
        nodes = getattr(self, "feature_names_in_", None)
        if names is not None:
            schema = Schema(features=tuple(names))
        elif nodes is not None:
            schema = Schema(features=(), rows="series", nodes=tuple(map(str, nodes)))
        else:
            return extractor
        saved = extractor.to_dict()
        options = {name: value for name, value in saved.items() if name != "feature_extractor_type"}
        return ChainHeadFeatureExtractor(**{**options, "schema": schema.to_dict()})

    def __getstate__(self) -> dict[str, Any]:
        # Only weights and configuration: a pickle that names no class of the model can be read by later versions.
        state = dict(super().__getstate__())
        if "model_" in state:
            model = state.pop("model_")
            state["model_config"] = model.config.to_dict()
            state["model_weights"] = save_tensors(
                {k: v.contiguous().cpu() for k, v in model.state_dict().items()}
            )
            state["feature_extractor_"] = state["feature_extractor_"].to_dict()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        weights = state.pop("model_weights", None)
        config = state.pop("model_config", None)
        super().__setstate__(state)
        if weights is not None:
            config_class, model_class = self._kinds[config["model_type"]]
            self.model_ = model_class(config_class.from_dict(config)).eval()
            self.model_.load_state_dict(load_tensors(weights))
            fields = {k: v for k, v in state["feature_extractor_"].items() if k != "feature_extractor_type"}
            self.feature_extractor_ = ChainHeadFeatureExtractor(**fields)


__all__ = ["SavedEstimator"]
