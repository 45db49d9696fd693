"""Models around common encoders of sequences, with which a recipe's model is compared."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...config.configuration_chainhead import ChainHeadConfig
from ...config.pooling import pooled_width
from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ...models.pooling import pool
from ...models.pretrained import input_of_backbone
from ...nodes.image_backbone import build_image_backbone
from ...nodes.images import chain_of_image
from ..pretrained.nodes import new_encoder, nodes_of_batch
from .encoders import Perceptron


class PooledEncoder(nn.Module):
    """A sequence encoder, dropout, pooling over real nodes as in the compared model, and a linear classifier.

    If nodes have labels, each node is classified without pooling. Chains, images (rows, patches, or a backbone's
    feature map), tokens (an embedding of width m, or a pretrained encoder), and series, sounds and videos of an encoder
    become nodes as in the compared model.

    Parameters
    ----------
    config : ChainHeadConfig
        The configuration of the model to compare with.
    width : int
        Features of an encoded node.
    build : callable
        Returns the encoder for nodes of m features, a module that maps nodes [batch, length, m] and a mask
        [batch, length, 1] to [batch, length, width].
    of_nodes : bool
        Whether every node is classified.
    """

    def __init__(
        self,
        config: ChainHeadConfig,
        width: int,
        build: Callable[[int], nn.Module],
        *,
        of_nodes: bool = False,
    ) -> None:
        super().__init__()
        assert config.m is not None
        self.of_nodes = of_nodes
        self.embedding = (
            None
            if config.vocab_size is None
            else nn.Embedding(config.vocab_size, config.m, padding_idx=config.pad_token_id)
        )
        self.backbone = None
        if input_of_backbone(config) is not None:
            self.backbone = new_encoder(config.backbone_config)
        elif config.backbone_config is not None:
            self.backbone = build_image_backbone(config.backbone_config, config.m)
        self.config = config
        self.dropout = nn.Dropout(config.p if config.with_dropout else 0.0)
        pooled = width if of_nodes else pooled_width(config.pooling, width, config.chain_length)
        self.classifier: nn.Module = nn.Linear(pooled, config.num_labels)
        self.encoder = build(config.m)

    def classify(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the logits of nodes [batch, length, m] with a mask [batch, length, 1].

        They are [batch, labels], or [batch, length, labels] if every node is classified.
        """
        encoded = self.dropout(self.encoder(nodes, mask)) * mask
        if not self.of_nodes:
            encoded = pool(encoded, mask.squeeze(-1) != 0, self.config.pooling, self.config.chain_length)
        logits: Tensor = self.classifier(encoded)
        return logits

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        input_values: Tensor | None = None,
        **_: Tensor,
    ) -> dict[str, Tensor]:
        """Return the logits, and with `labels` the loss; arguments are those of the chainhead models."""
        if pixel_values is not None and pixel_values.ndim == 4:
            nodes = chain_of_image(self.config, self.backbone, pixel_values)
        elif self.backbone is not None:
            given = {
                "input_ids": input_ids,
                "input_values": input_values,
                "input_features": input_features,
                "attention_mask": attention_mask,
                "token_type_ids": token_type_ids,
                "pixel_values": pixel_values,
            }
            nodes, attention_mask = nodes_of_batch(self.backbone, given)
        elif input_ids is not None:
            assert self.embedding is not None
            nodes = self.embedding(input_ids)
        else:
            assert input_features is not None
            nodes = input_features
        mask = (
            torch.ones_like(nodes[..., :1])
            if attention_mask is None
            else attention_mask.to(nodes).unsqueeze(-1)
        )
        logits = self.classify(nodes * mask, mask)
        if labels is None:
            return {"logits": logits}
        return {"loss": self._loss(logits, labels), "logits": logits}

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.config.problem_type == "regression":
            return F.mse_loss(logits.squeeze(-1), labels)
        if self.config.problem_type == "multi_label_classification":
            return F.binary_cross_entropy_with_logits(logits, labels)
        # Nodes that do not count have the label -100, which the loss ignores.
        return F.cross_entropy(logits.flatten(0, -2), labels.flatten())


class PooledPerceptron(PooledEncoder):
    """A hidden layer over all nodes of a chain side by side, and a linear classifier.

    Parameters
    ----------
    config : ChainHeadConfig
        The configuration of the model to compare with.
    width : int
        The width of the hidden layer.
    """

    def __init__(self, config: ChainHeadConfig, width: int) -> None:
        super().__init__(config, width, lambda m: Perceptron(m, width, config.chain_length))
        self.classifier = nn.Linear(width, config.num_labels)

    def classify(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the logits [batch, labels] of nodes [batch, length, m]."""
        logits: Tensor = self.classifier(self.dropout(self.encoder(nodes).squeeze(1)))
        return logits


class ForecastPeer(ChainHeadForTimeSeriesPrediction):
    """The forecaster with another encoder in place of the chain heads; scaling, covariates and loss are the same.

    Parameters
    ----------
    config : ChainHeadConfig
        The configuration of the model to compare with.
    encoder : PooledEncoder
        Its classifier is removed.
    """

    def __init__(self, config: ChainHeadConfig, encoder: PooledEncoder) -> None:
        super().__init__(config)
        assert config.prediction_length is not None
        covariates = config.num_time_features * config.prediction_length
        classifier, encoder.classifier = encoder.classifier, nn.Identity()
        assert isinstance(classifier, nn.Linear)
        self.forecaster = nn.Linear(classifier.in_features + covariates, config.forecast_size)
        del self.chainhead
        self.encoder = encoder

    def _encode(
        self, features: Tensor, started: Tensor, **kwargs: Any
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        mask = started.unsqueeze(-1).to(features)
        return self.encoder.classify(features * mask, mask), None
