"""What the chain head is compared with: the same head without hops, and usual sequence encoders."""

from abc import abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification
from chainhead_plugin.pooling import pool


class NoHops(nn.Module):
    """A chain classifier whose every node is a chain of its own, so that the chain matrix is the identity.

    It has the weights of the classifier that it is compared with. Its nodes have to weigh themselves by 1.

    Parameters
    ----------
    config : ChainHeadConfig
    """

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__()
        self.classifier = ChainHeadForSequenceClassification(config)

    def forward(
        self, input_features: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Classify [batch, length, m] chains, as `ChainHeadForSequenceClassification` does."""
        batch, length, _ = input_features.shape
        alone = self.classifier.chainhead(
            input_features.flatten(0, 1).unsqueeze(1), attention_mask=attention_mask.flatten().unsqueeze(1)
        ).last_hidden_state
        nodes = alone.reshape(batch, length, -1)
        config = self.classifier.config
        pooled = pool(nodes, attention_mask != 0, config.pooling, config.chain_length)
        return _outputs(self.classifier.classifier(pooled), labels)


class PooledEncoder(nn.Module):
    """A sequence encoder, dropout, the mean over real nodes and a linear classifier.

    Parameters
    ----------
    width : int
        Features of an encoded node.
    num_labels : int
    dropout : float
    """

    def __init__(self, width: int, num_labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, num_labels)

    @abstractmethod
    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Map nodes [batch, length, m], zero where padded on the right, to [batch, length, width]."""

    def forward(
        self, input_features: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Classify [batch, length, m] chains."""
        mask = attention_mask.unsqueeze(-1)
        nodes = self.dropout(self.encode(input_features, mask)) * mask
        return _outputs(self.classifier(pool(nodes, attention_mask != 0, "mean", nodes.size(1))), labels)


class Recurrent(PooledEncoder):
    """One layer of an LSTM or a GRU, which reads from the first node on.

    Parameters
    ----------
    kind : type
        `nn.LSTM` or `nn.GRU`.
    m, width, num_labels : int
    dropout : float
    """

    def __init__(
        self, kind: type[nn.LSTM] | type[nn.GRU], m: int, width: int, num_labels: int, dropout: float
    ) -> None:
        super().__init__(width, num_labels, dropout)
        self.recurrence = kind(m, width, batch_first=True)

    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the state at every node."""
        states: Tensor = self.recurrence(nodes)[0]
        return states


class Convolution(PooledEncoder):
    """Two convolutions over three nodes each, with ReLU.

    Parameters
    ----------
    m, width, num_labels : int
    dropout : float
    """

    def __init__(self, m: int, width: int, num_labels: int, dropout: float) -> None:
        super().__init__(width, num_labels, dropout)
        self.first = nn.Conv1d(m, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, padding=1)

    def encode(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Convolve; padding stays zero between the convolutions, as beyond a chain's ends."""
        hidden = F.relu(self.first(nodes.mT)) * mask.mT
        return F.relu(self.second(hidden)).mT


def _outputs(logits: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
    if labels is None:
        return {"logits": logits}
    return {"loss": F.cross_entropy(logits, labels), "logits": logits}
