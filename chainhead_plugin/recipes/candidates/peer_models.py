"""Usual encoders of sequences, which a recipe's model is compared with: LSTM, GRU, Conv1d, perceptrons."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ...config.configuration_chainhead import ChainHeadConfig
from ...config.pooling import pooled_width
from ...head.normalisation import NodeBatchNorm
from ...models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ...models.pooling import pool
from ...nodes.image_backbone import build_image_backbone
from ...nodes.images import chain_of_image
from ...nodes.text_backbone import build_backbone, encode_tokens


class PooledEncoder(nn.Module):
    """A sequence encoder, dropout, pooling over real nodes as in the compared model, and a linear classifier.

    Where nodes have labels, each is classified instead.

    Chains, images (rows, patches, or a backbone's feature map) and tokens (an embedding of width m, or a pretrained
    encoder) become nodes as in that model.

    Parameters
    ----------
    config : ChainHeadConfig
        Of the model to compare with.
    width : int
        Features of an encoded node.
    of_nodes : bool
        Whether nodes are classified.
    """

    def __init__(self, config: ChainHeadConfig, width: int, of_nodes: bool = False) -> None:
        super().__init__()
        assert config.m is not None
        self.of_nodes = of_nodes
        self.embedding = (
            None
            if config.vocab_size is None
            else nn.Embedding(config.vocab_size, config.m, padding_idx=config.pad_token_id)
        )
        self.backbone = None
        if getattr(config.backbone_config, "vocab_size", None) is not None:
            self.backbone = build_backbone(config.backbone_config)
        elif config.backbone_config is not None:
            self.backbone = build_image_backbone(config.backbone_config, config.m)
        self.config = config
        self.dropout = nn.Dropout(config.p if config.with_dropout else 0.0)
        pooled = width if of_nodes else pooled_width(config.pooling, width, config.chain_length)
        self.classifier: nn.Module = nn.Linear(pooled, config.num_labels)

    @abstractmethod
    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Map nodes [batch, length, m], zero where padded on the right, to [batch, length, width]."""

    def classify(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the logits of nodes [batch, length, m] with a mask [batch, length, 1].

        They are [batch, labels], or where nodes are classified [batch, length, labels].
        """
        encoded = self.dropout(self.encode(nodes, mask)) * mask
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
        **_: Tensor,
    ) -> dict[str, Tensor]:
        """Classify, as the chainhead models do."""
        if input_ids is not None and self.backbone is not None:
            nodes = encode_tokens(self.backbone, input_ids, attention_mask, token_type_ids)
        elif input_ids is not None:
            assert self.embedding is not None
            nodes = self.embedding(input_ids)
        elif pixel_values is not None:
            nodes = chain_of_image(self.config, self.backbone, pixel_values)
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
        # Nodes that do not count are labelled -100, which the loss passes over.
        return {"loss": F.cross_entropy(logits.flatten(0, -2), labels.flatten()), "logits": logits}


class Recurrent(PooledEncoder):
    """One layer of an LSTM or a GRU, which reads from the first node on, or from both ends.

    Parameters
    ----------
    config, of_nodes
        As in `PooledEncoder`.
    width : int
        Of a direction's state.
    kind : type
        `nn.LSTM` or `nn.GRU`.
    both_ways : bool
        Whether it reads from both ends.
    """

    def __init__(
        self,
        config: ChainHeadConfig,
        width: int,
        of_nodes: bool = False,
        *,
        kind: type[nn.LSTM] | type[nn.GRU],
        both_ways: bool = False,
    ) -> None:
        super().__init__(config, 2 * width if both_ways else width, of_nodes)
        assert config.m is not None
        self.recurrence = kind(config.m, width, batch_first=True, bidirectional=both_ways)

    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the state at every node."""
        states: Tensor
        if not self.recurrence.bidirectional:
            states = self.recurrence(nodes)[0]
            return states
        # So that the way back starts at the last real node.
        lengths = mask.sum((1, 2)).cpu()
        packed = pack_padded_sequence(nodes, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(
            self.recurrence(packed)[0], batch_first=True, total_length=nodes.size(1)
        )
        return states


class Convolution(PooledEncoder):
    """Two convolutions over three nodes each, with BatchNorm where the compared model has it, and ReLU.

    Parameters
    ----------
    config, width, of_nodes
        As in `PooledEncoder`.
    """

    def __init__(self, config: ChainHeadConfig, width: int, of_nodes: bool = False) -> None:
        super().__init__(config, width, of_nodes)
        assert config.m is not None
        # A forecaster without hops from the future looks at the past alone, as far with three taps.
        self.padding = (0, 0, 2, 0) if _is_causal(config) else (0, 0, 1, 1)
        self.first = nn.Conv1d(config.m, width, 3)
        self.second = nn.Conv1d(width, width, 3)
        self.norms = nn.ModuleList(NodeBatchNorm(width) for _ in range(2) if config.with_batch_norm)

    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Convolve; padding stays zero between the convolutions, as beyond a chain's ends."""
        hidden = nodes
        for layer, convolve in enumerate((self.first, self.second)):
            hidden = convolve(F.pad(hidden * mask, self.padding).mT).mT
            if self.norms:
                hidden = self.norms[layer](hidden, mask.squeeze(-1) != 0)
            hidden = F.relu(hidden)
        return hidden


class NodePerceptron(PooledEncoder):
    """One hidden layer over the features of each node by itself.

    Parameters
    ----------
    config, width, of_nodes
        As in `PooledEncoder`.
    """

    def __init__(self, config: ChainHeadConfig, width: int, of_nodes: bool = True) -> None:
        super().__init__(config, width, of_nodes)
        assert config.m is not None
        self.hidden = nn.Linear(config.m, width)

    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the hidden layer of every node."""
        return F.relu(self.hidden(nodes))


def _is_causal(config: ChainHeadConfig) -> bool:
    return config.prediction_length is not None and not config.bi_directional


class Perceptron(PooledEncoder):
    """One hidden layer over all nodes of a chain side by side, cut or filled with zeros to the longest trained on.

    Parameters
    ----------
    config, width
        As in `PooledEncoder`; `width` is that of the hidden layer.
    """

    def __init__(self, config: ChainHeadConfig, width: int) -> None:
        super().__init__(config, width)
        assert config.m is not None
        self.hidden = nn.Linear(config.m * config.chain_length, width)
        self.classifier = nn.Linear(width, config.num_labels)

    def classify(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the logits [batch, labels] of nodes [batch, length, m]."""
        filled = F.pad(nodes, (0, 0, 0, self.config.chain_length - nodes.size(1)))  # a negative number cuts
        logits: Tensor = self.classifier(self.dropout(F.relu(self.hidden(filled.flatten(1)))))
        return logits

    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Nodes are not encoded one by one."""
        raise NotImplementedError("a perceptron over the whole chain encodes no nodes")


class ForecastPeer(ChainHeadForTimeSeriesPrediction):
    """The forecaster with another encoder in the chain heads' place; scaling, covariates and loss are the same.

    Parameters
    ----------
    config : ChainHeadConfig
        Of the model to compare with.
    encoder : PooledEncoder
        Its classifier is taken away.
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
