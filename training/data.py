"""The Japanese Vowels problem, from the files that ship with aeon."""

from typing import NamedTuple

import numpy as np
from aeon.datasets import load_japanese_vowels
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

FEATURES = 12
SPEAKERS = tuple(f"speaker {number}" for number in range(1, 10))
_FOLDS = 5


class Chains(NamedTuple):
    """Labelled chains: `nodes[i]` is [L_i, 12], `labels[i]` an index into `SPEAKERS`."""

    nodes: list[NDArray[np.float64]]
    labels: NDArray[np.int64]

    def take(self, indices: NDArray[np.int64]) -> "Chains":
        """Select chains by index."""
        return Chains([self.nodes[index] for index in indices], self.labels[indices])


def load(split: str) -> Chains:
    """Load an official split, without network.

    Parameters
    ----------
    split : {"TRAIN", "TEST"}

    Returns
    -------
    Chains
        270 chains of "TRAIN", 30 a speaker, or 370 of "TEST".
    """
    series, speakers = load_japanese_vowels(split)
    return Chains([np.ascontiguousarray(one.T) for one in series], speakers.astype(np.int64) - 1)


def folds(chains: Chains) -> list[tuple[Chains, Chains]]:
    """Split chains into training and validation parts, five times, with as many of every speaker in each."""
    splitter = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    return [
        (chains.take(kept), chains.take(held_out))
        for kept, held_out in splitter.split(np.zeros(len(chains.labels)), chains.labels)
    ]
