"""A number for every time series."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.numbers import NUMBER_METRICS
from ..task import PEERS, CardWords
from .series_targets import SeriesTargets
from .whole_series import PEERS_OF_SERIES

if TYPE_CHECKING:
    from ...tables.series import SeriesSet
    from ..data.examples import Examples
    from ..training.fitting.target_scale import TargetScale


class SeriesRegression(SeriesTargets):
    """Each time series is a chain of nodes, and has a number."""

    name = "time-series-regression"
    metrics = NUMBER_METRICS
    loss = "mean squared error of the standardised number"
    peers = (*PEERS, "dilated", "inception", *PEERS_OF_SERIES, "random_chains")
    default_peers = (*PEERS, "minirocket")
    words = CardWords(summary="A regression of series.", preprocessor="extractor", pipeline="regressor")

    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return numbers float64 [examples]."""
        return np.asarray(targets, dtype=np.float64)

    def targets_of(self, found: "SeriesSet") -> NDArray[Any]:
        """Return the column of numbers, [series]."""
        from ..data.targets import numbers_of

        return numbers_of(found)

    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the fields that name the number."""
        return {"problem_type": "regression", "id2label": {0: names[0]}, "label2id": {names[0]: 0}}

    def target_scale(self, training: "Examples") -> "TargetScale":
        """Return mean and standard deviation of the training part's numbers."""
        from ..training.fitting.target_scale import target_scale

        return target_scale(training)
