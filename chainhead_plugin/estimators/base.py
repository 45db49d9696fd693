"""The base class of the classifier and the regressor: training, the model's outputs, and files."""

import os
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors, save as save_tensors
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSequenceClassification

from ..config.configuration_chainhead import ChainHeadConfig
from ..config.configuration_random_chain import RandomChainConfig
from ..hub.pushing import push
from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..inputs.standardising import as_exact_as_needed, standardise, statistics_of
from ..models.modeling_chainhead import ChainHeadForSequenceClassification
from ..models.modeling_random_chain import RandomChainForSequenceClassification
from ..models.random_chain_fit import RandomChainFit, fit_random_chain
from ..tables.schema import Schema
from .files import params_from_json, params_to_json, read_state, write_state
from .panels import Panel, read_panel
from .parameters import RandomChainParameters
from .streaming import StreamsMixin
from .threads import threads_of

_FITTED = (
    "left_out_score_",
    "choices_",
    "chosen_",
    "reason_",
    "n_channels_in_",
    "n_features_in_",
    "channel_names_in_",
)

# The models that an estimator may hold.
Model = RandomChainForSequenceClassification | ChainHeadForSequenceClassification
_KINDS: dict[str, tuple[Any, Any]] = {
    RandomChainConfig.model_type: (RandomChainConfig, RandomChainForSequenceClassification),
    ChainHeadConfig.model_type: (ChainHeadConfig, ChainHeadForSequenceClassification),
}
# Nodes are standardised in float64 where float32 would round values by more than this share of their usual change
# from node to node.
_BLUR = 1e-2
HEADS, STACK = "random chain heads", "a trained stack"


