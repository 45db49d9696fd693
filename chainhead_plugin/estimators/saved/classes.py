"""The classes of a classifier or a segmenter: beside a saved model, and what `class_weight` adds to their scores."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .state import classes_from_json


def class_shifts(
    class_weight: Any,
    classes: NDArray[Any],
    labels: NDArray[Any],
    sample_weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the numbers that `class_weight` adds to the logits: float64 [labels].

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn: a factor for each label.
    classes : array [labels]
        The different labels, sorted.
    labels : array [any number]
        The training labels, whose frequencies "balanced" makes up for.
    sample_weight : array [any number], optional
        How much each label counts in these frequencies.

    Raises
    ------
    ValueError
        If a factor is not positive.
    """
    from sklearn.utils import compute_class_weight

    if isinstance(class_weight, str) and class_weight == "balanced" and sample_weight is not None:
        found = np.searchsorted(classes, labels)
        class_weight = dict(zip(classes, 1 / np.bincount(found, sample_weight), strict=True))
    weights = compute_class_weight(class_weight, classes=classes, y=labels)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(f"class_weight must be positive, got {class_weight!r}")
    shifts: NDArray[np.float64] = np.log(weights) - np.log(weights).mean()
    return shifts


def loaded_classes(state: dict[str, Any], config: Any) -> NDArray[Any]:
    """Return the classes of a loaded model: those of the estimator's state, or else the names of the model's labels.

    Raises
    ------
    ValueError
        If there are more or fewer classes than the model has labels.
    """
    names = [config.id2label[number] for number in range(config.num_labels)]
    classes = classes_from_json(state["classes_"]) if "classes_" in state else np.array(names)
    if len(classes) != config.num_labels:
        raise ValueError(f"the model has {config.num_labels} labels, but there are {len(classes)} classes")
    return classes


__all__ = ["class_shifts", "loaded_classes"]
