"""Labels of every node of series, in the data types that users have, turned into indices of classes."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The index of a node without a label, as everywhere in transformers.
UNLABELLED = -100
_EXPECTED = "a list of label arrays [length], one for every series"


def read_node_labels(X: Any, y: Any, lengths: Sequence[int]) -> list[NDArray[Any]]:
    """Return an array of labels for every series.

    Parameters
    ----------
    X : object
        The series, as they were given. If this is a DataFrame with an index of two levels, series and time, then `y`
        may be a pandas Series with the same index.
    y : list of arrays [length], array [series, length], or pandas Series
        A label for every node.
    lengths : sequence of int
        The number of nodes of each series.

    Raises
    ------
    TypeError, ValueError
        If `y` is nothing of this, does not fit the series, or mixes kinds of labels; the message says where.
    """
    if _is_series(y):
        return _of_series(X, y, lengths)
    if isinstance(y, str | dict) or not hasattr(y, "__len__"):
        raise TypeError(f"y is of the type {type(y).__name__}, expected {_EXPECTED}")
    if len(y) != len(lengths):
        hint = ": a single series is given as a list of one, with its labels as a list of one"
        raise ValueError(
            f"y holds {len(y)} entries for {len(lengths)} series, expected {_EXPECTED}"
            f"{hint if len(y) == lengths[0] or len(y) == sum(lengths) else ''}"
        )

    found = [_as_labels(number, one) for number, one in enumerate(_values(y))]
    for number, (labels, length) in enumerate(zip(found, lengths, strict=True)):
        if labels.ndim != 1:
            raise ValueError(
                f"the labels of series {number} have shape {list(labels.shape)}, expected {_EXPECTED}"
            )
        if len(labels) != length:
            raise ValueError(
                f"series {number} has {length} nodes, but {len(labels)} labels: expected one for every node"
            )
    kinds = {"i" if labels.dtype.kind in "iu" else labels.dtype.kind for labels in found}
    if len(kinds) > 1:
        raise TypeError(
            f"the labels of series are of different types, {' and '.join(sorted({str(f.dtype) for f in found}))}: "
            "expected the same type for all"
        )
    return found


def number_labels(
    labels: Sequence[NDArray[Any]], unlabelled: Any
) -> tuple[NDArray[Any], list[NDArray[np.int64]]]:
    """Return the classes, sorted, and for every node the index of its class.

    Parameters
    ----------
    labels : sequence of arrays [length]
        From `read_node_labels`.
    unlabelled : object
        The label of nodes that have none; their index is -100. None if every node has a label.

    Raises
    ------
    ValueError
        If a label is NaN, infinite or missing, or there are fewer than two classes.
    """
    joined = np.concatenate(labels)
    known = np.ones(len(joined), bool) if unlabelled is None else joined != unlabelled
    if joined.dtype.kind == "f" and not np.isfinite(joined[known]).all():
        raise ValueError("y holds NaN or infinity: name the label of nodes without one by unlabelled")
    if joined.dtype.kind == "O" and any(map(is_missing_label, joined[known])):
        raise ValueError(
            "y holds None or NaN: give nodes without a label one of their own, such as an empty text, and name it by "
            "unlabelled"
        )
    try:
        classes, found = np.unique(joined[known], return_inverse=True)
    except TypeError as error:
        raise ValueError(f"the labels of y cannot be sorted: {error}") from error
    if len(classes) < 2:
        raise ValueError(f"y holds the classes {classes.tolist()!r}: expected at least two")
    numbers = np.full(len(joined), UNLABELLED, np.int64)
    numbers[known] = found
    return classes, np.split(numbers, np.cumsum([len(one) for one in labels])[:-1])


def is_missing_label(label: Any) -> bool:
    """Tell whether a label is None, the float that is no number, or pandas' NA."""
    return label is None or type(label).__name__ in ("NAType", "NaTType") or bool(label != label)  # noqa: PLR0124


def _is_series(y: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(y, pandas.Series)


def _of_series(X: Any, y: Any, lengths: Sequence[int]) -> list[NDArray[Any]]:
    index = getattr(X, "index", None)
    if getattr(index, "nlevels", 1) == 2:
        if not y.index.equals(index):
            raise ValueError("the index of y differs from that of X: expected a label for every row of X")
        values = _as_labels(0, y.to_numpy())
        groups = y.groupby(level=0, sort=False).indices
        return [values[rows] for rows in groups.values()]
    return read_node_labels(X, y.tolist(), lengths)


def _values(y: Any) -> Any:
    return y.detach().cpu().numpy() if hasattr(y, "detach") else y


def _as_labels(number: int, one: Any) -> NDArray[Any]:
    labels = np.asarray(_values(one))
    if labels.dtype.kind not in "iufbUO":
        raise TypeError(f"the labels of series {number} hold {labels.dtype}, expected numbers or texts")
    return labels


__all__ = ["UNLABELLED", "is_missing_label", "number_labels", "read_node_labels"]
