"""Times that several columns tell together: a date and a time of day, or a year, a month and a day."""

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed, place
from ..formats.cells import number_of, shown, to_texts
from ..formats.table import DATE, DURATION, Table
from .clock import Clock, Times, no_offsets

# What the columns of a date may be called, in small letters.
NAMES_OF_PARTS = {
    "year": ("year", "yr", "yyyy", "jahr"),
    "month": ("month", "mon", "mo", "mnth", "monat"),
    "day": ("day", "dd", "dom", "dy", "tag", "mday", "day_of_month"),
    "hour": ("hour", "hr", "hh", "stunde", "hour_of_day"),
    "minute": ("minute", "min", "mi", "minutes"),
    "second": ("second", "sec", "ss", "seconds"),
    "week": ("week", "wk", "isoweek", "iso_week", "weeknum", "week_number", "epiweek", "kw"),
    "quarter": ("quarter", "qtr", "quartal"),
}
NAMES_OF_HOURS = (
    *NAMES_OF_PARTS["hour"],
    *(
        "time",
        "hours",
        "uhrzeit",
        "zeit",
        "time_of_day",
        "timeofday",
        "tod",
        "clock",
        "heure",
        "hora",
        "hhmm",
    ),
)
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_OF_PERIODS = (("year", "week"), ("year", "quarter"))
_OF_PERIODS_WRITTEN = {"week": "%G-W%V", "quarter": "%Y-Q%q"}
_RANGES = {"year": (1678, 2261), "month": (1, 12), "day": (1, 31), "hour": (0, 24)} | {
    "week": (1, 53),
    "quarter": (1, 4),
}
_FORMAT = ("%Y", "-%m", "-%d", " %H", ":%M", ":%S")
_NAMES_OF_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_MONTHS = {
    spelling: float(number)
    for number, name in enumerate(_NAMES_OF_MONTHS, start=1)
    for spelling in (name, name[:3], name[:4])
}
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:(?P<sign>[:.h])(?P<minute>[0-5]\d)(?:[:.](?P<second>[0-5]\d(?:[.,]\d{1,9})?))?|h)?"
    r"\s*(?P<half>[ap]\.?m\.?)?",
    re.ASCII | re.IGNORECASE,
)
_DAY = 86400
_Date = datetime.datetime


def joined_times(date: Times, table: Table, column: str) -> Times:
    """Return dates with the times of day that another column holds.

    Parameters
    ----------
    date : Times
        Days, without hours and offsets.
    table : Table
    column : str
        Hours from 0 to 24 as whole numbers, times such as 14:30, 14:30:00, 14.30.00 and 2:30 PM, 1430 for half past
        two, or durations.

    Raises
    ------
    TableError
        If a cell is no time of day, or the dates have hours of their own.
    """
    clock = date.clock
    has_hours = clock.kind == "number" or bool((date.moments.astype("datetime64[D]") != date.moments).any())
    if has_hours or clock.offset or clock.wall_zone:
        raise TableError(
            f"{table.name}: the first column of the time holds more than days, so that {column} cannot hold the time "
            f"of day beside it: name one of them as time (--time), or leave one out (--drop {column})"
        )
    seconds = seconds_of_day(table, column)
    moments = date.moments + np.round(seconds * 1e9).astype(np.int64).astype("timedelta64[ns]")
    if clock.kind == "typed":
        return Times(moments, date.offsets, replace(clock, zone="" if clock.zone == DATE else clock.zone))
    if clock.kind == "counted":
        return Times(moments, date.offsets, clock)
    has_seconds = bool((seconds % 60).any())
    digits = 0 if (seconds % 1 == 0).all() else 6
    form = clock.format + (" %H:%M:%S" if has_seconds else " %H:%M")
    return Times(moments, date.offsets, replace(clock, format=form, digits=digits))


def seconds_of_day(table: Table, column: str) -> NDArray[np.float64]:
    """Return times of day as seconds after midnight [rows]."""
    values = table.columns[column]
    if table.zones.get(column) == DURATION:
        return np.asarray(values, dtype=np.float64)
    texts = to_texts(values)
    numbers = [number_of(text) for text in texts]
    if all(number is not None and number.is_integer() for number in numbers):
        return _of_digits(table, column, np.array(numbers, dtype=np.float64))
    seconds = [_of_clock(text) for text in texts]
    for row, (text, found) in enumerate(zip(texts, seconds, strict=True)):
        if found is None:
            raise TableError(
                f"{_place(table, column, row)} holds {shown(text)}, expected a time of day, such as 14, 14:30 or "
                "2:30 PM: correct it, or write date and time into one column, as 2025-12-31 14:30"
            )
    return np.array(seconds, dtype=np.float64)


