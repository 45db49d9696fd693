"""Features of the calendar, made from times of past and future alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, closest

# The cycles and their lengths.
_CYCLES = {
    "minute": 60,
    "hour": 24,
    "weekday": 7,
    "day": 31,
    "week": 53,
    "month": 12,
    "quarter": 4,
    "dayofyear": 366,
}
CALENDAR = (*_CYCLES, "weekend")


def calendar_names(features: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns that `calendar_features` makes.

    Raises
    ------
    TableError
        If a feature is unknown.
    """
    names: list[str] = []
    for feature in features:
        if feature not in CALENDAR:
            raise TableError(
                f"calendar has no {feature}{closest(feature, CALENDAR)}: expected {', '.join(CALENDAR)}"
            )
        names += [f"{feature}_sin", f"{feature}_cos"] if feature in _CYCLES else [feature]
    return tuple(names)


def calendar_features(local: NDArray[Any], features: Sequence[str]) -> NDArray[np.float64]:
    """Return features of the calendar.

    Parameters
    ----------
    local : array [L] of datetime64
        Local times, as a clock on the wall shows them.
    features : sequence of str
        "minute", "hour", "weekday", "day" (of the month), "week", "month", "quarter" and "dayofyear" are two columns
        each, sine and cosine of their place in the cycle, so that December is next to January; "weekend" is 0 or 1.

    Returns
    -------
    float64 array [L, columns]
        The columns are those of `calendar_names`, all between −1 and 1.

    Raises
    ------
    TableError
        If a feature is unknown, or times are plain numbers.
    """
    names = calendar_names(features)
    if local.dtype.kind != "M":
        raise TableError(f"calendar: {', '.join(features)} cannot be told from times that are plain numbers")
    columns = []
    for feature in features:
        values = _places(local.astype("datetime64[m]"), feature)
        if feature not in _CYCLES:
            columns.append(values.astype(np.float64))
            continue
        angle = 2 * np.pi * values / _CYCLES[feature]
        columns += [np.sin(angle), np.cos(angle)]
    return np.stack(columns, axis=1) if names else np.empty((len(local), 0))


def _places(minutes: NDArray[Any], feature: str) -> NDArray[np.int64]:
    """Return the place in a feature's cycle, from 0."""
    days = minutes.astype("datetime64[D]")
    months = minutes.astype("datetime64[M]")
    years = minutes.astype("datetime64[Y]")
    weekday = (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday; Monday is 0
    match feature:
        case "minute":
            return np.asarray(minutes.astype(np.int64) % 60)
        case "hour":
            return np.asarray(minutes.astype(np.int64) // 60 % 24)
        case "weekday":
            return weekday
        case "weekend":
            return np.asarray(weekday >= 5, dtype=np.int64)
        case "day":
            return np.asarray((days - months.astype("datetime64[D]")).astype(np.int64))
        case "dayofyear":
            return np.asarray((days - years.astype("datetime64[D]")).astype(np.int64))
        case "week":
            return _iso_weeks(days, weekday) - 1
    month = months.astype(np.int64) % 12
    return np.asarray(month if feature == "month" else month // 3)


def _iso_weeks(days: NDArray[Any], weekday: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the week in ISO 8601, whose year is that of its Thursday."""
    thursdays = days - weekday + 3
    firsts = thursdays.astype("datetime64[Y]").astype("datetime64[D]")
    return (thursdays - firsts).astype(np.int64) // 7 + 1
