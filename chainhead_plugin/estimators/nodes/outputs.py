"""A model's outputs for every node of series: in batches, and of long series in pieces that overlap."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...config.configuration_chainhead import ChainHeadConfig
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...models.modeling_chainhead import ChainHeadForTokenClassification

# The most nodes of a batch, padding included, and the nodes of a piece without its margins.
_MOST_NODES = 2**16
_PIECE = 2**14


class _Piece(NamedTuple):
    """Nodes `start` to `stop` of a series, of which `first` to `last` are asked for."""

    series: int
    start: int
    stop: int
    first: int
    last: int


def node_logits(
    model: ChainHeadForTokenClassification,
    extractor: ChainHeadFeatureExtractor,
    series: Sequence[NDArray[np.floating]],
    batch_size: int,
) -> list[NDArray[np.float64]]:
    """Return the model's outputs for every node of every series.

    A series longer than 16,384 nodes is computed in pieces, if its nodes depend on a bounded number of neighbours.
    Each piece has so many neighbours at its ends that nothing changes.

    Parameters
    ----------
    model : ChainHeadForTokenClassification
        In eval mode.
    extractor : ChainHeadFeatureExtractor
    series : sequence of arrays [length, m]
    batch_size : int
        The most series, or pieces, that are computed at once.

    Returns
    -------
    list of float64 arrays [length, num_labels]
    """
    found = [np.empty((len(one), model.config.num_labels)) for one in series]
    # Before a series is cut, as statistics may be those of the whole series.
    scaled = extractor(list(series), padding=False, batched=True)["input_features"]
    pieces = _pieces([len(one) for one in series], reach_of(model.config))
    pieces.sort(key=lambda piece: piece.stop - piece.start)
    while pieces:
        longest = pieces[-1].stop - pieces[-1].start
        count = max(1, min(batch_size, _MOST_NODES // longest))
        some, pieces = pieces[-count:], pieces[:-count]
        nodes = [scaled[piece.series][piece.start : piece.stop] for piece in some]
        batch = extractor.pad({"input_features": nodes}, return_attention_mask=True, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**batch.to(model.device)).logits.double().cpu().numpy()
        is_left = extractor.padding_side == "left"
        for piece, rows in zip(some, logits, strict=True):
            kept = rows[len(rows) - (piece.stop - piece.start) :] if is_left else rows
            found[piece.series][piece.first : piece.last] = kept[
                piece.first - piece.start : piece.last - piece.start
            ]
    return found


def probabilities_of(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities [rows, labels] that belong to logits [rows, labels]."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    found: NDArray[np.float64] = exponentials / exponentials.sum(1, keepdims=True)
    return found


def reach_of(config: ChainHeadConfig) -> int | None:
    """Return how many nodes away a node's neighbours may be; None if all nodes of a series may matter.

    Only stacks with hops are known to look at a bounded number of neighbours.
    """
    if config.channel_hops is None or config.backbone_config is not None:
        return None
    heads = [config.layer_options(layer)[1] for layer in range(config.num_hidden_layers)]
    reach = sum(max(abs(hop) for hop in head.channel_hops or [0]) for head in heads)
    return reach + (1 if config.with_differences else 0)


def _pieces(lengths: Sequence[int], reach: int | None) -> list[_Piece]:
    pieces = []
    for number, length in enumerate(lengths):
        size = length if reach is None or length <= _PIECE else _PIECE
        for first in range(0, length, size):
            last = min(first + size, length)
            margin = reach or 0
            pieces.append(_Piece(number, max(0, first - margin), min(length, last + margin), first, last))
    return pieces


__all__ = ["node_logits", "probabilities_of", "reach_of"]
