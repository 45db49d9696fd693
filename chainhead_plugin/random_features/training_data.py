"""Series and labels to train on, checked before anything is computed."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..checks.precision import check_apart_in_float32
from ..checks.values import check_choice

_PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")


def as_chains(series: Any) -> list[NDArray[np.float32]]:
    """Return series as float32 arrays [length, m].

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two series, or a series does not consist of numbers, has no node, has another number of
        features than the first, or holds a value that is not finite in float32. The message names the series.
    """
    chains = []
    for number, given in enumerate(series):
        array = given.detach().cpu().float().numpy() if isinstance(given, Tensor) else np.asarray(given)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"series {number} holds {array.dtype}, expected numbers")
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(
                f"series {number} has shape {list(array.shape)}, expected [length, m] of at least 1"
            )
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(array, dtype=np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"series {number} holds a value that is not finite in float32")
        chains.append(array)

    if len(chains) < 2:
        raise ValueError(f"expected at least 2 series, got {len(chains)}")

    widths = sorted({chain.shape[1] for chain in chains})
    if len(widths) > 1:
        raise ValueError(
            f"series have from {widths[0]} to {widths[-1]} features a node, expected the same number in all"
        )
    return chains


def as_targets(
    labels: Any, count: int, problem_type: str, id2label: dict[int, str] | None
) -> tuple[Tensor, int]:
    """Return labels as a tensor, and the number of labels.

    Parameters
    ----------
    labels : array or sequence
        Indices of labels, indicators of several labels, or values, as `problem_type` needs them.
    count : int
        The number of series.
    problem_type : str
        As in the configuration of transformers: "single_label_classification", "multi_label_classification" or
        "regression".
    id2label : dict of str by int, optional
        Names of the labels.

    Returns
    -------
    targets : int64 Tensor [series], or float64 Tensor [series, labels]
    num_labels : int

    Raises
    ------
    TypeError, ValueError
        If the labels do not fit the problem type, the number of series or the names.
    """
    check_choice("problem_type", problem_type, _PROBLEM_TYPES)
    array = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.dtype.kind not in ("iub" if problem_type.startswith("single") else "iubf"):
        raise TypeError(
            f"labels hold {array.dtype}, expected numbers of labels: map names to 0, 1, 2, … first"
        )

    if len(array) != count:
        raise ValueError(f"got {len(array)} labels for {count} series")

    if problem_type == "single_label_classification":
        if array.ndim != 1:
            raise ValueError(f"labels have shape {list(array.shape)}, expected [series]")
        found = int(array.max()) + 1
        num_labels = found if id2label is None else len(id2label)
        if array.min() < 0 or found > num_labels:
            raise ValueError(
                f"labels are from {array.min()} to {array.max()}, expected 0 to {num_labels - 1}"
            )
        if len(np.unique(array)) < 2:
            raise ValueError("all labels are the same: there is nothing to learn")
        return torch.from_numpy(array.astype(np.int64)), max(num_labels, 2)

    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not np.isfinite(array).all():
        raise ValueError("labels must be finite, of shape [series] or [series, num_labels]")
    if problem_type == "multi_label_classification" and not np.isin(array, (0, 1)).all():
        raise ValueError("of multi_label_classification labels must be 0 or 1")
    if id2label is not None and len(id2label) != array.shape[1]:
        raise ValueError(f"id2label names {len(id2label)} labels, but there are {array.shape[1]}")
    if problem_type == "regression":
        check_apart_in_float32("labels", array)
    return torch.from_numpy(array.astype(np.float64)), array.shape[1]


def as_weights(weights: Any, count: int) -> Tensor:
    """Return weights of series as a float64 tensor [series].

    Raises
    ------
    ValueError
        If they are not one positive, finite number for each of the `count` series.
    """
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (count,) or not (np.isfinite(array).all() and (array > 0).all()):
        raise ValueError(
            f"sample_weight of shape {list(array.shape)} must hold a positive, finite number for each of {count} series"
        )
    return torch.from_numpy(array)


def standardised_targets(
    targets: Tensor, num_labels: int, problem_type: str
) -> tuple[Tensor, Tensor | float, Tensor | float]:
    """Return targets for the regression: float64 [series, labels], and an offset and a factor to undo the scaling.

    Parameters
    ----------
    targets : int64 Tensor [series], or float64 Tensor [series, labels]
        From `as_targets`.
    num_labels : int
    problem_type : str

    Returns
    -------
    standardised : float64 Tensor [series, labels]
    offset, factor : float64 Tensor [labels], or float
        ``standardised * factor + offset`` are the targets.
    """
    if problem_type == "regression":
        centre, spread = targets.mean(0), targets.std(0, correction=0)
        spread = spread.where(spread > 0, 1)
        return (targets - centre) / spread, centre, spread
    if not targets.is_floating_point():
        targets = F.one_hot(targets, num_labels).double()
    return targets * 2 - 1, 0.0, 1.0
