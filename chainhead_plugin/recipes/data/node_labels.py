"""Labels of nodes: those of several chains in one array, and how many of them a model gets right."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of nodes that do not count: padding, and nodes without a label. The losses of transformers pass over it.
IGNORED = -100
_WHOLE = re.compile(r"0|-?[1-9]\d*", re.ASCII)


def pad_labels(labels: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return labels [L_i] of chains as one array [chains, longest], -100 behind a chain's end."""
    padded = np.full((len(labels), max(map(len, labels))), IGNORED, dtype=np.int64)
    for row, label in zip(padded, labels, strict=True):
        row[: len(label)] = label
    return padded


def is_label(text: str) -> bool:
    """Tell the text of a node's label from that of a node without one, which is empty, or -100 as in arrays."""
    return bool(text.strip()) and text.strip() != str(IGNORED)


def number_labels(raw: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number the labels [L_i] of chains, texts of which `is_label` tells, in the order of `sorted_names`.

    Returns
    -------
    labels : int64 array [chains, longest]
        As `pad_labels` gives them.
    names : tuple of str
    """
    names = sorted_names({text for one in raw for text in one if is_label(text)})
    numbers = {name: number for number, name in enumerate(names)}
    labels = [np.array([numbers.get(text, IGNORED) for text in one], dtype=np.int64) for one in raw]
    return pad_labels(labels), names


def sorted_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels in the order of their numbers where all are whole numbers, else in that of their texts."""
    found = sorted(set(labels))
    if all(_WHOLE.fullmatch(label) for label in found):
        found.sort(key=int)
    return tuple(found)
