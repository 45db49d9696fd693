"""Training a stack of chain heads on series with a label for every node, and its score on nodes left out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...config.configuration_chainhead import ChainHeadConfig
from ...inputs.data_collator import ChainHeadDataCollator
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForTokenClassification
from ...recipes.stacks.shapes import default_stack
from ...recipes.stacks.training import usual_optimizer
from .labels import UNLABELLED
from .outputs import node_logits

# Pieces in a batch, and the most nodes of a piece.
_BATCH, _PIECE = 16, 128
# A trial has half of the steps, and leaves out one series in three. Of fewer series the last thirds are left out.
_TRIAL_SHARE, _LEFT_OUT, _LEAST_SERIES = 0.5, 3, 3
# The steps by which the time of a step is measured, and the fewest that a trial needs to tell anything.
_STEPS_TO_MEASURE, _LEAST_STEPS = 3, 10


@dataclass(frozen=True)
class NodeStack:
    """A trained stack.

    Attributes
    ----------
    model : ChainHeadForTokenClassification
        In eval mode.
    extractor : ChainHeadFeatureExtractor
        With the statistics of all training series.
    score : float, optional
        The share of right labels among nodes left out, by a stack that was trained on the rest with half of the steps.
        None if there was too little time for it, or no node left out has a label.
    steps : int
        Optimisation steps.
    """

    model: ChainHeadForTokenClassification
    extractor: ChainHeadFeatureExtractor
    score: float | None
    steps: int


@dataclass(frozen=True)
class LabelledSeries:
    """Series [length, m], and for each the indices of its nodes' labels: int64 [length], -100 for none.

    Weights [series] above zero say how much the nodes of each series count; by default all count alike.
    """

    series: list[NDArray[np.floating]]
    labels: list[NDArray[np.int64]]
    weights: NDArray[np.float64] | None = None

    def has_labels(self) -> bool:
        """Whether any node has a label."""
        return any(bool((own != UNLABELLED).any()) for own in self.labels)


def fit_node_stack(
    data: LabelledSeries,
    names: Sequence[str],
    *,
    causal: bool,
    hidden_sizes: Sequence[int],
    steps: int,
    seconds: float | None,
    seed: int,
    device: str,
) -> NodeStack:
    """Train a stack on pieces of series, and before it a second stack for the score on nodes left out.

    Layers have dense hops whose dilation doubles by layer, BatchNorm, and residuals where widths are equal. The first
    layer also gets the differences between successive nodes. Each step takes 16 pieces of at most 128 nodes.

    Parameters
    ----------
    data : LabelledSeries
    names : sequence of str
        The names of the labels.
    causal : bool
        Whether nodes take in only earlier nodes.
    hidden_sizes : sequence of int
        The widths of layers.
    steps : int
        The most optimisation steps.
    seconds : float, optional
        Roughly the time for everything; there are fewer steps if it is short.
    seed : int
        The seed of first weights, of pieces, and of the series left out.
    device : str

    Returns
    -------
    NodeStack
    """
    start = time.perf_counter()
    config = _config(data, names, causal, list(hidden_sizes))
    kept, left_out = _split(data, seed)
    is_tried = kept.has_labels() and left_out.has_labels()
    with torch.random.fork_rng(devices=[]):
        if seconds is not None:
            pace = _pace(config, data, seed, device)
            affordable = max(0.0, seconds - (time.perf_counter() - start)) / pace
            is_tried = is_tried and affordable * _TRIAL_SHARE / (1 + _TRIAL_SHARE) >= _LEAST_STEPS
            steps = max(1, min(steps, int(affordable / (1 + _TRIAL_SHARE * is_tried))))

        score = None
        if is_tried:
            trial, extractor = _train(config, kept, max(1, int(steps * _TRIAL_SHARE)), seed, device)
            score = _score(trial, extractor, left_out)
        model, extractor = _train(config, data, steps, seed, device)
    return NodeStack(model, extractor, score, steps)


def _config(data: LabelledSeries, names: Sequence[str], causal: bool, sizes: list[int]) -> ChainHeadConfig:
    m = data.series[0].shape[1]
    return default_stack(
        m,
        names,
        max(map(len, data.series)),
        causal=causal,
        hidden_sizes=sizes,
        identity_residual=any(before == after for before, after in zip([m, *sizes], sizes, strict=False)),
        pooling="mean",
        problem_type=None,
    )


def _split(data: LabelledSeries, seed: int) -> tuple[LabelledSeries, LabelledSeries]:
    """Return a part to train on, and a part left out."""
    whole = np.arange(len(data.series))
    if len(whole) >= _LEAST_SERIES:
        order = np.random.default_rng(seed).permutation(len(whole))
        some = len(whole) // _LEFT_OUT
        return _part(data, order[some:]), _part(data, order[:some])
    cuts = [len(own) - len(own) // _LEFT_OUT for own in data.labels]
    kept = _part(data, whole, [slice(cut) for cut in cuts])
    rest = np.array([row for row in whole if cuts[row] < len(data.labels[row])], dtype=int)
    return kept, _part(data, rest, [slice(cuts[row], None) for row in rest])


def _part(data: LabelledSeries, rows: NDArray[np.int64], pieces: list[slice] | None = None) -> LabelledSeries:
    """Return some series, or a piece of each."""
    own = pieces or [slice(None)] * len(rows)
    return LabelledSeries(
        [data.series[row][piece] for row, piece in zip(rows, own, strict=True)],
        [data.labels[row][piece] for row, piece in zip(rows, own, strict=True)],
        None if data.weights is None else data.weights[rows],
    )


def _pace(config: ChainHeadConfig, data: LabelledSeries, seed: int, device: str) -> float:
    """Return the seconds that a step takes."""
    # The first step also pays for what is set up once, so that only the time of later steps counts.
    _train(config, data, 1, seed, device)
    start = time.perf_counter()
    _train(config, data, _STEPS_TO_MEASURE, seed, device)
    return (time.perf_counter() - start) / _STEPS_TO_MEASURE


def _train(
    config: ChainHeadConfig, data: LabelledSeries, steps: int, seed: int, device: str
) -> tuple[ChainHeadForTokenClassification, ChainHeadFeatureExtractor]:
    """Train a new model on pieces of series, each drawn around a node with a label: no batch is without labels."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    extractor = ChainHeadFeatureExtractor(data.series[0].shape[1], interpolate_missing=True)
    extractor.fit(data.series, batched=True)
    scaled = extractor(data.series, padding=False, batched=True)["input_features"]
    collate = ChainHeadDataCollator(extractor)
    rows = np.repeat(np.arange(len(data.labels)), [len(own) for own in data.labels])
    places = np.concatenate([np.arange(len(own)) for own in data.labels])
    labelled = np.flatnonzero(np.concatenate(data.labels) != UNLABELLED)
    chances = None
    if data.weights is not None:  # Nodes that count twice as much are drawn twice as often.
        chances = data.weights[rows[labelled]]
        chances = chances / chances.sum()

    model = ChainHeadForTokenClassification(config).to(device).train()
    optimizer, scheduler = usual_optimizer(model, steps)
    for _ in range(steps):
        pieces = []
        drawn = (
            rng.integers(len(labelled), size=_BATCH)
            if chances is None
            else rng.choice(len(labelled), size=_BATCH, p=chances)
        )
        for node in labelled[drawn]:
            row, place = int(rows[node]), int(places[node])
            first = min(max(0, place - int(rng.integers(_PIECE))), max(0, len(data.labels[row]) - _PIECE))
            piece = slice(first, first + _PIECE)
            pieces.append({"input_features": scaled[row][piece], "labels": data.labels[row][piece]})

        loss = model(**collate(pieces).to(device)).loss
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
    return model.eval(), extractor


def _score(
    model: ChainHeadForTokenClassification, extractor: ChainHeadFeatureExtractor, data: LabelledSeries
) -> float:
    logits = np.concatenate(node_logits(model, extractor, data.series, _BATCH))
    labels = np.concatenate(data.labels)
    known = labels != UNLABELLED
    weights = None
    if data.weights is not None:
        weights = np.repeat(data.weights, [len(own) for own in data.labels])[known]
    return float(np.average(logits[known].argmax(1) == labels[known], weights=weights))


__all__ = ["LabelledSeries", "NodeStack", "fit_node_stack"]
