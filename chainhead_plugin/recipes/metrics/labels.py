"""The metrics of predicted labels, by scikit-learn's formulas: of examples, or of the nodes that count."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.examples import require
from ..data.node_labels import IGNORED
from .metric import Metric


def accuracy(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share of examples, or nodes, whose largest logit is that of their label.

    Parameters
    ----------
    logits : array [examples, labels] or [chains, length, labels]
    labels : int64 array [examples] or [chains, length]
        -100 for nodes that do not count. At least one node counts.
    """
    logits, labels = _counted(logits, labels)
    return float((logits.argmax(-1) == labels).mean())


def balanced_accuracy(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the mean of the labels' recalls, over all labels that occur."""
    logits, labels = _counted(logits, labels)
    # The value of balanced_accuracy_score, without its warning about labels that are predicted and do not occur.
    return float(
        _sklearn().recall_score(
            labels, logits.argmax(-1), labels=np.unique(labels), average="macro", zero_division=0
        )
    )


def macro_f1(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the mean of the F1 of the labels that occur or are predicted."""
    logits, labels = _counted(logits, labels)
    return float(_sklearn().f1_score(labels, logits.argmax(-1), average="macro", zero_division=0))


def log_loss(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the mean of -log of the probability of the true label; NaN if a logit is not finite."""
    logits, labels = _counted(logits, labels)
    if not np.isfinite(logits).all():
        return float("nan")
    return float(_sklearn().log_loss(labels, softmax(logits), labels=np.arange(logits.shape[-1])))


def auc(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the area under the ROC curve: of the second of two labels, or the mean of each label against the rest.

    It is NaN, as not defined, if a label has no example or a logit is not finite.
    """
    logits, labels = _counted(logits, labels)
    count = logits.shape[-1]
    if len(np.unique(labels)) < count or not np.isfinite(logits).all():
        return float("nan")
    scores = softmax(logits)
    if count == 2:
        return float(_sklearn().roc_auc_score(labels, scores[:, 1]))
    return float(_sklearn().roc_auc_score(labels, scores, multi_class="ovr", labels=np.arange(count)))


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return probabilities [..., labels] in float64."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    powers = np.exp(shifted)
    probabilities: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return probabilities


LABEL_METRICS = (
    Metric("accuracy", "accuracy", True, accuracy, percent=True),
    Metric("balanced_accuracy", "balanced accuracy", True, balanced_accuracy, percent=True),
    Metric("macro_f1", "macro F1", True, macro_f1, percent=True),
    Metric("log_loss", "log loss", False, log_loss, of_scores=True, has_unit=False),
    Metric("auc", "AUC", True, auc, of_scores=True, has_unit=False),
)


def confusion(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, Any]:
    """Return how often each label was predicted for each true label, ready for JSON.

    Parameters
    ----------
    predicted, labels : int64 arrays [examples] or [chains, length]
        Indices into `names`; -100 in `labels` for nodes that do not count.
    names : sequence of str

    Returns
    -------
    dict
        "labels": a record for each label with its name, the number of its examples or nodes, precision, recall and F1,
        None where these are not defined. "counts": a row for each true label, a column for each predicted label.
    """
    counted = labels != IGNORED
    predicted, labels = predicted[counted], labels[counted]
    places = np.arange(len(names))
    counts = _sklearn().confusion_matrix(labels, predicted, labels=places)
    columns = _sklearn().precision_recall_fscore_support(
        labels, predicted, labels=places, zero_division=np.nan
    )
    records = []
    for name, precision, recall, f1, count in zip(names, *(each.tolist() for each in columns), strict=True):
        values = {"precision": precision, "recall": recall, "f1": f1}
        defined = {key: None if np.isnan(value) else value for key, value in values.items()}
        records.append({"name": name, "count": count, **defined})
    return {"labels": records, "counts": counts.tolist()}


def _counted(logits: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    counted = labels != IGNORED
    return logits[counted], labels[counted]


def _sklearn() -> Any:
    return require("sklearn.metrics", "scikit-learn")
