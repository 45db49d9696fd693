"""Features scaled to mean 0 and standard deviation 1: by the statistics of all series, or of each series alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLUR = 1e-4


def statistics_of(nodes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of every feature.

    Parameters
    ----------
    nodes : array [nodes, m]

    Returns
    -------
    mean, std : array [m] of float64
        Of a feature that does not vary its value, and 0.

    Raises
    ------
    ValueError
        If they overflow float64.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean = nodes.mean(axis=0, dtype=np.float64)
        std = nodes.std(axis=0, dtype=np.float64)
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise ValueError("the statistics overflow float64: rescale the sequences first")

    # The rounded mean of a constant differs from it, and would leave a tiny deviation to divide by.
    lowest = nodes.min(axis=0)
    constant = (lowest == nodes.max(axis=0)) | (std == 0)
    return np.where(constant, lowest, mean), np.where(constant, 0.0, std)


def standardise(nodes: NDArray[Any], mean: list[float], std: list[float]) -> NDArray[np.float64]:
    """Subtract the mean of every feature of [nodes, m] and divide by its deviation; where that is 0 all is 0."""
    deviation = np.asarray(std)
    with np.errstate(over="ignore"):
        scaled = (nodes - np.asarray(mean)) / np.where(deviation > 0, deviation, 1)
        return np.where(deviation > 0, scaled, 0)


def unvaried_text(std: list[float]) -> str | None:
    """Return a warning that names the features that do not vary, those whose deviation is 0; None without any."""
    features = [index for index, deviation in enumerate(std) if deviation == 0]
    if not features:
        return None
    named = (
        f"features {', '.join(map(str, features))} do" if len(features) > 1 else f"feature {features[0]} does"
    )
    return (
        f"{named} not vary in these sequences, so that no weight can be learned: zero takes the place of each such "
        "feature from now on, whatever it holds"
    )


def standardise_each(nodes: NDArray[np.floating], lengths: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give every feature of every series the mean 0 and the standard deviation 1.

    Parameters
    ----------
    nodes : array [sum(lengths), m] of float
        The nodes of all series, joined.
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


def as_exact_as_needed(values: NDArray[np.floating[Any]], blur: float = _BLUR) -> NDArray[np.floating[Any]]:
    """Return values [steps, columns] in float32, or in float64 where that would blur how they change.

    A meter at 10⁸ that counts single units changes by less than float32 can tell.

    Parameters
    ----------
    values : array [steps, columns]
    blur : float
        The share of a usual step's change by which rounding may move a value.
    """
    single = values.astype(np.float32)
    rounding = np.nan_to_num(np.abs(single - values)).max(0, initial=0)
    changes = np.abs(np.diff(values, axis=0))
    for column, error in zip(changes.T, rounding, strict=True):
        moves = column[column > 0]
        if error and len(moves) and error > blur * np.median(moves):
            return values
    return single
