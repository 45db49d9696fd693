"""Classifiers and regressors of whole series from aeon, with their authors' settings."""

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks.packages import missing_package
from ..errors import RecipeError


@dataclass(frozen=True)
class SeriesPeer:
    """A model of aeon.

    Attributes
    ----------
    title : str
        Its name in the card.
    module : str
        The name of its module in `aeon.classification` and `aeon.regression`.
    kind : str
        The name of its class, without "Classifier" or "Regressor".
    options : dict
        The arguments of its class.
    is_random : bool
        Whether it depends on a seed.
    shortest : int, optional
        The fewest nodes that it takes, if all series must have the same length; None if lengths may differ.
    gives_scores : bool
        Whether it gives a score for every label, or else only predicts a label.
    is_weighted : bool
        Whether labels can have weights.
    """

    title: str
    module: str
    kind: str
    options: dict[str, Any]
    is_random: bool = True
    shortest: int | None = None
    gives_scores: bool = False
    is_weighted: bool = True


SERIES_PEERS = {
    "minirocket": SeriesPeer("MiniRocket", "convolution_based", "MiniRocket", {"n_jobs": 1}, shortest=9),
    "multirocket_hydra": SeriesPeer(
        "MultiRocket-Hydra", "convolution_based", "MultiRocketHydra", {"n_jobs": 1}, shortest=10
    ),
    "quant": SeriesPeer("QUANT", "interval_based", "QUANT", {}, shortest=2, gives_scores=True),
    "dtw": SeriesPeer(
        "1-NN DTW",
        "distance_based",
        "KNeighborsTimeSeries",
        {"distance": "dtw", "n_neighbors": 1, "n_jobs": 1},
        is_random=False,
        is_weighted=False,
    ),
}


class FittedSeriesPeer:
    """A model of aeon, fitted to the nodes that a recipe's model reads.

    Parameters
    ----------
    name : str
        A key of `SERIES_PEERS`.
    series : sequence of float arrays [L_i, m]
    targets : int64 array [series] of labels, or float array [series] of values
    label_count : int, optional
        The number of labels; None for values.
    seed : int
    threads : int
        Threads of the CPU.
    weights : float array [labels], optional
        The weights of labels, which only some peers take.

    Raises
    ------
    RecipeError
        If aeon is not installed.
    """

    def __init__(
        self,
        name: str,
        series: Sequence[NDArray[Any]],
        targets: NDArray[Any],
        *,
        label_count: int | None,
        seed: int,
        threads: int = 1,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        peer = SERIES_PEERS[name]
        self._label_count = label_count
        self._length = None if peer.shortest is None else max(peer.shortest, *map(len, series))
        options = dict(peer.options)
        if "n_jobs" in options:
            options["n_jobs"] = threads
        if peer.is_random:
            options["random_state"] = seed
        if weights is not None and peer.is_weighted:
            options["class_weight"] = dict(enumerate(weights.tolist()))
        self._model = _class_of(peer, label_count is not None)(**options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model.fit(self._taken(series), targets)

    def predict(self, series: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Return the logarithm of every label's probability [series, labels], or values [series, 1]."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._label_count is None:
                return np.asarray(self._model.predict(self._taken(series)), dtype=np.float64)[:, np.newaxis]
            found = self._model.predict_proba(self._taken(series))
        # Labels without a training example have no probability.
        probabilities = np.zeros((len(found), self._label_count))
        probabilities[:, np.asarray(self._model.classes_, dtype=np.int64)] = found
        return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))

    def _taken(self, series: Sequence[NDArray[Any]]) -> Any:
        """Return series for aeon, channels first, filled with zeros or cut if the peer needs equal lengths."""
        chains = [np.asarray(one, dtype=np.float64).T for one in series]
        if self._length is None:
            same = len({chain.shape for chain in chains}) == 1
            return np.stack(chains) if same else chains
        filled = np.zeros((len(chains), chains[0].shape[0], self._length))
        for row, chain in zip(filled, chains, strict=True):
            length = min(chain.shape[1], self._length)
            row[:, :length] = chain[:, :length]
        return filled


def why_not(name: str, lengths: Sequence[int]) -> str | None:
    """Return the reason why a peer cannot be run, None if it can.

    Parameters
    ----------
    name : str
        A key of `SERIES_PEERS`.
    lengths : sequence of int
        The lengths of all series.
    """
    try:
        _class_of(SERIES_PEERS[name], True)
    except RecipeError as error:
        return str(error)
    if name == "dtw" and min(lengths) < 2:
        return "series of one node cannot be warped"
    return None


def padding_of(name: str, trained: Sequence[int], tested: Sequence[int]) -> str | None:
    """Return words for how series are cut or filled to a length that a peer takes, None if they are unchanged.

    Parameters
    ----------
    name : str
        A key of `SERIES_PEERS`.
    trained, tested : sequence of int
        The lengths of the series to train on, and to predict.
    """
    shortest = SERIES_PEERS[name].shortest
    if shortest is None:
        return None
    length = max(shortest, *trained)
    if {*trained, *tested} == {length}:
        return None
    cut = ", longer ones cut" if max(tested) > length else ""
    return f"series filled with zeros to {length} nodes{cut}"


def _class_of(peer: SeriesPeer, of_labels: bool) -> Any:
    kind = "Classifier" if of_labels else "Regressor"
    room = "classification" if of_labels else "regression"
    try:
        module = importlib.import_module(f"aeon.{room}.{peer.module}")
    except ModuleNotFoundError as error:
        raise RecipeError(missing_package("it", "aeon")) from error
    return getattr(module, f"{peer.kind}{kind}")
