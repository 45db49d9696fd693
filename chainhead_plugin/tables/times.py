"""Times as tables write them: dates, instants with offsets, numbers; and written back in the table's own way."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from .errors import TableError, place
from .formats.cells import number_of
from .formats.columnar import DATE
from .formats.table import Table

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
_EIGHT_DIGITS = re.compile(r"(?:19|20)\d{6}", re.ASCII)
_NAMED_MONTHS = (
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%B-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%B %d %Y",
)
_NANO = 10**9
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_YEARS = (1678, 2261)  # what nanoseconds in 64 bits can count


@dataclass(frozen=True)
class Clock:
    """How a table's times are written.

    Attributes
    ----------
    kind : {"number", "text", "typed"}
    format : str
        Of texts, as `strftime` takes it, without a fraction of a second and an offset.
    digits : int
        Of a fraction of a second.
    is_padded : bool
        Whether days and months have two digits.
    offset : str
        How an offset is written: "", "Z", "UTC", "+hh", "+hhmm" or "+hh:mm".
    zone : str
        Of typed times, the name of their zone; "date" for dates without a time of day.
    """

    kind: Literal["number", "text", "typed"]
    format: str = ""
    digits: int = 0
    is_padded: bool = True
    offset: str = ""
    zone: str = ""

    def write(self, moments: NDArray[Any], offset: int = 0) -> list[Any]:
        """Return times in the table's own type.

        Parameters
        ----------
        moments : array [n] of datetime64[ns] in UTC, or of float64
        offset : int
            Seconds that the local time is ahead of UTC; for typed times their zone tells.

        Returns
        -------
        list
            Of texts, of numbers, or for typed times of `datetime.date` or `datetime.datetime`.
        """
        if self.kind == "number":
            whole = bool(np.equal(np.mod(moments, 1), 0).all())
            return [int(value) if whole else float(value) for value in moments]
        if self.kind == "typed":
            return [self._typed(moment) for moment in moments]
        return [
            self._text(int(moment), offset) for moment in moments.astype("datetime64[ns]").astype(np.int64)
        ]

    def _typed(self, moment: np.datetime64) -> Any:
        value: datetime.datetime = moment.astype("datetime64[us]").item()
        if self.zone == DATE:
            return value.date()
        if self.zone:
            return value.replace(tzinfo=datetime.timezone.utc).astimezone(zone_of(self.zone))
        return value

    def _text(self, nanoseconds: int, offset: int) -> str:
        seconds, rest = divmod(nanoseconds + offset * _NANO, _NANO)
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
        # Years before 1000 aside, strftime writes all that was read.
        text = moment.strftime(self.format)
        if not self.is_padded:
            text = re.sub(r"(?<!\d)0(\d)(?=[-/.])", r"\1", text)
        if self.digits:
            fraction = f".{rest:09d}"[: self.digits + 1]
            # Before "PM", where there is such.
            text = text[:-3] + fraction + text[-3:] if self.format.endswith(" %p") else text + fraction
        return text + _offset_text(offset, self.offset)


class Times(NamedTuple):
    """The times of all rows of a table.

    Attributes
    ----------
    moments : array [rows]
        datetime64[ns], in UTC where times have an offset or a zone; or float64.
    offsets : int64 array [rows]
        Seconds by which the local time of a row is ahead of UTC.
    clock : Clock
    """

    moments: NDArray[Any]
    offsets: NDArray[np.int64]
    clock: Clock

    @property
    def local(self) -> NDArray[Any]:
        """What a clock on the wall shows; of numbers the numbers."""
        if self.clock.kind == "number":
            return self.moments
        return self.moments + self.offsets.astype("timedelta64[s]")


def zone_of(name: str) -> datetime.tzinfo:
    """Return a time zone by name, such as "Europe/Berlin", "UTC" or "+02:00".

    Raises
    ------
    TableError
        If there is none.
    """
    found = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})", name)
    if found:
        sign = -1 if found[1] == "-" else 1
        return datetime.timezone(sign * datetime.timedelta(hours=int(found[2]), minutes=int(found[3])))
    if name.upper() in ("UTC", "Z", "GMT"):
        return datetime.timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise TableError(
            f"there is no time zone {name!r} on this machine: save times in UTC, or install tzdata"
        ) from error


def looks_like_times(values: NDArray[Any], day_first: bool | None = None) -> bool:
    """Tell whether a column holds nothing but times that are no plain numbers."""
    if values.dtype.kind != "O":
        return values.dtype.kind == "M"
    texts = {text.strip() for text in values} - {""}
    if not texts:
        return False
    return all(_YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text) for text in texts)


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
        As `strptime` takes it; by default ISO 8601, years first or last with a day and a month in numbers, months by
        name, eight digits that are dates, or plain numbers.
    day_first : bool, optional
        How 03/04/2025 is to be read where the column leaves it open.

    Raises
    ------
    TableError
        If a cell is no time, days cannot be told from months, or some times have an offset and others have none.
    """
    values = table.columns[column]
    if values.dtype.kind == "M":
        return _typed(values, table.zones.get(column, ""))
    if values.dtype.kind in "iufb" and time_format is None:
        return _plain_numbers(table, column, values.astype(np.float64))
    if values.dtype.kind in "iufb":
        values = np.array([str(int(value)) for value in values], dtype=object)
    firsts: dict[str, int] = {}
    for row, text in enumerate(values):
        firsts.setdefault(text, row)
    texts = list(firsts)
    if time_format is None and all(number_of(text) is not None for text in texts):
        if not all(_EIGHT_DIGITS.fullmatch(text.strip()) and _is_date(text.strip()) for text in texts):
            return _plain_numbers(table, column, np.array([float(text) for text in values]))
        time_format = "%Y%m%d"

    def where(text: str) -> str:
        file, row = table.place(firsts[text])
        return place(file, row=row, column=column)

    if time_format is not None:
        parsed, clock = _by_format(texts, time_format, where)
    else:
        parsed, clock = _by_pattern(texts, day_first, where)
    has_offset = {entry.offset is not None for entry in parsed}
    if len(has_offset) > 1:
        plain = next(text for text, entry in zip(texts, parsed, strict=True) if entry.offset is None)
        raise TableError(f"{where(plain)}: {plain!r} has no offset from UTC, but other times have one")
    index = {text: i for i, text in enumerate(texts)}
    places = np.fromiter((index[text] for text in values), dtype=np.intp, count=len(values))
    instants = np.array([entry.nanoseconds for entry in parsed], dtype=np.int64).view("datetime64[ns]")
    offsets = np.array([entry.offset or 0 for entry in parsed], dtype=np.int64)
    return Times(instants[places], offsets[places], clock)


