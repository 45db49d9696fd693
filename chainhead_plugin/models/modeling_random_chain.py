"""Random chain heads as a transformers model: fixed features, and a linear map that is trained in closed form."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization as init
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from ..chain.backend import refuse_tracing
from ..chain.masking import needed_mask
from ..config.call_keywords import check_call
from ..config.configuration_random_chain import RandomChainConfig
from ..head.weights import weights_dtype
from ..hub.sharing import SharedModel
from ..random_features.features import RandomChainFeatures
from ..random_features.plan import FeaturePlan
from ..random_features.workers import one_torch_thread
from ..storage.checked_loading import CheckedLoadMixin, DiskOffloadMixin

# Rows of features that are multiplied in float64 at a time.
_ROWS = 32


def feature_plan(config: RandomChainConfig) -> FeaturePlan:
    """Return a configuration's options of the features."""
    return FeaturePlan(
        config.m,
        tuple(config.dilations),
        config.causal,
        config.with_differences,
        config.num_biases,
        config.num_groups,
        config.group_size,
        config.num_levels,
    )


class RandomChainPreTrainedModel(CheckedLoadMixin, DiskOffloadMixin, SharedModel):
    """A model of random chain heads: loading, pushing and first weights."""

    config: RandomChainConfig
    config_class = RandomChainConfig
    base_model_prefix = "random_chain"
    main_input_name = "input_features"
    input_modalities = ("time",)
    _no_split_modules: ClassVar[list[str]] = ["RandomChainFeatures"]

    def _initialize_weights(self, module: nn.Module, *_: Any) -> None:
        # transformers would pass over a module without parameters of its own.
        super()._initialize_weights(module)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, RandomChainFeatures):
            for name, value in module.initial_values(self.config.seed).items():
                init.copy_(getattr(module, name), torch.from_numpy(value))


class RandomChainForSequenceClassification(RandomChainPreTrainedModel):
    """Sequence classification or regression by random chain heads.

    Only `classifier` is trained, in closed form by `fit_random_chain`. Everything before it is drawn and measured
    once. `config.problem_type` chooses the loss, as everywhere in transformers.
    """

    accepts_loss_kwargs = False

    def __init__(self, config: RandomChainConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.random_chain = RandomChainFeatures(feature_plan(config), config.reference_length)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_features: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify sequences.

        Parameters
        ----------
        input_features : Tensor [batch, length, m]
            The nodes, of any floating-point dtype. The first layers compute in float32, whatever the model's dtype.
        attention_mask : Tensor [batch, length], optional
            1 for real nodes, 0 for the padding before or after them.
        labels : Tensor [batch] of int, or [batch, num_labels] of float, optional
            Classes, multi-label indicators or regression targets.

        Returns
        -------
        SequenceClassifierOutput
            `logits` [batch, num_labels]; `loss` if `labels` are given. The logits of a chain with a node that is not
            finite are NaN.
        """
        refuse_tracing()
        check_call(self, kwargs)
        if input_features.ndim != 3 or input_features.size(2) != self.config.m:
            raise ValueError(
                f"input_features has shape {tuple(input_features.shape)}, expected [batch, length, {self.config.m}]"
            )
        checked = needed_mask(attention_mask, input_features.size(0), input_features.size(1))
        features = self.random_chain(input_features, None if checked is None else checked.real)
        logits = self.classifier(features.to(weights_dtype(self.classifier)))
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config, **kwargs)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    @torch.no_grad()
    def exact_logits(self, input_features: Tensor, real: Tensor | None = None) -> Tensor:
        """Return logits whose last digits do not depend on the other sequences of a batch.

        In float32, a sum over thousands of features would.

        Parameters
        ----------
        input_features : Tensor [batch, length, m]
        real : bool Tensor [batch, length], optional
            True for real nodes, which lie side by side.

        Returns
        -------
        float64 Tensor [batch, num_labels]
        """
        pooled = self.random_chain.pooled(input_features, real)
        weight, bias = self.classifier.weight.double(), self.classifier.bias.double()

        with one_torch_thread():
            # A few rows at a time, as all features in float64 would leave the CPU's cache.
            scores = [
                functional.linear(self.random_chain.standardised(rows).double(), weight, bias)
                for rows in torch.split(pooled, _ROWS)
            ]
        return torch.cat(scores)


__all__ = ["RandomChainForSequenceClassification", "RandomChainPreTrainedModel", "feature_plan"]
