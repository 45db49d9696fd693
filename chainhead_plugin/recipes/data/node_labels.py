"""Labels of nodes: those of several chains in one array, and how many of them a model gets right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of nodes that do not count: padding, and nodes without a label. The losses of transformers pass over it.
IGNORED = -100


def pad_labels(labels: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return labels [L_i] of chains as one array [chains, longest], -100 behind a chain's end."""
    padded = np.full((len(labels), max(map(len, labels))), IGNORED, dtype=np.int64)
    for row, label in zip(padded, labels, strict=True):
        row[: len(label)] = label
    return padded


def number_labels(raw: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number raw labels [L_i] of chains in the order of their sorted values.

    Parameters
    ----------
    raw : sequence of arrays [L_i]
        Texts or integers, -100 for a node without a label.

    Returns
    -------
    labels : int64 array [chains, longest]
        As `pad_labels` gives them.
    names : tuple of str
    """
    joined = np.concatenate(raw)
    counted = joined != IGNORED if joined.dtype.kind in "iu" else np.ones(len(joined), dtype=bool)
    values, numbers = np.unique(joined[counted], return_inverse=True)
    labels = np.full(len(joined), IGNORED, dtype=np.int64)
    labels[counted] = numbers
    ends = np.cumsum([len(one) for one in raw])[:-1]
    return pad_labels(np.split(labels, ends)), tuple(str(value) for value in values.tolist())
