"""Each series standardised by itself, so that neither its level nor its scale tells anything."""

import numpy as np
from numpy.typing import NDArray


def standardise_each(nodes: NDArray[np.floating], lengths: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give every feature of every series the mean 0 and the standard deviation 1.

    Parameters
    ----------
    nodes : array [sum(lengths), m] of float
        The nodes of all series, one series after the other.
    lengths : array [series] of int
        Nodes of each series, at least 1.

    Returns
    -------
    array [sum(lengths), m] of float64
        A feature that does not vary within its series is 0. Where statistics overflow float64, not finite.
    """
    starts = np.cumsum(lengths) - lengths
    counts = lengths[:, np.newaxis]
    with np.errstate(over="ignore", invalid="ignore"):
        wide = nodes.astype(np.float64)
        lowest, highest = np.minimum.reduceat(wide, starts), np.maximum.reduceat(wide, starts)
        mean = np.add.reduceat(wide, starts) / counts
        deviations = wide - np.repeat(mean, lengths, axis=0)
        std = np.sqrt(np.add.reduceat(deviations**2, starts) / counts)
        # The rounded mean of a constant differs from it, and would leave a tiny deviation to divide by.
        constant = (lowest == highest) | (std == 0)
        scaled = deviations / np.repeat(np.where(constant, 1.0, std), lengths, axis=0)
    return np.where(np.repeat(constant, lengths, axis=0), 0.0, scaled)
