"""Random chain heads on a stream: the answer for all nodes so far, at every node."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..models.modeling_random_chain import RandomChainForSequenceClassification
from ..random_features.running import RunningFeatures


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
        if not model.config.causal:
            raise ValueError(
                "the model is not causal: its kernels wait for nodes to come. Train a model with causal=True"
            )
        if getattr(feature_extractor, "standardize_each", False):
            raise ValueError(
                "the feature extractor standardises each series by itself, which takes all of its nodes: a stream "
                "needs standardize_each=False"
            )
        self._scale = feature_extractor if getattr(feature_extractor, "do_normalize", False) else None
        self._problem_type = model.config.problem_type
        self._features = RunningFeatures(model.random_chain)
        self._weight = model.classifier.weight.detach().float().clone()
        self._bias = model.classifier.bias.detach().float().clone()

    @property
    def length(self) -> int:
        """How many nodes there were."""
        return self._features.length

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
        logits = self.logits(node)
        if self._problem_type == "regression":
            return logits
        return logits.sigmoid() if self._problem_type == "multi_label_classification" else logits.softmax(-1)

    def logits(self, node: Tensor | np.ndarray[Any, Any] | Sequence[float] | float) -> Tensor:
        """As `update`, but return the model's logits."""
        nodes = _as_nodes(node, self._features.m)
        if self._scale is not None:
            nodes = self._scale([nodes], batched=True, return_tensors="pt")["input_features"][0]
        self._features.add(nodes.float())
        with torch.no_grad():
            logits: Tensor = torch.mv(self._weight, self._features.standardised()) + self._bias
        return logits

    def reset(self) -> None:
        """Forget all nodes: the next begins another series."""
        self._features.reset()


def _as_nodes(node: Any, m: int) -> Tensor:
    """Return [nodes, m], finite in float32."""
    if hasattr(node, "to_numpy"):
        node = node.to_numpy()  # a Series or DataFrame of pandas
    if isinstance(node, np.ndarray) and node.dtype.kind not in "iufb":
        raise ValueError(f"the node is of the type {node.dtype}, expected numbers")
    nodes = torch.as_tensor(node).detach().cpu()
    if nodes.ndim <= 1:
        nodes = nodes.reshape(1, -1)
    if nodes.ndim != 2 or nodes.size(1) != m or nodes.size(0) == 0:
        shape = list(torch.as_tensor(node).shape)
        raise ValueError(f"the node has shape {shape}, expected [{m}], or [nodes, {m}] for several")
    if not nodes.float().isfinite().all():
        raise ValueError("the node has a value that is not finite in float32")
    return nodes


__all__ = ["RandomChainStream"]