class ChainHeadEstimator(StreamsMixin, RandomChainParameters):
    """Base class of `ChainHeadClassifier` and `ChainHeadRegressor`."""

    _parameters: ClassVar[tuple[str, ...]] = (
        "dilations",
        "with_differences",
        "num_biases",
        "num_groups",
        "group_size",
        "num_levels",
    )

    model_: Model
    feature_extractor_: ChainHeadFeatureExtractor

    def to_transformers(self) -> tuple[Model, ChainHeadFeatureExtractor]:
        """Return the fitted model and its feature extractor, as pipelines take them.

        Returns
        -------
        model : RandomChainForSequenceClassification or ChainHeadForSequenceClassification
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
        """Save model, feature extractor and the estimator's own state. No pickle is written.

        The folder loads with `from_pretrained` of this class, with
        ``AutoModelForSequenceClassification.from_pretrained`` and with ``pipeline("time-series-classification")``.

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
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.model_.save_pretrained(folder)
        self.feature_extractor_.save_pretrained(folder)
        write_state(folder, state)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str], **hub: Any) -> "ChainHeadEstimator":
        """Load an estimator that `save_pretrained` or `push_to_hub` saved, ready to predict.

        Parameters
        ----------
        name : str or path
            A folder, or a repository on the Hub as ``"owner/name"``. A model for sequence classification with its
            feature extractor is enough: the classes are then the model's label names.
        **hub
            The options of ``AutoModelForSequenceClassification.from_pretrained``, such as "revision" and "token".

        Raises
        ------
        OSError
            If there is no such model, or its weights are not in safetensors files.
        ValueError
            If the files are damaged, were saved by another estimator, or hold no model for sequences of numbers.
        """
        state = read_state(name, cls.__name__, **hub)
        try:
            found = cls(**params_from_json(state.get("params", {})))
        except TypeError as error:
            raise ValueError(
                f"the parameters that {name} holds are not those of {cls.__name__}: {error}"
            ) from error
        found.feature_extractor_ = ChainHeadFeatureExtractor.from_pretrained(name, **hub)
        found.model_ = AutoModelForSequenceClassification.from_pretrained(
            name, use_safetensors=True, **hub
        ).eval()
        found.n_channels_in_ = found.feature_extractor_.feature_size
        for fitted in _FITTED:
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
            The options of `RandomChainForSequenceClassification.push_to_hub`, such as "private", "token", "revision"
            and "license".

        Returns
        -------
        huggingface_hub.CommitInfo
        """
        self._require_fitted()
        self._state()
        return push(self.model_, self.save_pretrained, repo_id, **options)

    def _read(self, X: Any, y: Any) -> Panel:
        """Return the series that `fit` was given, after checking that there are labels or values."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        return read_panel(self, X, reset=True)

    def _fit(self, panel: Panel, labels: NDArray[Any], **options: Any) -> RandomChainFit:
        """Train random chain heads, and set the fitted attributes."""
        from sklearn.utils import check_random_state, check_scalar

        self._seed = self.random_state
        if not isinstance(self._seed, int):
            self._seed = int(check_random_state(self._seed).randint(2**31 - 1))
        check_scalar(self.batch_size, "batch_size", Integral, min_val=1)
        extractor = _extractor(panel)
        series = panel.series
        if extractor.mean is not None and extractor.std is not None:
            series = [standardise(one, extractor.mean, extractor.std) for one in series]
        try:
            with threads_of(self.n_jobs):
                fit = fit_random_chain(
                    series,
                    labels,
                    causal=self.causal,
                    seed=self._seed,
                    device=self.device,
                    batch_size=self.batch_size,
                    **{name: getattr(self, name) for name in self._parameters},
                    **options,
                )
        except StrictDataclassError as error:
            # Users of scikit-learn expect a ValueError for a bad parameter; the configuration raises its own type.
            raise ValueError(str(error.__cause__ or error)) from error
        self.model_ = fit.model
        self.feature_extractor_ = self._named(extractor)
        self.left_out_score_ = fit.score
        self.choices_ = fit.choices
        self.chosen_ = HEADS
        self.reason_ = "random chain heads take little time; with seconds, a trained stack is tried as well"
        return fit

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

    def _logits(self, X: Any) -> NDArray[np.float64]:
        """Return the model's outputs for every series: float64 [series, num_labels]."""
        self._require_fitted()
        series = read_panel(self, X, reset=False).series
        logits = np.empty((len(series), self.model_.config.num_labels))
        with threads_of(self.n_jobs), torch.inference_mode():
            for rows in _batches(series, self.batch_size):
                batch = self.feature_extractor_(
                    [series[row] for row in rows], return_tensors="pt", batched=True
                )
                logits[rows] = self._logits_of(batch["input_features"], batch["attention_mask"])
        return logits

    def _logits_of(self, nodes: Tensor, mask: Tensor) -> NDArray[np.float64]:
        device = self.model_.device
        if not isinstance(self.model_, RandomChainForSequenceClassification):
            outputs = self.model_(input_features=nodes.to(device), attention_mask=mask.to(device))
            stack_logits: NDArray[np.float64] = outputs.logits.double().cpu().numpy()
            return stack_logits
        features = self.model_.random_chain(nodes.to(device), None if mask.all() else mask.to(device))
        # In float32, the sum over thousands of features would depend on how many series are in the batch.
        weight, bias = (parameter.double() for parameter in self.model_.classifier.parameters())
        return functional.linear(features.double(), weight, bias).cpu().numpy()

    def _require_fitted(self) -> None:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "model_")

    def _require_problem_type(self, *known: str | None) -> None:
        found = self.model_.config.problem_type
        if found not in known:
            raise ValueError(f"the model is for {found}, which is no task of {type(self).__name__}")

    def _state(self) -> dict[str, Any]:
        fitted = {name: getattr(self, name) for name in _FITTED if hasattr(self, name)}
        return {
            "estimator": type(self).__name__,
            "params": params_to_json(self.get_params(deep=False)),
            **fitted,
        }

    def _take_state(self, state: dict[str, Any]) -> None:
        """Restore the entries that a subclass added to the state."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

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
            config_class, model_class = _KINDS[config["model_type"]]
            self.model_ = model_class(config_class.from_dict(config)).eval()
            self.model_.load_state_dict(load_tensors(weights))
            fields = {k: v for k, v in state["feature_extractor_"].items() if k != "feature_extractor_type"}
            self.feature_extractor_ = ChainHeadFeatureExtractor(**fields)


def _extractor(panel: Panel) -> ChainHeadFeatureExtractor:
    """Return the feature extractor for the model: it standardises nodes only where float32 would blur their changes."""
    if all(as_exact_as_needed(one, _BLUR).dtype == np.float32 for one in panel.series):
        return ChainHeadFeatureExtractor(feature_size=panel.channels)
    mean, std = statistics_of(np.concatenate(panel.series))
    return ChainHeadFeatureExtractor(panel.channels, mean=mean.tolist(), std=std.tolist())


def _batches(series: Sequence[NDArray[Any]], size: int) -> list[NDArray[np.intp]]:
    """Return the indices of series in batches. Series of similar length come together, which saves padding."""
    order = np.argsort([len(one) for one in series], kind="stable")
    return [order[start : start + size] for start in range(0, len(order), size)]
