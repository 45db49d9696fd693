"""How a table writes times, with offsets and zones, and how further times are written in the same way."""

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, closest
from ..formats.table import DATE
from .counted_times import counts_of

_NANO = 10**9


@dataclass(frozen=True)
class Clock:
    """How a table's times are written.

    Attributes
    ----------
    kind : {"number", "counted", "text", "typed"}
        Whether times are plain numbers, numbers that count from a known day, texts, or of a type of times.
    format : str
        The format of texts, as `strftime` takes it, without fractions of a second and offsets; "%q" is the quarter.
        Of counted times the name of what they count, such as "epoch_seconds".
    digits : int
        The number of digits in fractions of a second.
    is_padded : bool
        Whether days and months have two digits.
    offset : str
        How texts write an offset: "", "Z", "UTC", "+hh", "+hhmm" or "+hh:mm".
    zone : str
        The name of the zone of typed times; "date" for dates without a time of day.
    local_zone : str
        The name of the zone of all local times, if the user states one.
    """

    kind: Literal["number", "counted", "text", "typed"]
    format: str = ""
    digits: int = 0
    is_padded: bool = True
    offset: str = ""
    zone: str = ""
    local_zone: str = ""

    @property
    def wall_zone(self) -> str:
        """The name of the zone by which local times follow from instants; "" if instants have offsets or none."""
        return self.local_zone or (self.zone if self.kind == "typed" and self.zone != DATE else "")

    @property
    def day_first(self) -> bool | None:
        """Whether days stand before months; None where no date could be read in two ways."""
        if self.format.startswith(("%d", "%m")) and "%d" in self.format and "%m" in self.format:
            return self.format.startswith("%d")
        return None

    def write(self, moments: NDArray[Any], offset: int = 0) -> list[Any]:
        """Return times in the table's own type.

        Parameters
        ----------
        moments : array [n] of datetime64[ns] in UTC, or of float64
        offset : int
            Seconds by which the local time is ahead of UTC. If the clock has a zone, times follow it instead.

        Returns
        -------
        list
            Texts, numbers, or for typed times `datetime.date` or `datetime.datetime`.
        """
        if self.kind == "counted":
            return counts_of(moments, self.format)
        if self.kind == "number":
            whole = bool(np.equal(np.mod(moments, 1), 0).all())
            return [int(value) if whole else float(value) for value in moments]
        if self.kind == "typed":
            is_naive = self.local_zone and self.zone in ("", DATE)
            shown = local_times(moments, np.zeros(0, np.int64), self) if is_naive else moments
            return [self._typed(moment) for moment in shown]
        offsets = np.full(len(moments), offset)
        if self.local_zone:
            is_utc = self.offset in ("Z", "UTC")
            offsets = np.zeros_like(offsets) if is_utc else offsets_in(moments, self.local_zone)
        nanoseconds = moments.astype("datetime64[ns]").astype(np.int64)
        return [
            self._text(int(moment), int(ahead)) for moment, ahead in zip(nanoseconds, offsets, strict=True)
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
        # strftime writes all times that were read, except for years before 1000.
        text = moment.strftime(self.format.replace("%q", str((moment.month + 2) // 3)))
        if not self.is_padded:
            date = re.split(r"[T ]", text, maxsplit=1)[0]
            text = re.sub(r"(?<!\d)0(?=\d)", "", date) + text[len(date) :]
        if self.digits:
            fraction = f".{rest:09d}"[: self.digits + 1]
            # If a time ends in "PM", the fraction stands before it.
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
    is_local : bool
        Whether the moments are local times of the clock's zone, whose instants are still to be found.
    """

    moments: NDArray[Any]
    offsets: NDArray[np.int64]
    clock: Clock
    is_local: bool = False

    @property
    def local(self) -> NDArray[Any]:
        """The local times, as a clock on the wall shows them; plain numbers are unchanged."""
        if self.clock.kind == "number" or not self.offsets.any():
            return self.moments
        return self.moments + self.offsets.astype("timedelta64[s]")


def no_offsets(count: int) -> NDArray[np.int64]:
    """Return offsets [count] of zero, in the memory of a single one; they cannot be written to."""
    return np.broadcast_to(np.int64(0), (count,))


def zone_of(name: str) -> datetime.tzinfo:
    """Return a time zone by name, such as "Europe/Berlin", "UTC" or "+02:00".

    Raises
    ------
    TableError
        If there is no zone of this name.
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
            f"there is no time zone {name!r} on this machine{closest(name, sorted(available_timezones()))}: expected a "
            "name such as Europe/Berlin or UTC, or an offset such as +02:00"
        ) from error


def offsets_in(moments: NDArray[Any], zone: str) -> NDArray[np.int64]:
    """Return the seconds by which local times of a zone are ahead of UTC at instants [n], datetime64[ns] in UTC."""
    tzinfo = zone_of(zone)
    seconds = moments.astype("datetime64[s]").astype(np.int64)
    unique, places = np.unique(seconds, return_inverse=True)
    found = [datetime.datetime.fromtimestamp(int(second), tzinfo).utcoffset() for second in unique]
    by_second = [0 if offset is None else int(offset.total_seconds()) for offset in found]
    return np.array(by_second, dtype=np.int64)[places]


def typed_times(values: NDArray[Any], zone: str) -> Times:
    """Return typed times [n], datetime64[ns] in UTC, with the offset of their zone at each."""
    offsets = offsets_in(values, zone) if zone and zone != DATE else no_offsets(len(values))
    return Times(values, offsets, Clock("typed", zone=zone))


def _offset_text(offset: int, style: str) -> str:
    if style in ("", "Z", "UTC"):
        return {"": "", "Z": "Z", "UTC": " UTC"}[style]
    hours, minutes = divmod(abs(offset) // 60, 60)
    sign = "-" if offset < 0 else "+"
    if style == "+hh" and not minutes:
        return f"{sign}{hours:02d}"
    return f"{sign}{hours:02d}{':' if style == '+hh:mm' else ''}{minutes:02d}"


def local_times(moments: NDArray[Any], offsets: NDArray[np.int64], clock: Clock) -> NDArray[Any]:
    """Return the local times of instants.

    Parameters
    ----------
    moments : array [n] of datetime64[ns] in UTC, or of float64
    offsets : int64 array [n]
        Seconds by which local times are ahead of UTC. If the clock has a zone, times follow it instead.
    clock : Clock
    """
    if clock.kind == "number":
        return moments
    if clock.wall_zone:
        return moments + offsets_in(moments, clock.wall_zone).astype("timedelta64[s]")
    if clock.kind == "typed":
        return moments
    return moments + offsets.astype("timedelta64[s]")


def utc_times(local: NDArray[Any], clock: Clock, offset: int) -> NDArray[Any]:
    """Return the instants in UTC of local times.

    Parameters
    ----------
    local : array [n] of datetime64[ns]
    clock : Clock
    offset : int
        Seconds by which local times are ahead of UTC. If the clock has a zone, times follow it instead.
    """
    if not clock.wall_zone:
        return local - np.timedelta64(offset, "s")
    zone = zone_of(clock.wall_zone)
    seconds = [_offset_at(value, zone) for value in local.astype("datetime64[us]").tolist()]
    return local - np.array(seconds, dtype="timedelta64[s]")


def _offset_at(moment: datetime.datetime, zone: datetime.tzinfo) -> int:
    offset = moment.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
