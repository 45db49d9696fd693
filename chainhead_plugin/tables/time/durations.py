"""Durations, such as "0 days 00:01:30" and "1:30:00.5", as numbers of seconds."""

import re

import numpy as np
from numpy.typing import NDArray

from ..formats.table import DURATION, Table

_CLOCK = r"(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:\.\d{1,9})?)"
# pandas writes a negative duration as a negative number of days, and a time of day to add.
_DAYS = re.compile(rf"(?P<days>-?\d+) days?(?: [+]?{_CLOCK})?", re.ASCII)
_HOURS = re.compile(_CLOCK, re.ASCII)
_DAY = 86_400


def seconds_of(text: str, *, without_days: bool = False) -> float | None:
    """Return a duration in seconds, or None if a text is none.

    Parameters
    ----------
    text : str
    without_days : bool
        Whether hours, minutes and seconds may stand alone, as a time of day does.
    """
    plain = text.strip()
    match = _DAYS.fullmatch(plain) or (_HOURS.fullmatch(plain) if without_days else None)
    if match is None:
        return None
    parts = match.groupdict("0")
    days, hours, minutes = (int(parts.get(name, "0")) for name in ("days", "hours", "minutes"))
    return days * _DAY + hours * 3600 + minutes * 60 + float(parts["seconds"])


def are_durations(table: Table, column: str) -> bool:
    """Tell whether a column holds nothing but durations, with or without days."""
    values = table.columns[column]
    if values.dtype.kind != "O":
        return table.zones.get(column) == DURATION
    texts = [text for text in {*values} if text.strip()]
    return bool(texts) and all(seconds_of(text, without_days=True) is not None for text in texts)


def seconds_in(table: Table, column: str) -> NDArray[np.float64]:
    """Return a column of durations as seconds [rows], NaN where a cell is empty."""
    values = table.columns[column]
    if values.dtype.kind != "O":
        return np.asarray(values, dtype=np.float64)
    found = (seconds_of(text, without_days=True) for text in values)
    return np.array([np.nan if seconds is None else seconds for seconds in found])


def passes_midnight(seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell before which rows a time of day goes past midnight, in either direction, as 23:59:59 and then 0:00:00."""
    return np.abs(np.diff(seconds)) > 0.9 * _DAY if seconds.max() < _DAY else np.zeros(len(seconds) - 1, bool)
