"""Read times from texts, in a stated format or in a common format whose days and months cannot be confused."""

import datetime
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError
from ..formats.cells import shown
from .clock import Clock
from .short_years import Order, full_year, order_of
from .worded import is_worded, read_worded

Where = Callable[[str], str]

_CLOCK = r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_OFFSET = r"\s*(?P<offset>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<sign>[-/.])(?P<month>\d{1,2})(?:(?P=sign)(?P<day>\d{1,2}))?" + _CLOCK + _OFFSET,
    re.ASCII,
)
_YEAR_LAST = re.compile(
    r"(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second_part>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2}),?"
    + _CLOCK
    + r"(?:\s*(?P<half>[AaPp][Mm]))?"
    + _OFFSET,
    re.ASCII,
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?", re.ASCII)
_NANO = 10**9
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_YEARS = (1678, 2261)  # the range of nanoseconds in 64 bits


class Moment(NamedTuple):
    """An instant in nanoseconds since 1970 in UTC, and the offset in seconds with which it is written, if any."""

    nanoseconds: int
    offset: int | None


def by_format(texts: Sequence[str], time_format: str, where: Where) -> tuple[list[Moment], Clock]:
    """Read times in a stated format.

    Parameters
    ----------
    texts : sequence of str
    time_format : str
        As `strptime` takes it.
    where : callable
        Gives the words for the place of a text.

    Returns
    -------
    moments : list of Moment
    clock : Clock

    Raises
    ------
    TableError
        If a text is written in another way.
    """
    parsed = []
    for text in texts:
        try:
            moment = datetime.datetime.strptime(text.strip(), time_format)
        except ValueError as error:
            raise TableError(
                f"{where(text)}: {text!r} is not written as time_format {time_format!r} says: {error}"
            ) from error
        offset = moment.utcoffset()
        seconds = None if offset is None else int(offset.total_seconds())
        parsed.append(moment_of(moment.replace(tzinfo=None), 0, seconds, partial(_quoted, where, text)))
    plain = re.sub(r"[.]?%f|\s*%z|\s*%Z", "", time_format)
    digits = 6 if "%f" in time_format else 0
    offset_style = "+hhmm" if "%z" in time_format else ""
    return parsed, Clock("text", plain, digits, offset=offset_style)


def uniform_iso(texts: Sequence[str]) -> tuple[NDArray[Any], Clock] | None:
    """Read times that are all written alike, in ISO 8601 without an offset; a hundred times faster than `by_pattern`.

    Returns
    -------
    tuple of array [n] of datetime64[ns] and Clock, or None
        None for times that are written in another way. `by_pattern` reads all of them, with the same results.
    """
    match = _ISO.fullmatch(texts[0])
    if match is None or len({*map(len, texts)}) > 1:
        return None
    shape = re.sub(r"\d", r"\\d", re.escape(texts[0]))
    if re.fullmatch(f"(?:{shape}\n)+", "\n".join([*texts, ""]), re.ASCII) is None:
        return None
    if not (f"{_YEARS[0]}" <= min(texts)[:4] and max(texts)[:4] <= f"{_YEARS[1]}"):
        return None
    try:
        instants = np.array(texts).astype("datetime64[ns]")
    except ValueError:
        return None
    fields = _YEAR_FIRST.fullmatch(texts[0])
    assert fields is not None
    return instants, _clock_of(texts[0], fields.groupdict(), "year", texts[:1])


def by_pattern(texts: Sequence[str], day_first: bool | None, where: Where) -> tuple[list[Moment], Clock]:
    """Read times in a common format, with years first or last, or months by name.

    Parameters
    ----------
    texts : sequence of str
    day_first : bool, optional
        How dates are to be read that leave it open whether the day or the month stands first.
    where : callable
        Gives the words for the place of a text.

    Returns
    -------
    moments : list of Moment
    clock : Clock

    Raises
    ------
    TableError
        If a text is no time, or days cannot be told from months.
    """
    stripped = [" ".join(text.split()) for text in texts]
    found = [_YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text) for text in stripped]
    if not any(found) and (worded := read_worded(stripped)) is not None:
        moments = [
            moment_of(moment, 0, None, partial(_quoted, where, text))
            for text, moment in zip(texts, worded.moments, strict=True)
        ]
        return moments, Clock("text", worded.format)
    times = sum(map(is_time, texts))
    odd = next((text for text in texts if not is_time(text)), None)
    if odd is not None and 2 * times > len(texts):
        raise TableError(
            f"{where(odd)} holds {shown(odd)}, which is no time that can be read without help, but the column has "
            f"{times:,} others: correct it, or delete the row; or if all are to be read alike, state time_format, "
            "such as '%d.%m.%Y %H:%M' (--time-format)"
        )
    for text, match in zip(texts, found, strict=True):
        if match is None:
            raise TableError(
                f"{where(text)} holds {shown(text)}, which is no number and no date that can be read without help: "
                "state time_format, such as '%d.%m.%Y %H:%M' (--time-format)"
            )
    matches = [match.groupdict() for match in found if match is not None]
    order = _order(texts, matches, day_first, where)
    parsed = []
    for text, groups in zip(texts, matches, strict=True):
        parsed.append(_from_match(groups, order, partial(_quoted, where, text)))
    longest = max(zip(stripped, matches, strict=True), key=lambda entry: len(entry[0]))
    return parsed, _clock_of(*longest, order, stripped)


def _quoted(where: Where, text: str) -> str:
    return f"{where(text)}: {text!r}"


