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
    far, and does not depend on the other streams. A missing value is replaced by the last known value, as what follows
    is not known; in a whole series it is interpolated, so that predictions then differ.

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
        self._takes_missing = bool(getattr(feature_extractor, "interpolate_missing", False))
        self._problem_type = model.config.problem_type
        first = RunningFeatures(model.random_chain)
        self._chains = [first, *(first.beside() for _ in range(count - 1))]
        # [count, m]: what each stream's features are taken to be until they are observed.
        usual = feature_extractor.mean if self._takes_missing else None
        usual = [float("nan")] * first.m if usual is None else usual
        self._usual = torch.tensor(usual, dtype=torch.float64).expand(count, -1)
        self._latest = self._usual.clone()
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
            Finite numbers. If the feature extractor takes missing values, as those of estimators do, NaN is a missing
            value: it is replaced by the stream's last value of that feature.
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
            If the shape is different, a stream does not exist or is named twice, a value is not finite, or nothing is
            known to replace a missing value. No stream changes then.
        """
        logits = self.logits(nodes, streams)
        if self._problem_type == "regression":
            return logits
        return logits.sigmoid() if self._problem_type == "multi_label_classification" else logits.softmax(-1)

    def logits(self, nodes: Any, streams: Sequence[int] | None = None) -> Tensor:
        """Add nodes as `update` does, but return the model's logits: float32 Tensor [streams, num_labels]."""
        numbers = self._chosen(streams)
        chains = [self._chains[number] for number in numbers]
        rows = as_nodes(nodes, len(chains), self._chains[0].m, allow_missing=self._takes_missing)
        if self._takes_missing:
            rows = self._held(rows, numbers)
        scaled = rows
        if self._scale is not None:
            scaled = self._scale(list(rows), batched=True, return_tensors="pt")["input_features"]
        self._latest[numbers] = rows[:, -1].double()
        for chain, row in zip(chains, scaled, strict=True):
            chain.add(row.float())
        with torch.no_grad():
            features = torch.stack([chain.standardised() for chain in chains])
            return torch.addmm(self._bias, features, self._weight.T)

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """Forget all nodes of these streams, by default of all streams; their next nodes begin other series."""
        numbers = self._chosen(streams)
        for number in numbers:
            self._chains[number].reset()
        self._latest[numbers] = self._usual[numbers]

    def _held(self, rows: Tensor, numbers: list[int]) -> Tensor:
        """Return the next nodes [streams, nodes, m] with the last known value in the place of each missing value."""
        if not rows.isnan().any():
            return rows
        held = rows.clone()
        latest = self._latest[numbers].to(rows)  # [streams, m]
        for node in held.unbind(1):
            node.copy_(torch.where(node.isnan(), latest, node))
            latest = node
        if held.isnan().any():
            stream, _, feature = held.isnan().nonzero()[0].tolist()
            raise ValueError(
                f"stream {numbers[stream]} has had no value of feature {feature} yet that could replace the missing "
                "value: begin the stream at the first node with a value"
            )
        return held

    def _chosen(self, streams: Sequence[int] | None) -> list[int]:
        """Return the numbers of streams."""
        if streams is None:
            return list(range(len(self._chains)))
        numbers = [int(number) for number in streams]
        if len(set(numbers)) < len(numbers) or not all(0 <= one < len(self._chains) for one in numbers):
            raise ValueError(
                f"streams must be different numbers from 0 to {len(self._chains) - 1}, got {numbers}"
            )
        return numbers


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
