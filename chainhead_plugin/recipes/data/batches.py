"""Batches of examples of similar length, which share little padding and fit into memory."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Numbers of a batch, padding included: an encoder's hidden states are some hundred times as large as a sound.
_MOST_NUMBERS = 2**20


def similar_batches(examples: Sequence[Any], most: int) -> Iterator[NDArray[np.intp]]:
    """Yield the places of examples in batches, the shortest examples first.

    Batches are padded to their longest example, so that a few long texts among many short would cost several times as
    much as all others.

    Parameters
    ----------
    examples : sequence of arrays or texts
    most : int
        Examples of a batch. Batches of arrays have at most 2²⁰ numbers, but at least one array.
    """
    order = np.argsort([len(example) for example in examples], kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        # The next example would be the longest of the batch, to which all others are padded.
        if stop == len(order) or stop - start + 1 > batch_size(examples[order[stop]], most):
            yield order[start:stop]
            start = stop


def batch_size(example: Any, most: int) -> int:
    """Return how many examples of this size fit into a batch of at most so many."""
    return max(1, min(most, _MOST_NUMBERS // max(1, np.size(example))))
