"""Compose chains in which several speakers take turns from utterances of single speakers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHORTEST, _LONGEST = 4, 8


def compose_turns(
    utterances: Sequence[NDArray[Any]], speakers: NDArray[np.int64], rounds: int, seed: int
) -> tuple[list[NDArray[Any]], list[NDArray[np.int64]]]:
    """Join utterances at random into chains of 4 to 8 utterances, in which no speaker has two turns in a row.

    Parameters
    ----------
    utterances : sequence of arrays [L_i, m]
        At least four.
    speakers : int array [len(utterances)]
        The speaker of each utterance. No speaker has more than half of the utterances.
    rounds : int
        How often every utterance is used, each time in another chain.
    seed : int
        The seed of the random order.

    Returns
    -------
    chains : list of arrays [L, m]
    labels : list of int64 arrays [L]
        The speaker of every frame.
    """
    rng = np.random.default_rng(seed)
    chains, labels = [], []
    for _ in range(rounds):
        order = _alternate(speakers, rng)
        while order:
            count = rng.choice(_counts(len(order)))
            turns, order = order[:count], order[count:]
            chains.append(np.concatenate([utterances[turn] for turn in turns]))
            labels.append(np.repeat(speakers[turns], [len(utterances[turn]) for turn in turns]))
    return chains, labels


def _alternate(speakers: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    """Return the indices of all utterances in a random order in which no neighbours have the same speaker."""
    order: list[int] = []
    rest = rng.permutation(len(speakers))
    while len(rest):
        counts = np.bincount(speakers[rest])
        fits = np.ones(len(rest), dtype=bool)
        if order:
            fits = speakers[rest] != speakers[order[-1]]
        if 2 * counts.max() > len(rest):
            # A speaker with more than half of the rest has to come next, or two of his turns would meet in the end.
            fits &= speakers[rest] == counts.argmax()
        place = int(fits.argmax())
        order.append(int(rest[place]))
        rest = np.delete(rest, place)
    return order


def _counts(left: int) -> list[int]:
    """Return the numbers of utterances that the next chain may take, so that enough are left for the last chain."""
    return [count for count in range(_SHORTEST, _LONGEST + 1) if left == count or left - count >= _SHORTEST]