def is_time_of_day(table: Table, column: str) -> bool:
    """Tell whether all cells of a column can be times of day."""
    try:
        seconds_of_day(table, column)
    except TableError:
        return False
    return True


def _of_clock(text: str) -> float | None:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    parts = match.groupdict()
    hour = int(parts["hour"])
    if parts["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (parts["half"][0].lower() == "p")
    seconds = (
        hour * 3600.0 + 60 * int(parts["minute"] or 0) + float((parts["second"] or "0").replace(",", "."))
    )
    return seconds if seconds <= _DAY else None


def _of_digits(table: Table, column: str, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds of whole numbers: hours up to 24, or else hours and minutes, such as 1430."""
    is_hours = bool((numbers < 100).all())
    wrong = (numbers < 0) | (numbers > (24 if is_hours else 2400)) | (not is_hours) & (numbers % 100 > 59)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            f"{_place(table, column, row)} holds {numbers[row]:.0f}, expected a time of day: an hour from 0 to 24, or "
            "hours and minutes such as 1430"
        )
    return numbers * 3600 if is_hours else (numbers // 100) * 3600 + (numbers % 100) * 60


def times_of_numbers(table: Table, columns: Sequence[str]) -> Times:
    """Return times whose year, month, day, hour, minute and second stand in columns of their own.

    Parameters
    ----------
    table : Table
    columns : sequence of str
        By their names, such as "year" and "month", or else in this order. A year may also stand beside a quarter, or a
        week of ISO 8601, if the column is called so.

    Raises
    ------
    TableError
        If columns are missing between those that are there, or a cell is out of range.
    """
    parts = {part: column for column in columns if (part := part_of(column)) is not None}
    if len(parts) < len(columns):
        parts = dict(zip(_PARTS, columns, strict=False))
    wanted = next((known for known in (*_OF_PERIODS, _PARTS[: len(columns)]) if {*parts} == {*known}), None)
    if wanted is None or len(wanted) < 2:
        raise TableError(
            f"{table.name}: time names {', '.join(columns)}, expected a date and a time of day, such as [date, hour], "
            f"or columns for {listed(_PARTS)}, as many of them as there are, in this order"
        )
    fields = [_whole(table, parts[part], part).tolist() for part in wanted]
    make = {"week": _of_week, "quarter": _of_quarter}.get(wanted[-1], _of_numbers)
    days = [
        _date_of(make, numbers, partial(_place, table, columns[0], row))
        for row, numbers in enumerate(zip(*fields, strict=True))
    ]
    moments = np.array(days, dtype="datetime64[ns]")
    return Times(moments, no_offsets(len(table)), Clock("text", _format_of(wanted)))


def _date_of(make: Callable[..., _Date], numbers: tuple[int, ...], where: Callable[[], str]) -> _Date:
    try:
        return make(*numbers)
    except ValueError as error:
        raise TableError(f"{where()}: {'-'.join(map(str, numbers))} is no date: {error}") from error


def _of_numbers(
    year: int, month: int, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0
) -> _Date:
    return _Date(year, month, day) + datetime.timedelta(hours=hour, minutes=minute, seconds=second)


def _of_week(year: int, week: int) -> _Date:
    return _Date.fromisocalendar(year, week, 1)


def _of_quarter(year: int, quarter: int) -> _Date:
    return _Date(year, 3 * quarter - 2, 1)


def _format_of(parts: Sequence[str]) -> str:
    if parts[-1] in _OF_PERIODS_WRITTEN:
        return _OF_PERIODS_WRITTEN[parts[-1]]
    count = max(len(parts), 5) if len(parts) > 3 else len(parts)  # hours are written with their minutes
    return "".join(_FORMAT[:count])


def part_of(column: str) -> str | None:
    """Return the part of a date that a column is called after, or None."""
    name = column.strip().lower()
    return next((part for part, names in NAMES_OF_PARTS.items() if name in names), None)


def is_part(table: Table, column: str, part: str) -> bool:
    """Tell whether a column can hold a part of dates, such as "month"."""
    try:
        _whole(table, column, part)
    except TableError:
        return False
    return True


def _whole(table: Table, column: str, part: str) -> NDArray[np.int64]:
    low, high = _RANGES.get(part, (0, 59))
    numbers = []
    for row, text in enumerate(to_texts(table.columns[column])):
        number = number_of(text)
        if number is None and part == "month":
            number = _MONTHS.get(text.strip().lower().rstrip("."))
        if number is None or not number.is_integer() or not low <= number <= high:
            raise TableError(
                f"{_place(table, column, row)} holds {shown(text)}, expected the {part} of a time, from {low} to {high}"
            )
        numbers.append(int(number))
    return np.array(numbers, dtype=np.int64)


def _place(table: Table, column: str, row: int) -> str:
    file, number = table.place(row)
    return place(file, row=number, column=column)
