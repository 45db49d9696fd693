"""The chainhead models: chain interdependence heads as transformers models."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput, TokenClassifierOutput
from transformers.modeling_utils import PreTrainedModel
from transformers.utils import TransformersKwargs
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .configuration_chainhead import ChainHeadConfig
from .expansion import taylor_expansion
from .head import ChainInterdependenceHead
from .masking import check_mask
from .pooling import pool
from .reconciled_linear import ReconciledLinear

# Arguments that every model of transformers may be called with, whether they concern it or not.
_COMMON_ARGUMENTS = {*TransformersKwargs.__annotations__, "use_cache", "return_loss"}


class ChainHeadLayer(GradientCheckpointingLayer):
    """A chain head, in a stack after a per-node perceptron."""

    def __init__(self, config: ChainHeadConfig, layer: int) -> None:
        super().__init__()
        perceptron, head = config.layer_options(layer)
        self.perceptron = None if perceptron is None else ReconciledLinear(**perceptron)
        # Without a device of its own the head is built where transformers builds the model: on "meta".
        self.head = ChainInterdependenceHead(**head, name=config.name, device=None)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Map [batch, length, m] to [batch, length, n]."""
        if self.perceptron is not None:
            hidden_states = F.relu(self.perceptron(hidden_states))
        output: Tensor = self.head(hidden_states, attention_mask)
        return output


class ChainHeadPreTrainedModel(PreTrainedModel):
    """What all chainhead models share."""

    config: ChainHeadConfig
    config_class = ChainHeadConfig
    base_model_prefix = "chainhead"
    main_input_name = "input_features"
    input_modalities = ("time",)
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["ChainHeadLayer"]
    _can_compile_fullgraph = True
    _can_record_outputs: ClassVar[dict[str, Any]] = {"hidden_states": ChainHeadLayer}

    def _initialize_weights(self, module: nn.Module, *_: Any) -> None:
        # transformers would pass over out-of-tree modules without parameters of their own, as it cannot know
        # that `reset_parameters` spares what a checkpoint has filled.
        super()._initialize_weights(module)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        # Called for the parts first: what the line above did to their linear maps is done properly here.
        if isinstance(module, ReconciledLinear):
            module.reset_parameters()


class ChainHeadModel(ChainHeadPreTrainedModel):
    """The bare model: node features in, node features out."""

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(ChainHeadLayer(config, i) for i in range(config.num_hidden_layers))
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_features: Tensor,
        attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutput:
        """Run the layers.

        Parameters
        ----------
        input_features : Tensor [batch, length, m]
            Of any floating-point dtype: cast to the model's.
        attention_mask : Tensor [batch, length], optional
            1 for real nodes, 0 for the padding before or after them.

        Returns
        -------
        BaseModelOutput
            `last_hidden_state` [batch, length, n], zero at padded nodes; `hidden_states` if asked for.
        """
        unknown = [key for key, value in kwargs.items() if value is not None and key not in _COMMON_ARGUMENTS]
        if unknown:
            raise TypeError(f"{type(self).__name__} takes no argument {', '.join(map(repr, unknown))}")
        if input_features.ndim != 3 or input_features.size(2) != self.config.m:
            raise ValueError(
                f"input_features has shape {tuple(input_features.shape)}, expected [batch, length, {self.config.m}]"
            )
        hidden_states = input_features.to(self.dtype)
        if attention_mask is not None:
            mask = check_mask(attention_mask, input_features.size(0), input_features.size(1))
            hidden_states = torch.where(mask.unsqueeze(-1), hidden_states, 0)
        checkpointed = (
            self.training and self.layers[0].gradient_checkpointing and not torch.compiler.is_compiling()
        )
        if checkpointed and torch.is_grad_enabled() and not hidden_states.requires_grad:
            # Re-entrant checkpoints give gradients to their weights only if an input asks for some.
            hidden_states = hidden_states.detach().requires_grad_()
        for layer in self.layers:
            hidden_states = layer(hidden_states, attention_mask)
        return BaseModelOutput(last_hidden_state=hidden_states)


class ChainHeadForSequenceClassification(ChainHeadPreTrainedModel):
    """Sequence classification or regression: pooled nodes, then a linear map.

    `config.problem_type` chooses the loss, as everywhere in transformers: "single_label_classification",
    "multi_label_classification" or "regression".
    """

    # Mean squared error and binary cross-entropy know nothing of the number of items in all accumulated batches:
    # Trainer divides by the number of batches itself.
    accepts_loss_kwargs = False

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.chainhead = ChainHeadModel(config)
        self.classifier = nn.Linear(config.pooled_size, config.num_labels)
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
        attention_mask : Tensor [batch, length], optional
        labels : Tensor [batch] of int, or [batch, num_labels] of float, optional
            Classes, multi-label indicators or regression targets.

        Returns
        -------
        SequenceClassifierOutput
            `logits` [batch, num_labels]; `loss` if `labels` are given; `hidden_states` if asked for.
        """
        outputs: BaseModelOutput = self.chainhead(input_features, attention_mask=attention_mask, **kwargs)
        nodes = outputs.last_hidden_state
        mask = None if attention_mask is None else attention_mask != 0
        pooled = pool(nodes, mask, self.config.pooling, self.config.chain_length)
        logits = self.classifier(taylor_expansion(pooled, self.config.perceptron_degree))
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config, **kwargs)
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


class ChainHeadForTokenClassification(ChainHeadPreTrainedModel):
    """Classification of every node."""

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.chainhead = ChainHeadModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_features: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Classify nodes.

        Parameters
        ----------
        input_features : Tensor [batch, length, m]
        attention_mask : Tensor [batch, length], optional
        labels : int Tensor [batch, length], optional
            -100 for nodes that do not count, padding among them.

        Returns
        -------
        TokenClassifierOutput
            `logits` [batch, length, num_labels]; `loss` if `labels` are given; `hidden_states` if asked for.
        """
        outputs: BaseModelOutput = self.chainhead(input_features, attention_mask=attention_mask, **kwargs)
        logits = self.classifier(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, config=self.config, **kwargs)
        return TokenClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


__all__ = [
    "ChainHeadForSequenceClassification",
    "ChainHeadForTokenClassification",
    "ChainHeadModel",
    "ChainHeadPreTrainedModel",
]
