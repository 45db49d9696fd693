"""Times that are numbers counted from a known day: seconds or their fractions since 1970, and a spreadsheet's days."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError

# Nanoseconds in each unit that counts from 1970.
EPOCHS = {
    "epoch_seconds": 10**9,
    "epoch_milliseconds": 10**6,
    "epoch_microseconds": 10**3,
    "epoch_nanoseconds": 1,
}
EXCEL, NUMBER = "excel", "number"
# Values of `time_format` that are no pattern.
NAMED_FORMATS = (*EPOCHS, EXCEL, NUMBER)
_DAY = 86400 * 10**9
# The day 0 of spreadsheets is December 30th of 1899.
_EXCEL_START = -25569
# Numbers of whole seconds from 2001 to 2036 hardly ever count anything else.
_LIKELY = (1_000_000_000, 2_100_000_000)
# Days of spreadsheets from 2000 to 2050, in columns that are called so.
_LIKELY_DAYS, _DATE_NAMES = (36526, 54789), ("date", "datum", "datetime", "timestamp", "ds", "zeit")


def told(time_format: str) -> str:
    """Return words for a format, for the summary."""
    if time_format == EXCEL:
        return "days of a spreadsheet"
    return f"{time_format.removeprefix('epoch_')} since 1970"


def recognised(numbers: NDArray[np.float64], column: str) -> str | None:
    """Return what numbers count if that is plain, as one of `NAMED_FORMATS`, else None.

    Parameters
    ----------
    numbers : float64 array [rows]
    column : str
        The name of the column.
    """
    if not np.isfinite(numbers).all():
        return None
    low, high = float(numbers.min()), float(numbers.max())
    for name, unit in EPOCHS.items():
        scale = 10**9 // unit
        if _LIKELY[0] * scale <= low and high < _LIKELY[1] * scale:
            return name
    is_date = column.strip().lower() in _DATE_NAMES
    return EXCEL if is_date and _LIKELY_DAYS[0] <= low and high < _LIKELY_DAYS[1] else None


def moments_of(cells: Sequence[Any], time_format: str, where: Callable[[int], str]) -> NDArray[Any]:
    """Return the instants that numbers count.

    Parameters
    ----------
    cells : sequence of int, float or str [rows]
        Whole numbers are exact, fractions are rounded to microseconds, and those of days to milliseconds.
    time_format : str
        One of `NAMED_FORMATS` other than "number".
    where : callable
        Gives the words for the place of a row.

    Returns
    -------
    array [rows] of datetime64[ns]
        In UTC, for "excel" in local time.

    Raises
    ------
    TableError
        If a cell is no number, or is outside of the years that nanoseconds can count.
    """
    nanoseconds = []
    for row, cell in enumerate(cells):
        try:
            counted = _nanoseconds(cell, time_format)
        except (ValueError, OverflowError) as error:
            raise TableError(
                f"{where(row)} holds {str(cell)!r:.40}, expected a number of {told(time_format)}, as "
                f"time_format: {time_format} says"
            ) from error
        if abs(counted) >= 2**63:
            raise TableError(
                f"{where(row)} holds {str(cell)!r:.40}, which is no time in {told(time_format)}: state another "
                f"time_format: {', '.join(NAMED_FORMATS)} (--time-format)"
            )
        nanoseconds.append(counted)
    counts = np.array(nanoseconds, dtype=np.int64)
    if time_format == EXCEL:
        counts = _without_remainders(counts)
    return counts.view("datetime64[ns]")


def _without_remainders(nanoseconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return times of days in few decimals, such as 0.0417 for an hour, as whole minutes or seconds if all are near."""
    for unit, near in ((60 * 10**9, 5 * 10**9), (10**9, 10**8)):
        whole = (nanoseconds + unit // 2) // unit * unit
        if (np.abs(nanoseconds - whole) <= near).all():
            return whole
    return nanoseconds


def _nanoseconds(cell: Any, time_format: str) -> int:
    if time_format == EXCEL:
        return (round(float(cell) * 86_400_000) + _EXCEL_START * 86_400_000) * 10**6
    unit = EPOCHS[time_format]
    try:
        return int(cell) * unit if not isinstance(cell, float) or cell.is_integer() else _fraction(cell, unit)
    except ValueError:
        return _fraction(float(cell), unit)


def _fraction(number: float, unit: int) -> int:
    whole = int(number // 1)
    return whole * unit + round((number - whole) * unit / 1000) * 1000 if unit > 1 else round(number)


def counts_of(moments: NDArray[Any], time_format: str) -> list[Any]:
    """Return instants as the numbers that `moments_of` reads: whole if all of them are, else with fractions."""
    nanoseconds = moments.astype("datetime64[ns]").astype(np.int64)
    unit = EPOCHS.get(time_format, _DAY)
    start = _EXCEL_START if time_format == EXCEL else 0
    if not (nanoseconds % unit).any():
        return [int(value) // unit - start for value in nanoseconds]
    return [int(value) / unit - start for value in nanoseconds]