class _Moment(NamedTuple):
    nanoseconds: int
    offset: int | None


def _typed(values: NDArray[Any], zone: str) -> Times:
    offsets = np.zeros(len(values), dtype=np.int64)
    if zone and zone != DATE:
        tzinfo = zone_of(zone)
        seconds = values.astype("datetime64[s]").astype(np.int64)
        unique, places = np.unique(seconds, return_inverse=True)
        found = [datetime.datetime.fromtimestamp(int(second), tzinfo).utcoffset() for second in unique]
        by_second = [0 if offset is None else int(offset.total_seconds()) for offset in found]
        offsets = np.array(by_second, dtype=np.int64)[places]
    return Times(values, offsets, Clock("typed", zone=zone))


def _plain_numbers(table: Table, column: str, numbers: NDArray[np.float64]) -> Times:
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax())
        file, number = table.place(row)
        raise TableError(f"{place(file, row=number, column=column)} is no time: {numbers[row]}")
    return Times(numbers, np.zeros(len(numbers), dtype=np.int64), Clock("number"))


def _is_date(text: str) -> bool:
    try:
        datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True


def _by_format(texts: Sequence[str], time_format: str, where: Any) -> tuple[list[_Moment], Clock]:
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
        parsed.append(
            _moment(moment.replace(tzinfo=None), 0, seconds, lambda text=text: f"{where(text)}: {text!r}")
        )
    plain = re.sub(r"[.]?%f|\s*%z|\s*%Z", "", time_format)
    digits = 6 if "%f" in time_format else 0
    offset_style = "+hhmm" if "%z" in time_format else ""
    return parsed, Clock("text", plain, digits, offset=offset_style)


def _by_pattern(texts: Sequence[str], day_first: bool | None, where: Any) -> tuple[list[_Moment], Clock]:
    stripped = [text.strip() for text in texts]
    found = [_YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text) for text in stripped]
    if not any(found):
        for named in _NAMED_MONTHS:
            if _fits(stripped, named):
                return _by_format(texts, named, where)
    for text, match in zip(texts, found, strict=True):
        if match is None:
            raise TableError(
                f"{where(text)} holds {text!r}, which is no number and no date that can be read without help: state "
                "time_format, such as '%d.%m.%Y %H:%M'"
            )
    matches = [match.groupdict() for match in found if match is not None]
    is_day_first = _is_day_first(texts, matches, day_first, where)
    parsed = []
    for text, groups in zip(texts, matches, strict=True):
        parsed.append(_from_match(groups, is_day_first, lambda text=text: f"{where(text)}: {text!r}"))
    longest = max(zip(stripped, matches, strict=True), key=lambda entry: len(entry[0]))
    return parsed, _clock_of(*longest, is_day_first, stripped)


