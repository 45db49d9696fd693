"""Whether numbers can be held and told apart in the precision that a model computes in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The share of their standard deviation by which rounding may move values.
_BLUR = 1e-3
# Beyond these, squares in float64 overflow, or become 0.
_LEAST, _MOST = 1e-150, 1e150


def check_squares(name: str, values: NDArray[Any]) -> None:
    """Check that the squares of values, as variances need them, can be held in float64. NaN does not count.

    Raises
    ------
    ValueError
        If they cannot; the message names the largest value.
    """
    peak = np.nanmax(np.abs(values))
    if peak > _MOST or 0 < peak < _LEAST:
        raise ValueError(
            f"{name} has a largest value of {peak:.3g}, expected {_LEAST:g} to {_MOST:g}, so that its variance can be "
            f"computed: {'divide' if peak > 1 else 'multiply'} it by a number"
        )


def check_apart_in_float32(name: str, values: NDArray[Any]) -> None:
    """Check that values [examples], or [examples, columns], fit into float32, and vary by more than it rounds them to.

    Raises
    ------
    ValueError
        If a column does not; the message names a number to divide by, or to subtract.
    """
    wide = np.asarray(values, dtype=np.float64)
    peak = np.abs(wide).max(initial=0.0)
    if peak > np.finfo(np.float32).max:
        raise ValueError(
            f"{name} reach {peak:.3g}, more than float32 can hold: divide them by a number, such as {peak:.0e}, and "
            "multiply the predictions by it"
        )
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
