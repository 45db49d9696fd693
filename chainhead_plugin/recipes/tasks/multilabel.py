"""Several labels at once for every time series."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.multilabel import MULTILABEL_METRICS, by_label
from ..task import PEERS, CardWords
from .series_targets import SeriesTargets

if TYPE_CHECKING:
    from torch import nn

    from ...tables.series import SeriesSet
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe


class SeriesMultilabel(SeriesTargets):
    """Each time series is a chain of nodes, and has any number of labels."""

    name = "time-series-multilabel-classification"
    metrics = MULTILABEL_METRICS
    loss = "binary cross-entropy"
    peers = (*PEERS, "dilated", "inception", "random_chains")
    words = CardWords(summary="A classifier of several labels at once.", preprocessor="extractor")

    def collate(self, targets: Sequence[Any]) -> NDArray[Any]:
        """Return indicators float32 [examples, labels]."""
        return np.asarray(targets, dtype=np.float32)

    def targets_of(self, found: "SeriesSet") -> NDArray[Any]:
        """Return indicators [series, labels]: 1 for labels that a series has, else 0."""
        from ..data.targets import indicators_of

        return indicators_of(found)

    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the fields that map indices to labels, and labels to indices."""
        return {
            "problem_type": "multi_label_classification",
            "id2label": dict(enumerate(names)),
            "label2id": {name: index for index, name in enumerate(names)},
        }

    def findings(self, recipe: "Recipe", data: "Data") -> dict[str, Any]:
        """Return the number of training examples with each label."""
        counts = data.train.labels.sum(0).astype(int).tolist()
        return {"label_counts": dict(zip(data.train.names, counts, strict=True))}

    def inspect(
        self, recipe: "Recipe", model: "nn.Module", inputs: "Inputs", test: "Examples"
    ) -> dict[str, Any]:
        """Return the metrics of every label."""
        from ..training.fitting.predicting import predict

        logits = predict(model, inputs, test.inputs, self).numpy()
        return {"by_label": by_label(logits, self.collate(test.targets()), test.names)}
