"""The chainhead models: chain interdependence heads as transformers models."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput, TokenClassifierOutput
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from ..chain.backend import refuse_tracing
from ..chain.masking import needed_mask, zero_padding
from ..config.call_keywords import check_call
from ..config.configuration_chainhead import ChainHeadConfig
from ..head.expansion import taylor_expansion
from ..head.tensors import require_tensors
from ..head.weights import weights_dtype
from ..nodes.encoders.building import build_encoder
from ..nodes.encoders.encode import encode_values
from ..nodes.frozen import BackboneOwner
from ..nodes.text_backbone import build_backbone, encode_tokens
from ..nodes.token_embedding import TokenEmbedding
from .encoders.outputs import EncodedChainOutput, EncodedTokenClassifierOutput, real_nodes
from .layers import ChainHeadLayer
from .pooling import pool
from .pretrained import ChainHeadPreTrainedModel, input_of_backbone


class ChainHeadModel(BackboneOwner, ChainHeadPreTrainedModel):
    """The bare model: node features, tokens, recordings or series in, node features out.

    A backbone of texts, audio or series is part of it; a backbone of images belongs to the model of its task.
    """

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__(config)
        self.embed_tokens = None
        if config.vocab_size is not None:
            assert config.m is not None
            self.embed_tokens = TokenEmbedding(config.vocab_size, config.m, config.pad_token_id)
        taken = input_of_backbone(config)
        self.has_text_backbone = taken == "input_ids"
        self.backbone = None
        if taken is not None:
            build = build_backbone if self.has_text_backbone else build_encoder
            self.backbone = build(config.backbone_config)
        self.freeze_backbone()
        self.layers = nn.ModuleList(ChainHeadLayer(config, i) for i in range(config.num_hidden_layers))
        self.reaches_other_nodes = (
            None if self.backbone is None else "has an encoder, which takes whole texts or series"
        )
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutput:
        """Run the layers, on either `input_features` or `input_ids`.

        Parameters
        ----------
        input_features : Tensor [batch, length, m], optional
            The nodes, of any floating-point dtype: cast to the model's. They replace the nodes that the embedding or
            the backbone makes of tokens. With an encoder of audio, series or videos, its inputs:
            waveforms [batch, samples] or [batch, samples, 1], spectra, series [batch, length, channels], or videos
            [batch, frames, channels, height, width].
        attention_mask : Tensor [batch, length], optional
            1 for real nodes, tokens, samples or steps, 0 for the padding before or after them.
        input_ids : int Tensor [batch, length], optional
            Tokens, of a model with `vocab_size` or a text backbone. Of texts without any the length may be 0.
        token_type_ids : int Tensor [batch, length], optional
            Segments, for a backbone that knows them.

        Returns
        -------
        BaseModelOutput
            `last_hidden_state` [batch, length, n], zero at padded nodes; `hidden_states` if asked for. With an encoder
            of audio or series an `EncodedChainOutput`, which says in `node_mask` which nodes are real.
        """
        refuse_tracing()
        require_tensors(
            input_features=input_features,
            attention_mask=attention_mask,
            input_ids=input_ids,
            token_type_ids=token_type_ids,
        )
        check_call(self, kwargs)

        is_text_model = self.main_input_name == "input_ids"
        if is_text_model and input_ids is None and input_features is not None and input_features.ndim == 2:
            # Callers of text models of transformers with a single argument mean the tokens.
            input_features, input_ids = None, input_features
        if (input_features is None) == (input_ids is None):
            raise ValueError("expected exactly one of input_features and input_ids")
        if input_ids is None and token_type_ids is not None:
            raise ValueError("token_type_ids have no effect without input_ids")

        if input_ids is not None:
            _check_tokens(input_ids)
            mask = needed_mask(attention_mask, input_ids.size(0), input_ids.size(1))
            token_mask = None if attention_mask is None else (attention_mask != 0).long()
            nodes = self._check_nodes(self._embed(input_ids, token_mask, token_type_ids))
        elif self.backbone is not None and not self.has_text_backbone:
            assert input_features is not None
            encoded, real = encode_values(self.backbone, input_features, attention_mask)
            nodes = self._check_nodes(encoded, "the encoder's output")
            mask = needed_mask(real, nodes.size(0), nodes.size(1))
        else:
            nodes = self._check_nodes(input_features)
            mask = needed_mask(attention_mask, nodes.size(0), nodes.size(1))

        # The layers' dtype: a backbone may have another.
        hidden_states = nodes.to(weights_dtype(self.layers))
        if mask is not None:
            hidden_states = zero_padding(hidden_states, mask.real)

        checkpointed = (
            self.training and self.layers[0].gradient_checkpointing and not torch.compiler.is_compiling()
        )
        if checkpointed and torch.is_grad_enabled() and not hidden_states.requires_grad:
            # Re-entrant checkpoints give gradients to their weights only if an input asks for some.
            hidden_states = hidden_states.detach().requires_grad_()

        head: Any = self.layers[0].head
        if input_ids is not None and input_ids.size(1) == 0 and head.sharding is None:
            # Layers take at least one node, but texts may have no token: the padding is zero.
            shape = (*input_ids.shape, self.config.hidden_size)
            return BaseModelOutput(last_hidden_state=hidden_states.new_zeros(shape))
        for layer in self.layers:
            hidden_states = layer(hidden_states, mask)
        if self.backbone is not None and not self.has_text_backbone:
            return EncodedChainOutput(hidden_states, node_mask=None if mask is None else mask.real)
        return BaseModelOutput(last_hidden_state=hidden_states)

    def _check_nodes(self, nodes: Tensor | None, name: str = "input_features") -> Tensor:
        assert nodes is not None
        if nodes.ndim != 3 or nodes.size(2) != self.config.m:
            raise ValueError(
                f"{name} has shape {tuple(nodes.shape)}, expected [batch, length, {self.config.m}]"
            )
        return nodes

    def _embed(
        self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None
    ) -> Tensor:
        """Turn tokens [batch, length] into nodes [batch, length, m]."""
        if self.backbone is not None:
            if input_ids.size(1) == 0:
                assert self.config.m is not None
                return torch.zeros(*input_ids.shape, self.config.m, device=input_ids.device)
            return encode_tokens(self.backbone, input_ids, attention_mask, token_type_ids)
        if self.embed_tokens is None:
            raise ValueError(
                "this model takes input_features: for input_ids set vocab_size or backbone_config in its config"
            )
        if token_type_ids is not None:
            raise ValueError(
                "token_type_ids have no effect on a model with an embedding of its own: make the tokenizer with "
                'model_input_names=["input_ids", "attention_mask"]'
            )
        nodes: Tensor = self.embed_tokens(input_ids)
        return nodes


def _check_tokens(input_ids: Tensor) -> None:
    if input_ids.ndim != 2 or input_ids.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"input_ids is {input_ids.dtype} of shape {tuple(input_ids.shape)}, expected int64 or int32 "
            "[batch, length]"
        )


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
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify sequences.

        Parameters
        ----------
        input_features, attention_mask, input_ids, token_type_ids
            As in `ChainHeadModel`.
        labels : Tensor [batch] of int, or [batch, num_labels] of float, optional
            Classes, multi-label indicators or regression targets.

        Returns
        -------
        SequenceClassifierOutput
            `logits` [batch, num_labels]; `loss` if `labels` are given; `hidden_states` if asked for.
        """
        outputs: BaseModelOutput = self.chainhead(
            input_features, attention_mask, input_ids, token_type_ids, return_dict=True, **kwargs
        )
        mask = real_nodes(outputs, attention_mask)
        pooled = pool(outputs.last_hidden_state, mask, self.config.poolings, self.config.chain_length)
        logits = self.classifier(taylor_expansion(pooled, self.config.perceptron_degree))
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config, **kwargs)
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


class ChainHeadForTokenClassification(ChainHeadPreTrainedModel):
    """Classification of every node."""

    reaches_other_nodes = None

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.chainhead = ChainHeadModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Classify nodes.

        Parameters
        ----------
        input_features, attention_mask, input_ids, token_type_ids
            As in `ChainHeadModel`.
        labels : int Tensor [batch, length], optional
            -100 for nodes that do not count, padding among them.

        Returns
        -------
        TokenClassifierOutput
            `logits` [batch, length, num_labels]; `loss` if `labels` are given; `hidden_states` if asked for.
        """
        outputs: BaseModelOutput = self.chainhead(
            input_features, attention_mask, input_ids, token_type_ids, return_dict=True, **kwargs
        )
        logits = self.classifier(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, config=self.config, **kwargs)
        if isinstance(outputs, EncodedChainOutput):
            return EncodedTokenClassifierOutput(
                loss, logits, outputs.hidden_states, node_mask=outputs.node_mask
            )
        return TokenClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


__all__ = [
    "ChainHeadForSequenceClassification",
    "ChainHeadForTokenClassification",
    "ChainHeadModel",
    "ChainHeadPreTrainedModel",
]
