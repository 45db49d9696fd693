"""Missing values put on the straight line between the observed values around them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fill_missing(
    nodes: NDArray[np.floating], lengths: NDArray[np.intp], otherwise: Sequence[float] | None = None
) -> NDArray[np.floating]:
    """Put missing values on the straight line between the observed values of their feature around them.

    Before the first observed value of a series, and after the last, that value is repeated.

    Parameters
    ----------
    nodes : float array [sum(lengths), m]
        The nodes of all series, joined; NaN is a missing value.
    lengths : int array [series]
        Nodes of each series, at least 1.
    otherwise : sequence of float, optional
        For every feature its value where a series has none at all.

    Returns
    -------
    float array [sum(lengths), m]
        `nodes` itself if no value is missing.

    Raises
    ------
    ValueError
        If a series has no value of a feature, and `otherwise` is not given; names both.
    """
    missing = np.isnan(nodes)
    if not missing.any():
        return nodes

    filled = nodes.copy()
    ends = np.cumsum(lengths)
    places = np.arange(len(nodes))
    first = np.repeat(ends - lengths, lengths)  # [sum(lengths)], of the node's series
    last = np.repeat(ends - 1, lengths)
    for feature in np.flatnonzero(missing.any(0)):
        unknown = missing[:, feature]
        before = np.maximum.accumulate(np.where(unknown, -1, places))
        after = np.minimum.accumulate(np.where(unknown, len(nodes), places)[::-1])[::-1]
        has_before, has_after = before >= first, after <= last

        without = unknown & ~has_before & ~has_after
        if without.any() and otherwise is None:
            series = int(np.searchsorted(ends, np.argmax(without), side="right"))
            raise ValueError(
                f"sequence {series} has no value of feature {feature} at all, and there is no usual value to take "
                "instead: leave the sequence out, or fit the feature extractor to sequences that have values of it"
            )

        left = np.where(has_before, before, np.where(has_after, after, places))[unknown]
        right = np.where(has_after, after, np.where(has_before, before, places))[unknown]
        share = (places[unknown] - left) / np.maximum(right - left, 1)
        column = nodes[:, feature]
        filled[unknown, feature] = column[left] * (1 - share) + column[right] * share
        if otherwise is not None:
            filled[without, feature] = otherwise[feature]
    return filled


def usual_values(nodes: NDArray[np.floating]) -> list[float]:
    """Return the mean of every feature's observed values, for series that have none.

    Parameters
    ----------
    nodes : float array [nodes, m]

    Raises
    ------
    ValueError
        If a feature has no value at all.
    """
    observed = ~np.isnan(nodes)
    if not (counts := observed.sum(0)).all():
        raise ValueError(
            f"feature {int(np.argmin(counts))} has no value in any sequence, so that nothing can be learned from it: "
            "leave it out"
        )
    means: list[float] = (np.where(observed, nodes, 0).sum(0, dtype=np.float64) / counts).tolist()
    return means
