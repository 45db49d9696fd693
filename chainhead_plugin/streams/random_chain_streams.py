"""Random chain heads on several streams side by side: at every node, a prediction for each stream."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..models.modeling_random_chain import RandomChainForSequenceClassification
from ..random_features.running import RunningFeatures
from .nodes import as_nodes


class RandomChainStreams:
    """Predict labels or values of several series while their nodes arrive.

    Each stream keeps the last nodes that kernels read and the state of the pools, which take as much memory after a
    million nodes as after the first. The prediction of a stream equals the model's prediction for its whole series so
    far, and does not depend on the other streams.

    Parameters
    ----------
    model : RandomChainForSequenceClassification
        A causal model. Later changes of its weights have no effect on the streams.
    count : int
        The number of streams, at least 1.
    feature_extractor : ChainHeadFeatureExtractor, optional
        As for `RandomChainStream`.

    Raises
    ------
    TypeError
        If the model is of another class.
    ValueError
        If the model is not causal, the feature extractor standardises each series by itself, which needs the whole
        series, or `count` is less than 1.

    Examples
    --------
    >>> streams = RandomChainStreams(model, 8, feature_extractor)
    >>> for nodes in sensors:  # [8, m]
    ...     probabilities = streams.update(nodes)  # [8, num_labels]
    >>> streams.update(nodes[[2, 5]], streams=[2, 5])  # only these two have a next node
    """

    def __init__(
        self, model: RandomChainForSequenceClassification, count: int, feature_extractor: Any = None
    ) -> None:
        _check(model, feature_extractor)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"count must be a whole number of streams, at least 1, got {count!r}")
        self._scale = feature_extractor if getattr(feature_extractor, "do_normalize", False) else None
        self._problem_type = model.config.problem_type
        first = RunningFeatures(model.random_chain)
        self._chains = [first, *(first.beside() for _ in range(count - 1))]
        self._weight = model.classifier.weight.detach().float().cpu().clone()
        self._bias = model.classifier.bias.detach().float().cpu().clone()

    @property
    def lengths(self) -> list[int]:
        """The number of nodes of each stream so far."""
        return [chain.length for chain in self._chains]

    def update(self, nodes: Any, streams: Sequence[int] | None = None) -> Tensor:
        """Add the next node or nodes of streams, and return the predictions from all nodes of these streams so far.

        Parameters
        ----------
        nodes : array or tensor [streams, m] or [streams, nodes, m], or [streams] for m = 1
            Finite numbers.
        streams : sequence of int, optional
            Indices of the streams that get these nodes, each at most once; by default all streams, in order.

        Returns
        -------
        float32 Tensor [streams, num_labels]
            Probabilities of the labels. They add up to 1 unless a series may have several labels. For a regression,
            the predicted values.

        Raises
        ------
        ValueError
            If the shape is different, a stream does not exist or is named twice, or a value is not finite. No stream
            changes then.
        """
        logits = self.logits(nodes, streams)
        if self._problem_type == "regression":
            return logits
        return logits.sigmoid() if self._problem_type == "multi_label_classification" else logits.softmax(-1)

    def logits(self, nodes: Any, streams: Sequence[int] | None = None) -> Tensor:
        """Add nodes as `update` does, but return the model's logits: float32 Tensor [streams, num_labels]."""
        chains = self._chosen(streams)
        rows = as_nodes(nodes, len(chains), self._chains[0].m)
        if self._scale is not None:
            rows = self._scale(list(rows), batched=True, return_tensors="pt")["input_features"]
        for chain, row in zip(chains, rows, strict=True):
            chain.add(row.float())
        with torch.no_grad():
            features = torch.stack([chain.standardised() for chain in chains])
            return torch.addmm(self._bias, features, self._weight.T)

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """Forget all nodes of these streams, by default of all streams; their next nodes begin other series."""
        for chain in self._chosen(streams):
            chain.reset()

    def _chosen(self, streams: Sequence[int] | None) -> list[RunningFeatures]:
        if streams is None:
            return self._chains
        numbers = [int(number) for number in streams]
        if len(set(numbers)) < len(numbers) or not all(0 <= one < len(self._chains) for one in numbers):
            raise ValueError(
                f"streams must be different numbers from 0 to {len(self._chains) - 1}, got {numbers}"
            )
        return [self._chains[number] for number in numbers]


def _check(model: Any, feature_extractor: Any) -> None:
    """Raise unless this model can predict node by node."""
    if not isinstance(model, RandomChainForSequenceClassification):
        raise TypeError(
            f"a stream goes by random chain heads, a RandomChainForSequenceClassification, and the model is a "
            f"{type(model).__name__}: fit_random_chain trains random chain heads, and so do ChainHeadClassifier and "
            "ChainHeadRegressor without seconds"
        )
    if not model.config.causal:
        raise ValueError(
            "the model is not causal: its kernels wait for nodes to come. Train a model with causal=True"
        )
    if getattr(feature_extractor, "standardize_each", False):
        raise ValueError(
            "the feature extractor standardises each series by itself, which takes all of its nodes: a stream "
            "needs standardize_each=False"
        )


__all__ = ["RandomChainStreams"]
