"""Whether numbers can be told apart in the precision that a model computes in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The share of their standard deviation by which rounding may move values.
_BLUR = 1e-3


def check_apart_in_float32(name: str, values: NDArray[Any]) -> None:
    """Check that values [examples], or [examples, columns], vary by more than float32 rounds them to.

    Raises
    ------
    ValueError
        If a column does not; the message names a number to subtract.
    """
    wide = np.asarray(values, dtype=np.float64)
    rounding = np.spacing(np.abs(wide).max(0).astype(np.float32)) / 2
    deviation = wide.std(0)
    blurred = np.atleast_1d((deviation > 0) & (rounding > _BLUR * deviation))
    if blurred.any():
        column = int(blurred.argmax())
        centre, spread = np.atleast_1d(wide.mean(0))[column], np.atleast_1d(deviation)[column]
        raise ValueError(
            f"{name} lie around {centre:.10g} and vary by {spread:.3g} (standard deviation), less than float32 tells "
            f"apart there: subtract a base from them, such as {centre:.0f}, and add it to the predictions"
        )
