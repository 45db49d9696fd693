"""Tables whose rows have another step than those that a model was trained on."""

import warnings

import numpy as np
from numpy.typing import NDArray

from .series import SeriesSet

# The fewest values of a series that tell how far they are apart.
_LEAST_VALUES = 3


def tell_other_step(found: SeriesSet) -> None:
    """Warn if no two values are a step apart, so that the rows seem to have another step than those of the training."""
    observed: list[NDArray[np.bool_]] = [np.asarray(~np.isnan(series.values).all(1)) for series in found]
    counts = [int(one.sum()) for one in observed]
    if (
        found.step is None
        or max(counts) < _LEAST_VALUES
        or any((one[1:] & one[:-1]).any() for one in observed)
    ):
        return
    total = sum(map(len, observed))
    warnings.warn(
        f"{found.files[0]}: no two of its values are {found.step} apart, as they were in training: {sum(counts):,} of "
        f"{total:,} steps have one; if its step is another, the model was made for another table, or state it (--step)",
        stacklevel=2,
    )
