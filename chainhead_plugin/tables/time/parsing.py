"""The times of all rows of a table, from texts, numbers and typed columns."""

import datetime
import re
from collections.abc import Collection
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, place
from ..formats.cells import number_of, objects, plain_minus, shown, to_texts
from ..formats.table import Table
from .clock import Clock, Times, no_offsets, typed_times
from .counted_times import NAMED_FORMATS, NUMBER, moments_of, recognised
from .durations import are_durations, passes_midnight, seconds_in
from .patterns import by_format, by_pattern, uniform_iso

# Whole numbers that are dates: years with months and days, or with months alone, or with hours, minutes and seconds.
_DIGITS = {
    "%Y%m%d%H%M%S": re.compile(r"(?:19|20)\d{12}", re.ASCII),
    "%Y%m%d%H%M": re.compile(r"(?:19|20)\d{10}", re.ASCII),
    "%Y%m%d%H": re.compile(r"(?:19|20)\d{8}", re.ASCII),
    "%Y%m%d": re.compile(r"(?:19|20)\d{6}", re.ASCII),
    "%Y%m": re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])", re.ASCII),
}


def parse_times(
    table: Table, column: str, *, time_format: str | None = None, day_first: bool | None = None
) -> Times:
    """Read the times of all rows.

    Parameters
    ----------
    table : Table
        Without empty cells in the column.
    column : str
    time_format : str, optional
        As `strptime` takes it, or a name of `NAMED_FORMATS` for numbers; by default ISO 8601, years first or last with
        a day and a month in numbers, months by name, quarters, weeks, digits that are dates, such as 20251231 and
        202512312359, numbers that plainly count from 1970, durations, which become seconds, or plain numbers.
    day_first : bool, optional
        How 03/04/2025 is to be read where the column leaves it open.

    Returns
    -------
    Times

    Raises
    ------
    TableError
        If a cell is no time, days cannot be told from months, or only some times have an offset.
    """
    values = table.columns[column]
    if values.dtype.kind == "M":
        return typed_times(values, table.zones.get(column, ""))
    if time_format in NAMED_FORMATS:
        return _numbers(table, column, time_format)
    if values.dtype.kind in "iufb":
        whole = objects(to_texts(values))
        if time_format is None and are_durations(table, column):
            return _durations(table, column)
        if time_format is None and _dates_in_digits({*whole}) is None:
            return _numbers(table, column, recognised(values.astype(np.float64), column) or NUMBER)
        values = whole
    firsts: dict[str, int] = {}
    for row, text in enumerate(values):
        firsts.setdefault(text, row)
    texts = list(firsts)
    if time_format is None and are_durations(table, column):
        return _durations(table, column)
    if time_format is None and all(_is_number(text) for text in texts):
        time_format = _dates_in_digits(texts)
        if time_format is None:
            numbers = np.array([float(plain_minus(text)) for text in values])
            return _numbers(table, column, recognised(numbers, column) or NUMBER)

    def where(text: str) -> str:
        file, row = table.place(firsts[text])
        return place(file, row=row, column=column)

    index = {text: i for i, text in enumerate(texts)}
    places = np.fromiter((index[text] for text in values), dtype=np.intp, count=len(values))
    if time_format is None and (found := uniform_iso(texts)) is not None:
        return Times(found[0][places], no_offsets(len(values)), found[1])
    if time_format is not None:
        parsed, clock = by_format(texts, time_format, where)
    else:
        parsed, clock = by_pattern(texts, day_first, where)
    has_offset = {entry.offset is not None for entry in parsed}
    if len(has_offset) > 1:
        plain = next(text for text, entry in zip(texts, parsed, strict=True) if entry.offset is None)
        raise TableError(f"{where(plain)}: {plain!r} has no offset from UTC, but other times have one")
    instants = np.array([entry.nanoseconds for entry in parsed], dtype=np.int64).view("datetime64[ns]")
    if not any(entry.offset for entry in parsed):
        return Times(instants[places], no_offsets(len(places)), clock)
    offsets = np.array([entry.offset or 0 for entry in parsed], dtype=np.int64)
    return Times(instants[places], offsets[places], clock)


def _numbers(table: Table, column: str, time_format: str) -> Times:
    """Return times that are numbers, counted as one of `NAMED_FORMATS` says."""
    values = table.columns[column]

    def where(row: int) -> str:
        file, number = table.place(row)
        return place(file, row=number, column=column)

    if time_format != NUMBER:
        moments = moments_of(values.tolist(), time_format, where)
        return Times(moments, no_offsets(len(values)), Clock("counted", time_format))
    if values.dtype.kind != "O":
        return _plain_numbers(table, column, values.astype(np.float64))
    for row, text in enumerate(values):
        if not _is_number(text):
            raise TableError(
                f"{where(row)} holds {shown(text)}, expected a number, as time_format: number says"
            )
    return _plain_numbers(table, column, np.array([float(plain_minus(text)) for text in values]))


def _plain_numbers(table: Table, column: str, numbers: NDArray[np.float64]) -> Times:
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax())
        file, number = table.place(row)
        raise TableError(f"{place(file, row=number, column=column)} is no time: {numbers[row]}")
    return Times(numbers, no_offsets(len(numbers)), Clock("number"))


def _durations(table: Table, column: str) -> Times:
    seconds = seconds_in(table, column)
    if (passes := passes_midnight(seconds)).any():
        row = int(passes.argmax())
        (file, number), (_, later) = table.place(row), table.place(row + 1)
        raise TableError(
            f"{place(file, row=number, column=column)} holds {table.columns[column][row]!r}, and row {later} "
            f"{table.columns[column][row + 1]!r}: times of day without a date have no order across midnight: write "
            "dates too, as 2025-12-31 23:59:59"
        )
    return _plain_numbers(table, column, seconds)


def _is_number(text: str) -> bool:
    return number_of(text) is not None or text.strip().lower() in ("nan", "inf", "-inf")


def _dates_in_digits(texts: Collection[str]) -> str | None:
    """Return the format of whole numbers that can be read as dates, all of them, or None."""
    for time_format, pattern in _DIGITS.items():
        if all(pattern.fullmatch(text.strip()) for text in texts):
            with suppress(ValueError):
                for text in texts:
                    datetime.datetime.strptime(text.strip(), time_format)
                return time_format
    return None
