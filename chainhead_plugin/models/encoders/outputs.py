"""Outputs of models whose encoder decides how many nodes there are."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput, TokenClassifierOutput

from ...chain.masking import without_full


@dataclass
class EncodedChainOutput(BaseModelOutput):
    """The output of the bare model, without a head for a task, on an encoder that takes floats.

    Attributes
    ----------
    last_hidden_state : Tensor [batch, nodes, n]
        Zero at padded nodes.
    hidden_states : tuple of Tensor [batch, nodes, features], optional
        The hidden states of the chain's layers, if `output_hidden_states` is True.
    node_mask : bool Tensor [batch, nodes], optional
        True for real nodes, such as frames of a recording; None if all nodes are real.
    """

    node_mask: Tensor | None = None


@dataclass
class EncodedTokenClassifierOutput(TokenClassifierOutput):
    """The output of a token classifier on an encoder that takes floats, with the mask of `EncodedChainOutput`."""

    node_mask: Tensor | None = None


def real_nodes(outputs: Any, attention_mask: Tensor | None) -> Tensor | None:
    """Return the mask of real nodes [batch, nodes], or None if all nodes are real.

    Parameters
    ----------
    outputs : BaseModelOutput
        The output of the bare model.
    attention_mask : Tensor [batch, steps], optional
        The mask that the model was called with. It is a mask of nodes unless an encoder made the nodes.

    Returns
    -------
    Tensor [batch, nodes], optional
    """
    if isinstance(outputs, EncodedChainOutput):
        return outputs.node_mask
    return None if attention_mask is None else without_full(attention_mask != 0)
