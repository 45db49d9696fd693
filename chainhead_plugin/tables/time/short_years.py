"""Dates with years of two digits, such as 31.12.24: find the only order of day, month and year that they can have."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from ..errors import TableError, listed

Order = Literal["day", "month", "year"]
# The places of year, month and day among the three numbers of a date, by what stands first.
_PLACES: dict[Order, tuple[int, int, int]] = {"day": (2, 1, 0), "month": (2, 0, 1), "year": (0, 1, 2)}
_STATED: dict[bool | None, tuple[Order, ...]] = {
    True: ("day",),
    False: ("month",),
    None: ("day", "month", "year"),
}
# How many times longer the time between the first and the last date is in an order that cannot be meant.
_FAR = 10


def full_year(year: int) -> int:
    """Return the year that two digits stand for: 69 to 99 are 1969 to 1999, as for Python's `strptime`."""
    return year + (1900 if year >= 69 else 2000)


def order_of(
    texts: Sequence[str],
    dates: Sequence[tuple[int, int, int]],
    day_first: bool | None,
    where: Callable[[str], str],
) -> Order:
    """Tell whether the day, the month or the year stands first in dates whose years have two digits.

    Parameters
    ----------
    texts : sequence of str
        The dates as they are written, for messages.
    dates : sequence of (int, int, int)
        The three numbers of each date, in the order in which they are written.
    day_first : bool, optional
        The user's statement; the year then stands last.
    where : callable
        Gives the words for the place of a text.

    Returns
    -------
    {"day", "month", "year"}
        The only order in which all of them are dates. If years may stand first or last, they stand where dates are
        much closer together: in 01.03.24, 02.03.24, … they are days apart with the year last, and years with the year
        first.

    Raises
    ------
    TableError
        If no order fits, or several do.
    """
    read = {order: _read(dates, order) for order in _STATED[day_first]}
    fitting = {order: days for order, days in read.items() if all(days)}
    if not fitting:
        raise _unfit(texts, read, where)
    fitting = _close_together(fitting)
    if len({tuple(days) for days in fitting.values()}) > 1:
        place = next(i for i, days in enumerate(zip(*fitting.values(), strict=True)) if len({*days}) > 1)
        readings = listed(f"{days[place]} with the {order} first" for order, days in fitting.items())
        raise TableError(
            f"{where(texts[place])}: {texts[place]!r} is {readings}, and no date in the column tells which: state "
            "day_first: true or false (--day-first or --month-first), or time_format, such as '%y-%m-%d' for years "
            "that stand first (--time-format)"
        )
    return next(iter(fitting))


def _read(dates: Sequence[tuple[int, int, int]], order: Order) -> list[datetime.date | None]:
    year, month, day = _PLACES[order]
    days: list[datetime.date | None] = []
    for date in dates:
        days.append(None)
        with suppress(ValueError):
            days[-1] = datetime.date(full_year(date[year]), date[month], date[day])
    return days


def _close_together(
    fitting: Mapping[Order, list[datetime.date | None]],
) -> dict[Order, list[datetime.date | None]]:
    """Leave out the order with the year first, or all other orders, if dates are far apart in it."""
    spans = {}
    for order, days in fitting.items():
        known = [day.toordinal() for day in days if day is not None]
        spans[order] = max(known) - min(known)
    others = [span for order, span in spans.items() if order != "year"]
    if "year" not in spans or not others:
        return dict(fitting)
    if spans["year"] > _FAR * max(others):
        return {order: days for order, days in fitting.items() if order != "year"}
    if min(others) > _FAR * spans["year"]:
        return {"year": fitting["year"]}
    return dict(fitting)


def _unfit(
    texts: Sequence[str], read: Mapping[Order, list[datetime.date | None]], where: Callable[[str], str]
) -> TableError:
    order, days = min(read.items(), key=lambda entry: entry[1].count(None))
    text = texts[days.index(None)]
    return TableError(
        f"{where(text)}: {text!r} is no date with the {order} first, as most dates of the column are: correct it, or "
        "state time_format, such as '%d.%m.%y' (--time-format)"
    )
