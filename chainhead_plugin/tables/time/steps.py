"""The step of times, in fixed units or by the calendar, and the times that come next."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
    "w": 7 * 86400 * 10**9,
}
_NAMES = {
    "ns": ("ns", "nanosecond", "nanoseconds"),
    "us": ("us", "µs", "microsecond", "microseconds"),
    "ms": ("ms", "millisecond", "milliseconds"),
    "s": ("s", "sec", "second", "seconds"),
    "min": ("min", "minute", "minutes", "t"),
    "h": ("h", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "month": ("month", "months", "mo", "ms_", "me"),
    "quarter": ("quarter", "quarters", "q"),
    "year": ("y", "year", "years", "a"),
    "business day": ("b", "business day", "business days"),
}
# Times that are looked at together.
_BLOCK = 1 << 16
_WORDS = {"min": "minute", "h": "hour", "d": "day", "w": "week", "s": "second"}


@dataclass(frozen=True)
class Step:
    """The distance from one time to the next.

    Attributes
    ----------
    count : int or float
        The number of units.
    unit : {"number", "ns", "month", "business day"}
        Nanoseconds, months or business days; "number" if times are plain numbers.
    is_local : bool
        Whether local times are evenly spaced rather than instants, as days are when clocks change.
    at_month_end : bool
        Whether all days are the last of their months.
    """

    count: float
    unit: Literal["number", "ns", "month", "business day"]
    is_local: bool = False
    at_month_end: bool = False

    @property
    def is_of_days(self) -> bool:
        """Whether it is a day, a number of days, or longer, so that it is counted in local time, as calendars do."""
        return self.unit in ("month", "business day") or (self.unit == "ns" and self.count % _UNITS["d"] == 0)

    def __str__(self) -> str:
        """Return a text such as "1 day", "15 minutes" or "0.5", which `parse_step` reads."""
        if self.unit == "number":
            return f"{self.count:.0f}" if float(self.count).is_integer() else f"{self.count:g}"
        count, name = int(self.count), str(self.unit)
        if self.unit == "month" and count % 12 == 0:
            count, name = count // 12, "year"
        elif self.unit == "ns":
            unit = next(unit for unit in reversed(_UNITS) if count % _UNITS[unit] == 0 and unit != "w")
            count, name = count // _UNITS[unit], _WORDS.get(unit, unit)
        is_word = name not in _UNITS
        return f"{count} {name}{'s' if count > 1 and is_word else ''}"

    def positions(self, times: NDArray[Any]) -> NDArray[np.float64]:
        """Return how many steps each time is after the first, whole where it is on the grid of steps.

        Parameters
        ----------
        times : array [L] of datetime64[ns] or float64
            Ascending; local times if the step is local, or of months or business days.

        Returns
        -------
        float64 array [L]
            NaN for a day or hour that steps of months and business days do not reach.
        """
        if self.unit == "number":
            steps = (times - times[0]) / self.count
            near = np.round(steps)
            # Decimal fractions are no exact floats.
            return np.where(np.abs(steps - near) < 1e-3, near, steps)
        if self.unit == "ns":
            passed = (times - times[0]).astype(np.int64)
            whole, rest = np.divmod(passed, int(self.count))
            return whole + rest / self.count
        if self.unit == "business day":
            days = times.astype("datetime64[D]")
            is_weekend = ~np.is_busday(days)
            same_hour = (times - days) == (times[0] - days[0])
            return np.where(same_hour & ~is_weekend, np.busday_count(days[0], days) / self.count, np.nan)
        months = times.astype("datetime64[M]").astype(np.int64)
        steps = (months - months[0]) / self.count
        return np.where(self._fits_day(times), steps, np.nan)

    def leads_through(self, times: NDArray[Any]) -> bool:
        """Tell whether times are a single fixed step apart, all of them, in little memory; False of other steps.

        Parameters
        ----------
        times : array [L] of datetime64[ns] or float64
            As of `positions`.
        """
        if self.unit not in ("number", "ns"):
            return False
        for begin in range(0, len(times), _BLOCK):
            block = times[begin : begin + _BLOCK]
            expected = np.arange(begin, begin + len(block))
            passed = block - times[0]
            if self.unit == "ns":
                if (passed.astype(np.int64) != expected * int(self.count)).any():
                    return False
            elif not (np.abs(passed / self.count - expected) < 1e-3).all():
                return False
        return True

    def _fits_day(self, times: NDArray[Any]) -> NDArray[np.bool_]:
        days = times.astype("datetime64[D]")
        same_hour = (times - days) == (times[0] - days[0])
        if self.at_month_end:
            return same_hour & are_month_ends(days)
        number = days_of_month(days)
        # The 31st is the 30th in shorter months.
        return same_hour & ((number == number.max()) | (are_month_ends(days) & (number < number.max())))

    def after(self, last: Any, count: int, day: int | None = None) -> NDArray[Any]:
        """Return the next times.

        Parameters
        ----------
        last : datetime64[ns] or float
            The time that they follow.
        count : int
            How many times to return.
        day : int, optional
            The day of the month that steps of months keep, in case that `last` is in a month without this day.

        Returns
        -------
        array [count] of datetime64[ns] or float64
        """
        steps = np.arange(1, count + 1)
        if self.unit == "number":
            return np.asarray(last + steps * self.count, dtype=np.float64)
        last = np.datetime64(last, "ns")
        if self.unit == "ns":
            return last + (steps * int(self.count)).astype("timedelta64[ns]")
        start = last.astype("datetime64[D]")
        hours = last - start
        if self.unit == "business day":
            return (
                np.busday_offset(start, steps * int(self.count), roll="forward").astype("datetime64[ns]")
                + hours
            )
        months = last.astype("datetime64[M]") + (steps * int(self.count)).astype("timedelta64[M]")
        ends = (months + 1).astype("datetime64[D]") - 1
        wanted = months.astype("datetime64[D]") + ((day or int(days_of_month(start))) - 1)
        return (ends if self.at_month_end else np.minimum(wanted, ends)).astype("datetime64[ns]") + hours


def parse_step(stated: str | float, is_number: bool) -> Step:
    """Return a stated step.

    Parameters
    ----------
    stated : str or number
        Such as "1h", "15 min", "2 weeks", "1 month", "business day"; a number if times are numbers.
    is_number : bool
        Whether times are numbers.

    Raises
    ------
    TableError
        If it is no step, or does not go with the times.
    """
    if is_number:
        try:
            count = float(stated)
        except ValueError:
            count = math.nan
        if not (math.isfinite(count) and count > 0):
            raise TableError(f"step must be a number above 0, as times are numbers, got {stated!r}")
        return Step(count, "number")
    found = re.fullmatch(r"\s*(\d+)?\s*([^\W\d][\w µ]*?)\s*", str(stated))
    word = found[2].lower() if found else ""
    unit = next((unit for unit, names in _NAMES.items() if word in names), None)
    count = int(found[1] or 1) if found else 0
    if unit is None or count < 1 or isinstance(stated, bool):
        raise TableError(
            f"step must be such as 1h, 15min, 1 day, 1 business day or 1 month, as times are dates, got {stated!r}"
        )
    if unit in ("month", "quarter", "year"):
        return Step(count * {"month": 1, "quarter": 3, "year": 12}[unit], "month")
    if unit == "business day":
        return Step(count, "business day")
    return Step(count * _UNITS[unit], "ns")


def steps_between(first: Any, later: Any, step: Step) -> int:
    """Return how many whole steps lead from a local time to a later local time.

    Parameters
    ----------
    first, later : datetime64[ns] or float
    step : Step
    """
    if step.unit == "number":
        return math.floor((later - first) / step.count + 1e-6)
    first, later = np.datetime64(first, "ns"), np.datetime64(later, "ns")
    if step.unit == "ns":
        return int((later - first).astype(np.int64) // int(step.count))
    if step.unit == "business day":
        days = np.busday_count(first.astype("datetime64[D]"), later.astype("datetime64[D]"))
        return int(days) // int(step.count)
    months = later.astype("datetime64[M]").astype(np.int64) - first.astype("datetime64[M]").astype(np.int64)
    return int(months) // int(step.count)


def days_of_month(days: NDArray[Any]) -> NDArray[np.int64]:
    """Return the numbers of days in their months, from 1."""
    return (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1


def are_month_ends(days: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which days are the last of their months."""
    return np.asarray((days + 1).astype("datetime64[M]") != days.astype("datetime64[M]"))
