"""What models return whose encoder has its own idea of how many nodes there are."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput, TokenClassifierOutput

from ...chain.masking import without_full


@dataclass
class EncodedChainOutput(BaseModelOutput):
    """What the bare model returns on an encoder of floats.

    Attributes
    ----------
    last_hidden_state : Tensor [batch, nodes, n]
        Zero at padded nodes.
    hidden_states : tuple of Tensor [batch, nodes, features], optional
    node_mask : bool Tensor [batch, nodes], optional
        True for real nodes, such as frames of a recording; None where all are.
    """

    node_mask: Tensor | None = None


@dataclass
class EncodedTokenClassifierOutput(TokenClassifierOutput):
    """What a token classifier returns on an encoder of floats: `node_mask` is that of `EncodedChainOutput`."""

    node_mask: Tensor | None = None


def real_nodes(outputs: Any, attention_mask: Tensor | None) -> Tensor | None:
    """Return which nodes [batch, nodes] are real, None where all are.

    Parameters
    ----------
    outputs : BaseModelOutput
        Of the bare model.
    attention_mask : Tensor [batch, steps], optional
        That it was called with: one of nodes, unless an encoder made them.
    """
    if isinstance(outputs, EncodedChainOutput):
        return outputs.node_mask
    return None if attention_mask is None else without_full(attention_mask != 0)
