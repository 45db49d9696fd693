"""Samples of a recording, checked: whole numbers as files have them would be taken for a sound of enormous loudness."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Far above what processing leaves between −1 and 1: such samples are whole numbers of a file, turned into floats.
_PEAK = 32.0


def checked_samples(recording: Any) -> NDArray[np.float64]:
    """Return a recording's samples, after checking that they are between −1 and 1, or not far beyond.

    Parameters
    ----------
    recording : array, tensor or list of numbers [samples]

    Returns
    -------
    float64 array [samples]

    Raises
    ------
    ValueError
        If it is empty, has several axes, or holds numbers that are not finite, or are whole numbers as files have them.
    """
    given = np.asarray(recording)
    samples: NDArray[np.float64] = given.astype(np.float64)
    if samples.ndim == 1 and not samples.size:
        raise ValueError("a recording is empty, expected at least one sample")
    if samples.ndim != 1:
        raise ValueError(
            f"expected a recording [samples], got {list(samples.shape)}: average its channels first"
        )
    if not np.isfinite(samples).all():
        raise ValueError("a recording holds numbers that are not finite")
    peak = np.abs(samples).max()
    if peak > (1 if given.dtype.kind in "iu" else _PEAK):
        raise ValueError(
            f"a recording reaches {peak:,.0f}, expected samples from −1 to 1: divide whole numbers by half of their "
            "range, such as 2**15 for int16"
        )
    return samples


__all__ = ["checked_samples"]
