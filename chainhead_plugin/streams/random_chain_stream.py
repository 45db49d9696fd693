"""Random chain heads on a stream: at every node, a prediction from all nodes so far."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ..models.modeling_random_chain import RandomChainForSequenceClassification
from .nodes import as_nodes_of_one
from .random_chain_streams import RandomChainStreams


class RandomChainStream:
    """Predict labels or values of a series while its nodes arrive.

    The stream keeps the last nodes that kernels read and the state of the pools, which take as much memory after a
    million nodes as after the first. The prediction equals the model's prediction for the whole series so far, unless
    values are missing: see `RandomChainStreams`.

    Parameters
    ----------
    model : RandomChainForSequenceClassification
        A causal model. Later changes of its weights have no effect on the stream.
    feature_extractor : ChainHeadFeatureExtractor, optional
        The extractor that was saved with the model. It standardises nodes whose changes float32 would blur, such as
        readings of a meter at 10⁸. By default nodes go to the model as they are.

    Raises
    ------
    TypeError
        If the model is of another class.
    ValueError
        If the model is not causal, or the feature extractor standardises each series by itself, which needs the whole
        series.

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
        """The number of nodes so far."""
        return self._streams.lengths[0]

    def update(self, node: Tensor | np.ndarray[Any, Any] | Sequence[float] | float) -> Tensor:
        """Add the next node or nodes, and return the prediction from all nodes so far.

        Parameters
        ----------
        node : array, tensor, Series or DataFrame [m] or [nodes, m], or a number for m = 1
            Finite numbers. If the feature extractor takes missing values, as those of estimators do, NaN is a missing
            value: it is replaced by the last value of that feature.

        Returns
        -------
        float32 Tensor [num_labels]
            Probabilities of the labels. They add up to 1 unless a series may have several labels. For a regression,
            the predicted values.

        Raises
        ------
        ValueError
            If the shape is different, there is no node, a value is not finite, or nothing is known to replace a missing
            value. The stream does not change then.
        """
        return self._streams.update(as_nodes_of_one(node, self._m))[0]

    def logits(self, node: Tensor | np.ndarray[Any, Any] | Sequence[float] | float) -> Tensor:
        """Add the next node or nodes as `update` does, but return the model's logits: float32 Tensor [num_labels]."""
        return self._streams.logits(as_nodes_of_one(node, self._m))[0]

    def reset(self) -> None:
        """Forget all nodes; the next node begins another series."""
        self._streams.reset()


__all__ = ["RandomChainStream"]
