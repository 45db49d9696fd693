"""The classifiers that are compared, each with the settings that its authors ship."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .sets import Series

BASE = "MiniRocket"


@dataclass(frozen=True)
class Contestant:
    """A classifier.

    Attributes
    ----------
    make : callable
        From a seed to an estimator that is not fitted.
    is_ours : bool
    is_random : bool
        Whether a seed changes anything; otherwise the first is enough.
    """

    make: Callable[[int], Any]
    is_ours: bool = False
    is_random: bool = True


def _ours(causal: bool) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        from chainhead_plugin.estimators import ChainHeadClassifier

        return ChainHeadClassifier(causal=causal, random_state=seed, n_jobs=1)

    return make


class _Stack:
    """`fit_stack` with its defaults, as an estimator."""

    def __init__(self, seed: int):
        self.seed = seed

    def fit(self, series: Any, labels: np.ndarray) -> None:
        from chainhead_plugin.recipes.stacks import fit_stack

        self.names, numbers = np.unique(labels, return_inverse=True)
        self.fitted = fit_stack(
            [each.T for each in series], numbers, [*map(str, self.names)], seed=self.seed, threads=1
        )

    def predict(self, series: Any) -> np.ndarray:
        model, extractor = self.fitted.model, self.fitted.extractor
        found = []
        for start in range(0, len(series), 64):
            chains = [each.T for each in series[start : start + 64]]
            with torch.no_grad():
                logits = model(**extractor(chains, batched=True, return_tensors="pt")).logits
            found.append(self.names[logits.argmax(1).numpy()])
        return np.concatenate(found)


def _rocket(name: str) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        from aeon.classification import convolution_based

        return getattr(convolution_based, f"{name}Classifier")(random_state=seed, n_jobs=1)

    return make


def _quant(seed: int) -> Any:
    from aeon.classification.interval_based import QUANTClassifier

    return QUANTClassifier(random_state=seed)


def _dtw(seed: int) -> Any:
    from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

    return KNeighborsTimeSeriesClassifier(
        n_neighbors=1, distance="dtw", distance_params={"window": 0.1}, n_jobs=1
    )


CONTESTANTS: Mapping[str, Contestant] = {
    "ChainHeadClassifier": Contestant(_ours(causal=True), is_ours=True),
    "ChainHeadClassifier, causal=False": Contestant(_ours(causal=False), is_ours=True),
    "trained stack": Contestant(_Stack, is_ours=True),
    "MiniRocket": Contestant(_rocket("MiniRocket")),
    "MultiRocket": Contestant(_rocket("MultiRocket")),
    "Hydra": Contestant(_rocket("Hydra")),
    "MultiRocketHydra": Contestant(_rocket("MultiRocketHydra")),
    "QUANT": Contestant(_quant),
    "1-NN DTW": Contestant(_dtw, is_random=False),
}
# Each takes part where its option is given.
SLOW = {"1-NN DTW": "--dtw", "trained stack": "--stack"}


def as_taken(contestant: Contestant, series: Series, longest: int) -> Any:
    """Return series as a contestant takes them.

    Parameters
    ----------
    contestant : Contestant
    series : list of arrays [channels, length]
    longest : int
        Nodes of the longest training series. Peers that need series of equal length get shorter series with zeros at
        the end, and longer series cut.

    Returns
    -------
    list or array [series, channels, length]
    """
    lengths = {each.shape[1] for each in series}
    if lengths == {longest}:
        return np.stack(series)
    if contestant.is_ours or contestant.make(0).get_tag("capability:unequal_length"):
        return series
    padded = np.zeros((len(series), series[0].shape[0], longest), np.float32)
    for row, each in enumerate(series):
        padded[row, :, : each.shape[1]] = each[:, :longest]
    return padded
