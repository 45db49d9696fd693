"""Likely seasons, and a usual horizon, for the time between two steps, such as an hour or a month."""

from ...tables.time.steps import Step

_DAY = 86_400
# By the length of a step, in seconds or months: the likely seasons, the most usual first, and a usual horizon.
_BY_SECONDS = {_DAY: ((7, 365), 14), 7 * _DAY: ((52,), 8), 3600: ((24, 168), 24)}
_BY_MONTHS = {1: ((12,), 12), 3: ((4,), 4), 12: ((), 5)}
_BUSINESS_DAY = ((5, 260), 10)
_UNKNOWN = ((), 12)


def likely_seasons(step: Step | None) -> tuple[int, ...]:
    """Return the likely seasons, in steps, for steps of this length; empty if it is unknown."""
    return _known(step)[0]


def usual_horizon(step: Step | None, length: int) -> int:
    """Return the default number of steps to forecast: a usual number, at most a fifth of `length`."""
    return max(1, min(_known(step)[1], length // 5))


def _known(step: Step | None) -> tuple[tuple[int, ...], int]:
    if step is None or step.unit == "number":
        return _UNKNOWN
    if step.unit == "business day":
        return _BUSINESS_DAY if step.count == 1 else _UNKNOWN
    if step.unit == "month":
        return _BY_MONTHS.get(int(step.count), _UNKNOWN)
    seconds = step.count / 10**9
    if seconds in _BY_SECONDS:
        return _BY_SECONDS[int(seconds)]
    if seconds < _DAY and _DAY % seconds == 0:
        day = int(_DAY // seconds)
        return (day, 7 * day), day
    return _UNKNOWN


__all__ = ["likely_seasons", "usual_horizon"]
