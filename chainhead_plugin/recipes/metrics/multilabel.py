"""The metrics of several labels at once, by scikit-learn's formulas. A label with a logit above 0 is predicted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.examples import require
from .metric import Metric


def micro_f1(logits: NDArray[Any], indicators: NDArray[Any]) -> float:
    """Return the F1 of all labels of all examples together.

    Parameters
    ----------
    logits : array [examples, labels]
    indicators : array [examples, labels]
        1 for a label that an example has, else 0.
    """
    return float(_sklearn().f1_score(indicators, logits > 0, average="micro", zero_division=0))


def macro_f1(logits: NDArray[Any], indicators: NDArray[Any]) -> float:
    """Return the mean of the labels' F1."""
    return float(_sklearn().f1_score(indicators, logits > 0, average="macro", zero_division=0))


def subset_accuracy(logits: NDArray[Any], indicators: NDArray[Any]) -> float:
    """Return the share of examples all of whose labels are right."""
    return float(_sklearn().accuracy_score(indicators, logits > 0))


def auc(logits: NDArray[Any], indicators: NDArray[Any]) -> float:
    """Return the mean of the labels' areas under the ROC curve; NaN if an area is not defined."""
    return float(np.mean(_aucs(logits, indicators)))


def by_label(
    logits: NDArray[Any], indicators: NDArray[Any], names: Sequence[str]
) -> list[dict[str, float | str | None]]:
    """Return a record for every label: "name", "count" of examples, "precision", "recall", "f1" and "auc".

    Parameters
    ----------
    logits, indicators : arrays [examples, labels]
        As in `micro_f1`.
    names : sequence of str
        The labels.

    Returns
    -------
    list of dict
        Numbers are None if they are not defined.
    """
    columns = _sklearn().precision_recall_fscore_support(
        indicators, logits > 0, average=None, zero_division=np.nan
    )
    records: list[dict[str, float | str | None]] = []
    for name, precision, recall, f1, count, area in zip(
        names, *(each.tolist() for each in columns), _aucs(logits, indicators), strict=True
    ):
        values = {"precision": precision, "recall": recall, "f1": f1, "auc": area}
        defined = {key: None if np.isnan(value) else value for key, value in values.items()}
        records.append({"name": name, "count": int(count), **defined})
    return records


def _aucs(logits: NDArray[Any], indicators: NDArray[Any]) -> list[float]:
    found = []
    for scores, truth in zip(logits.T, indicators.T, strict=True):
        is_defined = 0 < truth.sum() < len(truth) and np.isfinite(scores).all()
        found.append(float(_sklearn().roc_auc_score(truth, scores)) if is_defined else float("nan"))
    return found


def _sklearn() -> Any:
    return require("sklearn.metrics", "scikit-learn")


MULTILABEL_METRICS = (
    Metric("macro_f1", "macro F1", True, macro_f1, percent=True),
    Metric("micro_f1", "micro F1", True, micro_f1, percent=True),
    Metric("subset_accuracy", "subset accuracy", True, subset_accuracy, percent=True),
    Metric("auc", "AUC", True, auc, of_scores=True, has_unit=False),
)
