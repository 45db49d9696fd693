"""Labels of nodes while they arrive: the model runs over the last nodes that its newest answers depend on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForTokenClassification
from ...streams.nodes import as_nodes, as_nodes_of_one
from .outputs import node_logits, probabilities_of, reach_of


class NodeStream:
    """Label the nodes of a series as they arrive, with the probabilities that the whole series would give.

    Parameters
    ----------
    model : ChainHeadForTokenClassification
        A causal stack with `channel_hops`.
    feature_extractor : ChainHeadFeatureExtractor
        The extractor that was saved with the model.

    Raises
    ------
    TypeError
        If a node's label may depend on all nodes before it.
    ValueError
        If it may depend on later nodes, or the extractor standardises each series by itself.
    """

    def __init__(
        self, model: ChainHeadForTokenClassification, feature_extractor: ChainHeadFeatureExtractor
    ) -> None:
        reach = reach_of(model.config)
        if reach is None:
            raise TypeError(
                "a stream needs a stack whose nodes depend on a bounded number of nodes, made by channel_hops"
            )
        if model.config.bi_directional:
            raise ValueError("labels depend on later nodes: fit with causal=True for a stream")
        if feature_extractor.standardize_each:
            raise ValueError(
                "the feature extractor standardises each series by itself, which needs all of it"
            )
        self._model, self._extractor, self._reach = model, feature_extractor, reach
        self.reset()

    @property
    def length(self) -> int:
        """The number of nodes so far."""
        return self._length

    def reset(self) -> None:
        """Forget all nodes; the next node begins another series."""
        self._length = 0
        self._last: NDArray[Any] = np.empty((0, self._extractor.feature_size))

    def update(self, node: Any) -> NDArray[np.float64]:
        """Add the next node or nodes, and return the probabilities of their labels.

        Parameters
        ----------
        node : array, tensor, Series or DataFrame [m] or [nodes, m], or a number for m = 1
            Finite numbers.

        Returns
        -------
        float64 array [nodes, labels]
            In the order of `classes_`; a row for each of the new nodes.

        Raises
        ------
        ValueError
            If the shape is different or a value is not finite; missing values are refused here, as what follows them
            is not known. The stream does not change then.
        """
        m = self._extractor.feature_size
        new = as_nodes(as_nodes_of_one(node, m), 1, m)[0].double().numpy()
        nodes = np.concatenate([self._last, new])
        logits = node_logits(self._model, self._extractor, [nodes], 1)[0][-len(new) :]
        self._last = nodes[len(nodes) - self._reach :] if len(nodes) > self._reach else nodes
        self._length += len(new)
        return probabilities_of(logits)


__all__ = ["NodeStream"]
