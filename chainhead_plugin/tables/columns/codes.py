"""Warn of numbers that look like codes for missing values, such as -200 among temperatures. They are not changed."""

import re
import warnings

import numpy as np
from numpy.typing import NDArray

# The fewest different values beside a code, as a column with fewer may be that of a switch; and the fewest rows with
# the code.
_LEAST_OTHERS, _LEAST_TIMES = 10, 2
# Loggers usually write nines, or round numbers below zero.
_USUAL = re.compile(r"-?9{2,}|-[1-9]0{2,}")


def warn_of_codes(where: str, numbers: NDArray[np.float64]) -> None:
    """Warn of a value that repeats far outside of all other values of a column.

    Parameters
    ----------
    where : str
        Words for the column, with which the message begins.
    numbers : float64 array [rows]
        NaN where a value is missing.
    """
    for code, times, low, high in _found(numbers[~np.isnan(numbers)]):
        warnings.warn(
            f"{where} holds {code:.0f} {times:,} times, far from all other values, {low:g} to {high:g}, and it is "
            f"taken for a value: if it stands for a missing one, name it with missing: [{code:.0f}], on the command "
            f"line --missing {code:.0f}",
            stacklevel=2,
        )


def _found(numbers: NDArray[np.float64]) -> list[tuple[float, int, float, float]]:
    """Return codes, how often each appears, and the lowest and the highest of all other values."""
    found: list[tuple[float, int]] = []
    rest = numbers
    for extreme in (np.min, np.max):
        while len(rest) > _LEAST_OTHERS:
            code = float(extreme(rest))
            is_code = rest == code
            times = int(np.count_nonzero(is_code))
            # Most columns are done here, without a copy.
            if times < _LEAST_TIMES or not code.is_integer() or not _is_far(code, rest[~is_code]):
                break
            rest = rest[~is_code]
            found.append((code, times))
    return [(code, times, float(rest.min()), float(rest.max())) for code, times in found]


def _is_far(code: float, others: NDArray[np.float64]) -> bool:
    if len(np.unique(others)) < _LEAST_OTHERS:
        return False
    low, high = float(others.min()), float(others.max())
    gap = max(low - code, code - high)
    if gap > high - low:
        return True
    if not _USUAL.fullmatch(f"{code:.0f}"):
        return False
    quarter, three_quarters = np.quantile(others, [0.25, 0.75])
    return bool(code < 0 <= low or gap > three_quarters - quarter)