def _order(
    texts: Sequence[str], matches: Sequence[dict[str, Any]], stated: bool | None, where: Where
) -> Order:
    """Tell what stands first in dates whose year does not stand first in four digits."""
    dated = [(text, match) for text, match in zip(texts, matches, strict=True) if match.get("first")]
    if not dated:
        return "year"
    short = [(text, match) for text, match in dated if len(match["year"]) == 2]
    if short and len(short) < len(matches):
        full = next(text for text, match in zip(texts, matches, strict=True) if len(match["year"]) == 4)
        raise TableError(
            f"{where(short[0][0])} holds {short[0][0]!r} with a year of two digits, and {where(full)} holds {full!r}: "
            "write all dates in one way, best as 2025-12-31"
        )
    if short:
        dates = [(int(match["first"]), int(match["second_part"]), int(match["year"])) for _, match in short]
        return order_of([text for text, _ in short], dates, stated, where)
    return "day" if _is_day_first(dated, stated, where) else "month"


def _is_day_first(dated: Sequence[tuple[str, dict[str, Any]]], stated: bool | None, where: Where) -> bool:
    """Tell days from months in dates whose year comes last, by any number above 12."""
    days = [text for text, match in dated if int(match["first"]) > 12]
    months = [text for text, match in dated if int(match["second_part"]) > 12]
    if days and months:
        raise TableError(
            f"{where(days[0])} holds {days[0]!r} with the day first, and {where(months[0])} holds {months[0]!r} with "
            "the month first: write all dates in one way, best as 2025-12-31"
        )
    if stated is not None:
        wrong = months if stated else days
        if wrong:
            raise TableError(
                f"{where(wrong[0])}: {wrong[0]!r} cannot be read with day_first: {str(stated).lower()}"
            )
        return stated
    if days or months:
        return bool(days)
    differing = next(
        (entry for entry in dated if int(entry[1]["first"]) != int(entry[1]["second_part"])), None
    )
    if differing is None:
        return True  # both readings are the same
    text, match = differing
    a, b, year = int(match["first"]), int(match["second_part"]), match["year"]
    raise TableError(
        f"{where(text)}: {text!r} is {year}-{b:02d}-{a:02d} with the day first, {year}-{a:02d}-{b:02d} with the month "
        "first, and no date in the column tells which: state day_first: true or false (--day-first or "
        "--month-first)"
    )


def _from_match(match: dict[str, Any], order: Order, where: Callable[[], str]) -> Moment:
    year = int(match["year"])
    if match.get("first") and order == "year":
        year, month, day = int(match["first"]), int(match["second_part"]), year
    elif match.get("first"):
        day, month = int(match["first"]), int(match["second_part"])
        if order == "month":
            day, month = month, day
    else:
        month, day = int(match["month"]), int(match["day"] or 1)
    if len(match["year"]) == 2:
        year = full_year(year)
    hour = int(match["hour"] or 0)
    half = (match.get("half") or "").lower()
    try:
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(f"hour {hour} with {half}")
            hour = hour % 12 + 12 * (half == "pm")
        moment = datetime.datetime(
            year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0)
        )
    except ValueError as error:
        raise TableError(f"{where()} is no time: {error}") from error
    fraction = int((match["fraction"] or "0").ljust(9, "0"))
    return moment_of(moment, fraction, _seconds_of(match["offset"]), where)


def moment_of(
    moment: datetime.datetime, nanoseconds: int, offset: int | None, where: Callable[[], str]
) -> Moment:
    """Return a local time as an instant, if it can be counted in nanoseconds."""
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise TableError(f"{where()} is outside of the years {_YEARS[0]} to {_YEARS[1]}")
    seconds = (
        (moment.toordinal() - _EPOCH_DAY) * 86400 + moment.hour * 3600 + moment.minute * 60 + moment.second
    )
    nanoseconds += moment.microsecond * 1000
    return Moment((seconds - (offset or 0)) * _NANO + nanoseconds, offset)


def _seconds_of(offset: str | None) -> int | None:
    if offset is None:
        return None
    if offset in ("Z", "UTC"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if offset[0] == "-" else seconds


def _clock_of(text: str, match: dict[str, Any], order: Order, texts: Sequence[str]) -> Clock:
    sign = match["sign"]
    year = "%Y" if len(match["year"]) == 4 else "%y"
    parts = {"day": ["%d", "%m", year], "month": ["%m", "%d", year], "year": [year, "%m", "%d"]}[order]
    if not match.get("first"):
        parts = ["%Y", "%m", "%d"] if match["day"] else ["%Y", "%m"]
    form = sign.join(parts)
    if match["hour"]:
        form += "T" if "T" in text else " "
        form += "%I:%M" if match.get("half") else "%H:%M"
        form += ":%S" if match["second"] else ""
        form += " %p" if match.get("half") else ""
    offset = match["offset"] or ""
    if offset not in ("", "Z", "UTC"):
        offset = "+hh:mm" if ":" in offset else "+hhmm" if len(offset) == 5 else "+hh"
    is_padded = not any(
        re.search(r"(?<!\d)\d(?=[-/.])|(?<=[-/.])\d(?!\d)", text.split(" ")[0]) for text in texts
    )
    return Clock("text", form, len(match["fraction"] or ""), is_padded, offset)


def looks_like_times(values: NDArray[Any]) -> bool:
    """Tell whether a column holds nothing but times that are no plain numbers."""
    if values.dtype.kind != "O":
        return values.dtype.kind == "M"
    texts = {*values} - {""}
    return any(text.strip() for text in texts) and all(is_time(text) for text in texts if text.strip())


def is_time(text: str) -> bool:
    """Tell whether a text looks like a time that is no plain number."""
    plain = " ".join(text.split())
    return any(pattern.fullmatch(plain) for pattern in (_YEAR_FIRST, _YEAR_LAST)) or is_worded(plain)
