"""How a model's answer changes while a series arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..answering.wanted import Record
from ..inputs.named_sequences import NamedSequence
from .answer import ask, is_measured

if TYPE_CHECKING:
    from .opened import OpenModel

_MOST_POINTS = 60


def arriving_answers(
    model: OpenModel, record: Record
) -> tuple[NDArray[np.intp], dict[str, NDArray[np.float64]]]:
    """Return the probability of each label after the first nodes of a series: its answer had the series ended there.

    Parameters
    ----------
    model : OpenModel
        A classifier of series.
    record : Record
        With `L` nodes.

    Returns
    -------
    counts : int array [points]
        Numbers of first nodes, at most 60, evenly spaced, up to `L`.
    probabilities : dict of arrays [points] by label

    Raises
    ------
    ValueError
        If the model is no classifier of series, or does not answer to beginnings.
    """
    if model.answers.task != "time-series-classification" or is_measured(model):
        raise ValueError("only answers that are labels of series can be watched as nodes arrive")
    nodes = record.data.nodes
    counts = np.unique(np.linspace(1, len(nodes), min(_MOST_POINTS, len(nodes))).round().astype(np.intp))
    beginnings = [Record(NamedSequence(nodes[:count]), {}) for count in counts]
    results = [{row["label"]: row["score"] for row in result} for result in ask(model, beginnings)]
    labels = model.pipe.model.config.id2label.values()
    return counts, {label: np.array([result[label] for result in results]) for label in labels}
