"""A layer of a stack: perceptron, chain head, and around them differences, normalisation and dropout of channels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.modeling_layers import GradientCheckpointingLayer

from ..chain.masking import CheckedMask, needed_mask, zero_padding
from ..config.configuration_chainhead import ChainHeadConfig
from ..head.chain_head import ChainInterdependenceHead
from ..head.linear.reconciled import ReconciledLinear
from ..head.normalisation import HoldsBatchNorm, NodeBatchNorm


class ChainHeadLayer(GradientCheckpointingLayer):
    """A chain head, in a stack after a per-node perceptron."""

    def __init__(self, config: ChainHeadConfig, layer: int) -> None:
        super().__init__()
        perceptron, head = config.layer_options(layer)
        self.perceptron = None if perceptron is None else ReconciledLinear(perceptron)
        # Without a device of its own the head is built where transformers builds the model: on "meta".
        self.head = ChainInterdependenceHead(**vars(head), name=config.name, device=None)
        self.norm_before, self.norm_after = norms_of(config, layer)
        self.dropout = ChannelDropout(config.channel_dropout) if config.channel_dropout else None
        widths = [config.m, *config.hidden_sizes]
        self.adds_input = config.identity_residual and widths[layer] == widths[layer + 1]
        self.with_differences = config.with_differences and layer == 0
        # Why its chains cannot be shared among processes, in the words of an error; None where they can.
        self.reaches_other_nodes: str | None = None
        if self.with_differences:
            self.reaches_other_nodes = "takes differences of nodes (with_differences)"
        elif config.channel_dropout:
            self.reaches_other_nodes = "drops features of whole chains (channel_dropout)"

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | CheckedMask | None = None) -> Tensor:
        """Map [batch, length, m] to [batch, length, n]."""
        checked = needed_mask(attention_mask, hidden_states.size(0), hidden_states.size(1))
        mask = None if checked is None else checked.real

        output = with_differences(hidden_states, mask) if self.with_differences else hidden_states
        if self.norm_before is not None:
            output = self.norm_before(output, mask)
        if self.perceptron is not None:
            output = F.relu(self.perceptron(output))
        output = self.head(output, checked)
        if self.dropout is not None:
            output = self.dropout(output)
        if self.adds_input:
            output = output + hidden_states
        return output if self.norm_after is None else self.norm_after(output, mask)


class NodeNorm(HoldsBatchNorm):
    """BatchNorm or LayerNorm over the features of real nodes; padding stays zero.

    Parameters
    ----------
    kind : {"batch", "layer"}
    width : int
        Features of a node.
    """

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.norm: nn.Module = NodeBatchNorm(width) if kind == "batch" else nn.LayerNorm(width)

    def forward(self, nodes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise [batch, length, width]; `mask` [batch, length] is True for real nodes."""
        if isinstance(self.norm, NodeBatchNorm):
            normal: Tensor = self.norm(nodes, mask)
        else:
            normal = self.norm(nodes)
        return normal if mask is None else zero_padding(normal, mask)


def norms_of(config: ChainHeadConfig, layer: int) -> tuple[NodeNorm | None, NodeNorm | None]:
    """Return new normalisations of a layer's input and of its output, None where there is none."""
    if config.normalisation is None:
        return None, None
    place, kind = config.normalisation.split("-")
    if place == "post":
        return None, NodeNorm(kind, config.hidden_sizes[layer])
    return NodeNorm(kind, config.width_before(layer)), None


def with_differences(nodes: Tensor, mask: Tensor | None = None) -> Tensor:
    """Put each node's difference from the node before it after its features.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
        Zero at padded nodes.
    mask : bool Tensor [batch, length], optional
        True for real nodes.

    Returns
    -------
    Tensor [batch, length, 2·m]
        The differences are zero at padding and at a chain's first node, which has none before it.
    """
    # Of whole length: slices of all nodes but the last could not be exported for any length.
    differences = nodes - F.pad(nodes, (0, 0, 1, 0))[:, : nodes.size(1)]
    real = nodes.new_ones(nodes.shape[:2], dtype=torch.bool) if mask is None else mask
    differences = zero_padding(differences, real & F.pad(real, (1, 0))[:, : nodes.size(1)])
    return torch.cat((nodes, differences), 2)


class ChannelDropout(nn.Module):
    """Drop features of [batch, length, width] in training, each in all nodes of a chain; the rest grows to match."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, nodes: Tensor) -> Tensor:
        """Drop features in training, and none otherwise."""
        if not self.training:
            return nodes
        kept = torch.rand(nodes.size(0), 1, nodes.size(2), device=nodes.device) >= self.p
        return nodes * (kept.to(nodes.dtype) / (1 - self.p))

    def extra_repr(self) -> str:
        """Share of dropped features, for `print(model)`."""
        return f"p={self.p}"
