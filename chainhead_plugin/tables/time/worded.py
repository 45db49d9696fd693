"""Read dates with names of months, months without a day, quarters, and ISO 8601's weeks and dates in digits alone."""

import datetime
import re
from collections.abc import Sequence
from typing import NamedTuple

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
_CLOCK = r"(?: \d{1,2}:\d{2}(?::\d{2})?)?"
_NAMED = re.compile(
    rf"(?:\d{{1,2}}[ -]{_MONTH}[ -]\d{{4}}{_CLOCK}|{_MONTH} \d{{1,2}},? \d{{4}}{_CLOCK}|{_MONTH}[ -]\d{{4}}"
    r"|\d{1,2}[/-]\d{4}|\d{8}T\d{4}(?:\d{2})?)",
    re.ASCII | re.IGNORECASE,
)
_QUARTER = re.compile(r"(?P<year>\d{4})(?P<sign>[ -]?)Q(?P<quarter>[1-4])", re.ASCII)
_QUARTER_FIRST = re.compile(r"Q(?P<quarter>[1-4])(?P<sign>[ /-]?)(?P<year>\d{4})", re.ASCII)
_WEEK = re.compile(r"(?P<year>\d{4})(?P<sign>-?)W(?P<week>\d{2})(?:(?P=sign)(?P<day>[1-7]))?", re.ASCII)
_DAYS = (
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%B-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%B %d %Y",
)
_FORMATS = (
    *(day + clock for day in _DAYS for clock in ("", " %H:%M", " %H:%M:%S")),
    *("%b %Y", "%B %Y", "%b-%Y", "%B-%Y", "%m/%Y", "%m-%Y", "%Y%m%dT%H%M", "%Y%m%dT%H%M%S"),
)


class Worded(NamedTuple):
    """Local times, and how they are written; "%q" stands for the number of a quarter."""

    moments: list[datetime.datetime]
    format: str


def is_worded(text: str) -> bool:
    """Tell whether a text looks like a date that this module reads."""
    return any(pattern.fullmatch(text) for pattern in (_NAMED, _QUARTER, _QUARTER_FIRST, _WEEK))


def read_worded(texts: Sequence[str]) -> Worded | None:
    """Read dates that are all written alike, in a way that this module knows; None if they are not."""
    if not is_worded(texts[0]):
        return None
    for pattern in (_QUARTER, _QUARTER_FIRST):
        matches = [pattern.fullmatch(text) for text in texts]
        found = [match for match in matches if match is not None]
        if len(found) == len(texts) and len({match["sign"] for match in found}) == 1:
            sign = found[0]["sign"]
            form = f"%Y{sign}Q%q" if pattern is _QUARTER else f"Q%q{sign}%Y"
            firsts = [
                datetime.datetime(int(match["year"]), 3 * int(match["quarter"]) - 2, 1) for match in found
            ]
            return Worded(firsts, form)
    matches = [_WEEK.fullmatch(text) for text in texts]
    weeks = [match for match in matches if match is not None]
    if len(weeks) == len(texts) and len({(match["sign"], match["day"] is None) for match in weeks}) == 1:
        return _weeks(weeks)
    return next((read for form in _FORMATS if (read := _by_format(texts, form)) is not None), None)


def _weeks(matches: Sequence[re.Match[str]]) -> Worded | None:
    sign = matches[0]["sign"]
    form = f"%G{sign}W%V" + (f"{sign}%u" if matches[0]["day"] else "")
    try:
        moments = [
            datetime.datetime.fromisocalendar(int(match["year"]), int(match["week"]), int(match["day"] or 1))
            for match in matches
        ]
    except ValueError:
        return None
    return Worded(moments, form)


def _by_format(texts: Sequence[str], form: str) -> Worded | None:
    try:
        return Worded([datetime.datetime.strptime(text, form) for text in texts], form)
    except ValueError:
        return None
