"""Runs of nodes of one label."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def segments_of(labels: NDArray[Any], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the runs of equal labels.

    Parameters
    ----------
    labels : int array [L]
    names : mapping of str by int

    Returns
    -------
    list of dict
        "start" and "end", from node `start` to before node `end`, and "label", its name.
    """
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
    ends = np.append(starts[1:], len(labels))
    return [
        {"start": start, "end": end, "label": names[index]}
        for start, end, index in zip(starts.tolist(), ends.tolist(), labels[starts].tolist(), strict=True)
    ]
