"""Random chain heads on a stream: the answer for all nodes so far, at every node."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ..models.modeling_random_chain import RandomChainForSequenceClassification
from .nodes import as_nodes_of_one
from .random_chain_streams import RandomChainStreams


class RandomChainStream:
    """Classify a series while it arrives.

    The stream keeps the last nodes that kernels reach and the running numbers of pools: as much after a million nodes
    as after the first. The answer is the model's for the whole series so far.

    Parameters
    ----------
    model : RandomChainForSequenceClassification
        A causal model. Changes of its weights after this have no effect on the stream.
    feature_extractor : ChainHeadFeatureExtractor, optional
        The extractor that was saved with the model. It standardises nodes whose changes float32 would blur, such as
        readings of a meter at 10⁸. By default nodes go to the model as they are.

    Raises
    ------
    TypeError
        If the model is of another kind.
    ValueError
        If the model is not causal, or the feature extractor standardises each series by itself, which takes all of it.

    Examples
    --------
    >>> stream = RandomChainStream(model, feature_extractor)
    >>> for node in sensor:
    ...     probabilities = stream.update(node)
    ...     if probabilities.max() > 0.95:
    ...         break
    """

    def __init__(self, model: RandomChainForSequenceClassification, feature_extractor: Any = None) -> None:
        self._streams = RandomChainStreams(model, 1, feature_extractor)
        self._m = model.config.m

    @property
    def length(self) -> int:
        """How many nodes there were."""
        return self._streams.lengths[0]

    def update(self, node: Tensor | np.ndarray[Any, Any] | Sequence[float] | float) -> Tensor:
        """Take in the next node, or nodes, and return the answer for all so far.

        Parameters
        ----------
        node : array, tensor, Series or DataFrame [m] or [nodes, m], or a number for m = 1
            Finite.

        Returns
        -------
        float32 Tensor [num_labels]
            Probabilities of the labels, which add up to 1 unless a series may have several; values in regression.

        Raises
        ------
        ValueError
            If the shape is another, there is no node, or a value is not finite. The stream is then as it was.
        """
        return self._streams.update(as_nodes_of_one(node, self._m))[0]

    def logits(self, node: Tensor | np.ndarray[Any, Any] | Sequence[float] | float) -> Tensor:
        """As `update`, but return the model's logits."""
        return self._streams.logits(as_nodes_of_one(node, self._m))[0]

    def reset(self) -> None:
        """Forget all nodes: the next begins another series."""
        self._streams.reset()


__all__ = ["RandomChainStream"]
