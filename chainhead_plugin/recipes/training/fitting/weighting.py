"""Weights of labels, by which examples count more or less in training."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...data.examples import Examples, require
from ...data.node_labels import IGNORED
from ...errors import RecipeError
from ...fields.weights import BALANCED
from ...recipe import Recipe


def class_weights(stated: str | Mapping[str, float] | None, training: Examples) -> NDArray[np.float64] | None:
    """Return the weight of every label of a training part, [labels]; None if no weights are stated.

    Parameters
    ----------
    stated : "balanced", mapping or None
        As in a recipe. "balanced" weights are those of scikit-learn: examples / (labels · examples of the label).
    training : Examples

    Raises
    ------
    RecipeError
        If the training part does not have a label that is named.
    """
    if stated is None:
        return None
    weights = np.ones(len(training.names))
    if stated == BALANCED:
        labels = training.labels[training.labels != IGNORED]
        present = np.unique(labels)
        compute = require("sklearn.utils.class_weight", "scikit-learn").compute_class_weight
        weights[present] = compute(BALANCED, classes=present, y=labels)
        return weights
    assert isinstance(stated, Mapping)
    # YAML reads a label such as 1 as a number.
    by_name = {str(label): weight for label, weight in stated.items()}
    if unknown := [label for label in by_name if label not in training.names]:
        raise RecipeError(
            f"class_weight names the label {unknown[0]!r}; the data have {', '.join(training.names)}"
        )
    return np.array([by_name.get(name, 1.0) for name in training.names], dtype=np.float64)


def weighted_loss(recipe: Recipe, training: Examples) -> Callable[..., Tensor] | None:
    """Return the Trainer's loss for a recipe with weights of labels; None without weights, for the models' own loss.

    It is the sum of weight · cross-entropy over examples, or nodes that count, divided by their number in all
    accumulated batches.
    """
    weights = class_weights(recipe.class_weight, training)
    if weights is None:
        return None
    smoothing = float(recipe.training.get("label_smoothing_factor", 0.0))

    def loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        logits: Tensor = outputs["logits"]
        total = F.cross_entropy(
            logits.flatten(0, -2),
            labels.flatten(),
            weight=torch.from_numpy(weights).to(logits),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=smoothing,
        )
        return total / ((labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch)

    return loss
