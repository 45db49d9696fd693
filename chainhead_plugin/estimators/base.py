"""The base class of the classifier and the regressor: training, and the model's outputs."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from ..chain.threads import num_threads
from ..config.configuration_chainhead import ChainHeadConfig
from ..config.configuration_random_chain import RandomChainConfig
from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..inputs.standardising import as_exact_as_needed, standardise, statistics_of
from ..models.modeling_chainhead import ChainHeadForSequenceClassification
from ..models.modeling_random_chain import RandomChainForSequenceClassification
from ..models.random_chain_fit import RandomChainFit, fit_random_chain
from .jobs import threads_of
from .panels import Panel, fill_panel, read_panel
from .parameters import RandomChainParameters, plain
from .saved.saving import SavedEstimator
from .streaming import StreamsMixin
from .weights import read_weights

# The models that an estimator may hold.
Model = RandomChainForSequenceClassification | ChainHeadForSequenceClassification
# Nodes are standardised in float64 where float32 would round values by more than this share of their usual change
# from node to node.
_BLUR = 1e-2
HEADS, STACK = "random chain heads", "a trained stack"


class ChainHeadEstimator(StreamsMixin, SavedEstimator, RandomChainParameters):
    """Base class of `ChainHeadClassifier` and `ChainHeadRegressor`."""

    _auto_class = AutoModelForSequenceClassification
    _kinds: ClassVar[Mapping[str, tuple[Any, Any]]] = {
        RandomChainConfig.model_type: (RandomChainConfig, RandomChainForSequenceClassification),
        ChainHeadConfig.model_type: (ChainHeadConfig, ChainHeadForSequenceClassification),
    }
    _fitted = (
        "left_out_score_",
        "choices_",
        "chosen_",
        "reason_",
        "n_channels_in_",
        "n_features_in_",
        "channel_names_in_",
    )
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

    def _read(self, X: Any, y: Any) -> Panel:
        """Return the series that `fit` was given, after checking that there are labels or values."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        return fill_panel(read_panel(self, X, reset=True))

    def _weighted(
        self, panel: Panel, labels: NDArray[Any], sample_weight: Any
    ) -> tuple[Panel, NDArray[Any], NDArray[np.float64] | None]:
        """Return series, labels and weights without the series whose weight is 0; weights are None if all count alike.

        Raises
        ------
        ValueError
            If weights are negative or not finite, are not as many as series, or leave fewer than two series.
        """
        if sample_weight is None:
            return panel, labels, None
        weights = read_weights(panel.series, sample_weight, 2)
        kept = np.flatnonzero(weights > 0)
        return Panel([panel.series[row] for row in kept]), labels[kept], weights[kept]

    def _fit(self, panel: Panel, labels: NDArray[Any], **options: Any) -> RandomChainFit:
        """Train random chain heads, and set the fitted attributes."""
        from sklearn.utils import check_random_state, check_scalar

        self._seed = plain(self.random_state)
        if not isinstance(self._seed, int):
            self._seed = int(check_random_state(self._seed).randint(2**31 - 1))
        check_scalar(self.batch_size, "batch_size", Integral, min_val=1)
        extractor = _extractor(panel)
        series = panel.series
        if extractor.do_normalize and extractor.mean is not None and extractor.std is not None:
            series = [standardise(one, extractor.mean, extractor.std) for one in series]
        try:
            with num_threads(threads_of(self.n_jobs)):
                fit = fit_random_chain(
                    series,
                    labels,
                    causal=plain(self.causal),
                    seed=self._seed,
                    device=self.device,
                    batch_size=self.batch_size,
                    **{name: plain(getattr(self, name)) for name in self._parameters},
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
        self.reason_ = (
            "random chain heads take little time; with seconds=… (on the command line --minutes), a trained stack is "
            "tried as well"
        )
        return fit

    def _logits(self, X: Any) -> NDArray[np.float64]:
        """Return the model's outputs for every series: float64 [series, num_labels]."""
        self._require_fitted()
        series = read_panel(self, X, reset=False).series
        logits = np.empty((len(series), self.model_.config.num_labels))
        with num_threads(threads_of(self.n_jobs)), torch.inference_mode():
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
        logits = self.model_.exact_logits(nodes.to(device), None if mask.all() else mask.to(device))
        exact: NDArray[np.float64] = logits.cpu().numpy()
        return exact

    def _require_problem_type(self, *known: str | None) -> None:
        found = self.model_.config.problem_type
        if found not in known:
            raise ValueError(f"the model is for {found}, which is no task of {type(self).__name__}")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.non_deterministic = False
        return tags


def _extractor(panel: Panel) -> ChainHeadFeatureExtractor:
    """Return the feature extractor for the model: it standardises nodes only where float32 would blur their changes.

    If there are several channels it also knows their means, for series in which a channel has no value at all.
    """
    is_exact = all(as_exact_as_needed(one, _BLUR).dtype == np.float32 for one in panel.series)
    if is_exact and panel.channels == 1:
        return ChainHeadFeatureExtractor(1, interpolate_missing=True)
    mean, std = statistics_of(np.concatenate(panel.series))
    return ChainHeadFeatureExtractor(
        panel.channels,
        do_normalize=not is_exact,
        mean=mean.tolist(),
        std=std.tolist(),
        interpolate_missing=True,
    )


def _batches(series: Sequence[NDArray[Any]], size: int) -> list[NDArray[np.intp]]:
    """Return the indices of series in batches. Series of similar length come together, which saves padding."""
    order = np.argsort([len(one) for one in series], kind="stable")
    return [order[start : start + size] for start in range(0, len(order), size)]
