"""Usual encoders of sequences: LSTM and GRU, convolutions, perceptrons. All map [batch, length, m] to n features."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ...head.normalisation import NodeBatchNorm


class Recurrent(nn.Module):
    """One layer of an LSTM or a GRU, which reads from the first node on, or from both ends.

    Parameters
    ----------
    m, n : int
        Features of a node, and of a direction's state.
    kind : type
        `nn.LSTM` or `nn.GRU`.
    both_ways : bool
        Whether it reads from both ends, and gives 2·n features.
    bias : bool
    """

    def __init__(
        self,
        m: int,
        n: int,
        kind: type[nn.LSTM] | type[nn.GRU],
        *,
        both_ways: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.recurrence = kind(m, n, bias=bias, batch_first=True, bidirectional=both_ways)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the state at every node; `mask` is [batch, length, 1], zero where padded on the right."""
        states: Tensor
        if mask is None or not self.recurrence.bidirectional:
            states = self.recurrence(nodes)[0]
            return states
        # So that the way back starts at the last real node.
        lengths = mask.sum((1, 2)).cpu()
        packed = pack_padded_sequence(nodes, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(
            self.recurrence(packed)[0], batch_first=True, total_length=nodes.size(1)
        )
        return states


class Convolution(nn.Module):
    """Two convolutions over three nodes each, with ReLU.

    Parameters
    ----------
    m, n : int
        Features of a node before and after.
    causal : bool
        Whether a node takes in the two before it, in place of its two neighbours.
    with_batch_norm : bool
        Whether BatchNorm over real nodes follows each convolution.
    """

    def __init__(self, m: int, n: int, *, causal: bool = False, with_batch_norm: bool = False) -> None:
        super().__init__()
        self.padding = (0, 0, 2, 0) if causal else (0, 0, 1, 1)
        self.first = nn.Conv1d(m, n, 3)
        self.second = nn.Conv1d(n, n, 3)
        self.norms = nn.ModuleList(NodeBatchNorm(n) for _ in range(2) if with_batch_norm)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; padding stays zero between the convolutions, as beyond a chain's ends."""
        hidden = nodes
        for layer, convolve in enumerate((self.first, self.second)):
            if mask is not None:
                hidden = hidden * mask
            hidden = convolve(F.pad(hidden, self.padding).mT).mT
            if self.norms:
                real = torch.ones_like(hidden[..., 0]) if mask is None else mask.squeeze(-1)
                hidden = self.norms[layer](hidden, real != 0)
            hidden = F.relu(hidden)
        return hidden


class NodePerceptron(nn.Module):
    """One hidden layer over the features of each node by itself."""

    def __init__(self, m: int, n: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(m, n)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the hidden layer of every node."""
        return F.relu(self.hidden(nodes))


class Perceptron(nn.Module):
    """One hidden layer over all nodes of a chain side by side, cut or filled with zeros to one length."""

    def __init__(self, m: int, n: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.hidden = nn.Linear(m * length, n)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return one node [batch, 1, n] for the whole chain."""
        filled = F.pad(nodes, (0, 0, 0, self.length - nodes.size(1)))  # a negative number cuts
        return F.relu(self.hidden(filled.flatten(1))).unsqueeze(1)
