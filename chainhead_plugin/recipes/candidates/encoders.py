"""Common encoders of sequences: LSTM, GRU, convolutions and perceptrons, which map nodes of m features to n."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ...head.normalisation import NodeBatchNorm

_BLOCKS, _MOST_LAYERS = 6, 8


class Recurrent(nn.Module):
    """A layer of an LSTM or a GRU, which reads from the first node on, or from both ends.

    Parameters
    ----------
    m, n : int
        Features of a node, and of the state of each direction.
    kind : type
        `nn.LSTM` or `nn.GRU`.
    both_ways : bool
        Whether it reads from both ends, and returns 2·n features.
    bias : bool
        Whether it has biases.
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
        """Return the states [batch, length, n or 2·n] at all nodes; `mask` [batch, length, 1] is zero for padding."""
        states: Tensor
        if mask is None or not self.recurrence.bidirectional:
            states = self.recurrence(nodes)[0]
            return states
        # Packing lets the backward direction start at the last real node.
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
        Whether a node takes in the two nodes before it, instead of its two neighbours.
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


class DilatedConvolution(nn.Module):
    """Residual convolutions over three nodes each, with BatchNorm; the distance between the nodes doubles by layer.

    Parameters
    ----------
    m, n : int
        Features of a node before and after.
    length : int
        Nodes of the longest chain. There are as many layers as a node in the middle needs to take in the whole chain,
        but at most eight.
    causal : bool
        Whether a node takes in only earlier nodes.
    """

    def __init__(self, m: int, n: int, *, length: int, causal: bool = False) -> None:
        super().__init__()
        layers = min(_MOST_LAYERS, max(1, math.ceil(math.log2(max(2, length / 2)))))
        self.causal = causal
        self.dilations = [2**layer for layer in range(layers)]
        self.first = nn.Linear(m, n)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n, n, 3, dilation=dilation, bias=False) for dilation in self.dilations
        )
        self.norms = nn.ModuleList(NodeBatchNorm(n) for _ in self.dilations)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; padding stays zero between the convolutions, as beyond a chain's ends."""
        mask = torch.ones_like(nodes[..., :1]) if mask is None else mask
        hidden = self.first(nodes)
        for dilation, convolve, norm in zip(self.dilations, self.convolutions, self.norms, strict=True):
            ends = (0, 0, 2 * dilation, 0) if self.causal else (0, 0, dilation, dilation)
            taken = convolve(F.pad(hidden * mask, ends).mT).mT
            hidden = hidden + F.relu(norm(taken, mask.squeeze(-1) != 0))
        return hidden


class Inception(nn.Module):
    """InceptionTime's network: six blocks of convolutions over 9, 19 and 39 nodes, with a residual around every three.

    Kernels have odd lengths, so that they lie evenly around a node.

    Parameters
    ----------
    m : int
        Features of a node.
    n : int
        Filters of a convolution; the result has 4·n features of a node.
    """

    def __init__(self, m: int, n: int) -> None:
        super().__init__()
        widths = [m, *[4 * n] * _BLOCKS]
        self.blocks = nn.ModuleList(_InceptionBlock(width, n) for width in widths[:-1])
        self.shortcuts = nn.ModuleList(
            nn.Linear(widths[block], 4 * n, bias=False) for block in range(0, _BLOCKS, _BLOCKS // 2)
        )
        self.norms = nn.ModuleList(NodeBatchNorm(4 * n) for _ in self.shortcuts)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return nodes [batch, length, 4·n], which do not depend on padding."""
        mask = torch.ones_like(nodes[..., :1]) if mask is None else mask
        entered = hidden = nodes
        for number, block in enumerate(self.blocks):
            hidden = block(hidden, mask)
            part, place = divmod(number, _BLOCKS // 2)
            if place == _BLOCKS // 2 - 1:
                shortcut = self.norms[part](self.shortcuts[part](entered), mask.squeeze(-1) != 0)
                entered = hidden = F.relu(hidden + shortcut)
        return hidden


class _InceptionBlock(nn.Module):
    def __init__(self, m: int, n: int) -> None:
        super().__init__()
        self.bottleneck = nn.Linear(m, n, bias=False) if m > 1 else nn.Identity()
        width = n if m > 1 else m
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, n, size, padding=size // 2, bias=False) for size in (9, 19, 39)
        )
        self.after_pooling = nn.Linear(m, n, bias=False)
        self.norm = NodeBatchNorm(4 * n)

    def forward(self, nodes: Tensor, mask: Tensor) -> Tensor:
        narrowed = self.bottleneck(nodes) * mask
        parts = [convolve(narrowed.mT).mT for convolve in self.convolutions]
        largest = F.max_pool1d(nodes.masked_fill(mask == 0, -torch.inf).mT, 3, stride=1, padding=1).mT
        parts.append(self.after_pooling(largest.masked_fill(mask == 0, 0.0)))
        return F.relu(self.norm(torch.cat(parts, -1), mask.squeeze(-1) != 0))


class NodePerceptron(nn.Module):
    """A hidden layer that maps the m features of each node by itself to n features."""

    def __init__(self, m: int, n: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(m, n)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the hidden layer of all nodes, [batch, length, n]."""
        return F.relu(self.hidden(nodes))


class Perceptron(nn.Module):
    """A hidden layer over all nodes of a chain side by side; chains are cut or filled with zeros to `length` nodes."""

    def __init__(self, m: int, n: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.hidden = nn.Linear(m * length, n)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return a single node [batch, 1, n] for the whole chain."""
        filled = F.pad(nodes, (0, 0, 0, self.length - nodes.size(1)))  # a negative number cuts
        return F.relu(self.hidden(filled.flatten(1))).unsqueeze(1)
