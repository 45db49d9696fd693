"""Labels of nodes: numbered, and padded to one array for several chains."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The label of nodes that do not count: padding, and nodes without a label. The losses of transformers ignore it.
IGNORED = -100
_WHOLE = re.compile(r"0|-?[1-9]\d*", re.ASCII)


def pad_labels(labels: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return labels [L_i] of chains as a single array [chains, longest], -100 behind a chain's end."""
    padded = np.full((len(labels), max(map(len, labels))), IGNORED, dtype=np.int64)
    for row, label in zip(padded, labels, strict=True):
        row[: len(label)] = label
    return padded


def is_label(text: str) -> bool:
    """Whether a text is a node's label; nodes without a label have an empty text, or -100 as in arrays."""
    return bool(text.strip()) and text.strip() != str(IGNORED)


def number_labels(raw: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number the labels of chains in the order of `sorted_names`.

    Parameters
    ----------
    raw : sequence of arrays [L_i]
        A text for each node; `is_label` tells whether it is a label.

    Returns
    -------
    labels : int64 array [chains, longest]
        Indices into `names`, padded as by `pad_labels`.
    names : tuple of str
        The labels.
    """
    names = sorted_names({text for one in raw for text in one if is_label(text)})
    numbers = {name: number for number, name in enumerate(names)}
    labels = [np.array([numbers.get(text, IGNORED) for text in one], dtype=np.int64) for one in raw]
    return pad_labels(labels), names


def sorted_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return different labels, sorted as numbers if all are whole numbers, and else as texts."""
    found = sorted(set(labels))
    if all(_WHOLE.fullmatch(label) for label in found):
        found.sort(key=int)
    return tuple(found)