def _fits(texts: Sequence[str], time_format: str) -> bool:
    try:
        for text in texts:
            datetime.datetime.strptime(text, time_format)
    except ValueError:
        return False
    return True


def _is_day_first(
    texts: Sequence[str], matches: Sequence[dict[str, Any]], stated: bool | None, where: Any
) -> bool:
    """Tell days from months in dates whose year comes last, by any number above 12."""
    dated = [(text, match) for text, match in zip(texts, matches, strict=True) if match.get("first")]
    if not dated:
        return False
    for text, match in dated:
        if len(match["year"]) == 2:
            raise TableError(
                f"{where(text)}: the year in {text!r} has two digits: state time_format, such as '%d.%m.%y'"
            )
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
        "first, and no date in the column tells which: state day_first: true or false"
    )


def _from_match(match: dict[str, Any], is_day_first: bool, where: Any) -> _Moment:
    if match.get("first"):
        day, month = int(match["first"]), int(match["second_part"])
        if not is_day_first:
            day, month = month, day
    else:
        month, day = int(match["month"]), int(match["day"] or 1)
    hour = int(match["hour"] or 0)
    half = (match.get("half") or "").lower()
    try:
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(f"hour {hour} with {half}")
            hour = hour % 12 + 12 * (half == "pm")
        moment = datetime.datetime(
            int(match["year"]), month, day, hour, int(match["minute"] or 0), int(match["second"] or 0)
        )
    except ValueError as error:
        raise TableError(f"{where()} is no time: {error}") from error
    fraction = int((match["fraction"] or "0").ljust(9, "0"))
    return _moment(moment, fraction, _seconds_of(match["offset"]), where)


def _moment(moment: datetime.datetime, nanoseconds: int, offset: int | None, where: Any) -> _Moment:
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise TableError(f"{where()} is outside of the years {_YEARS[0]} to {_YEARS[1]}")
    seconds = (
        (moment.toordinal() - _EPOCH_DAY) * 86400 + moment.hour * 3600 + moment.minute * 60 + moment.second
    )
    nanoseconds += moment.microsecond * 1000
    return _Moment((seconds - (offset or 0)) * _NANO + nanoseconds, offset)


def _seconds_of(offset: str | None) -> int | None:
    if offset is None:
        return None
    if offset in ("Z", "UTC"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if offset[0] == "-" else seconds


def _offset_text(offset: int, style: str) -> str:
    if style in ("", "Z", "UTC"):
        return {"": "", "Z": "Z", "UTC": " UTC"}[style]
    hours, minutes = divmod(abs(offset) // 60, 60)
    sign = "-" if offset < 0 else "+"
    if style == "+hh" and not minutes:
        return f"{sign}{hours:02d}"
    return f"{sign}{hours:02d}{':' if style == '+hh:mm' else ''}{minutes:02d}"


def _clock_of(text: str, match: dict[str, Any], is_day_first: bool, texts: Sequence[str]) -> Clock:
    sign = match["sign"]
    if match.get("first"):
        parts = ["%d", "%m", "%Y"] if is_day_first else ["%m", "%d", "%Y"]
    else:
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


def local_times(moments: NDArray[Any], offsets: NDArray[np.int64], clock: Clock) -> NDArray[Any]:
    """Return what a clock on the wall shows at instants: in the clock's zone, or with offsets in seconds."""
    if clock.kind == "number":
        return moments
    if clock.kind == "typed":
        return _typed(moments, clock.zone).local
    return moments + offsets.astype("timedelta64[s]")


def utc_times(local: NDArray[Any], clock: Clock, offset: int) -> NDArray[Any]:
    """Return the instants at which a clock on the wall shows local times: in the clock's zone, or with an offset."""
    if clock.kind != "typed" or clock.zone in ("", DATE):
        return local - np.timedelta64(offset, "s")
    zone = zone_of(clock.zone)
    seconds = [_offset_at(value, zone) for value in local.astype("datetime64[us]").tolist()]
    return local - np.array(seconds, dtype="timedelta64[s]")


def _offset_at(moment: datetime.datetime, zone: datetime.tzinfo) -> int:
    offset = moment.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
