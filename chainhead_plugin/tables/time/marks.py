"""Marks in time: the time of a table's last row, by which a later table is placed behind an earlier table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clock import Clock
from .steps import Step, steps_between


@dataclass(frozen=True)
class TimeMark:
    """A time, and the step from it to the next.

    Attributes
    ----------
    time : datetime64[ns] or float
        Local time where steps are days or longer, as these follow the local calendar; else an instant in UTC.
    step : Step
    has_zone : bool
        Whether the table tells which instant a local time is, by a zone or an offset.
    """

    time: Any
    step: Step
    has_zone: bool = False

    def steps_to(self, later: "TimeMark") -> int | None:
        """Return how many whole steps lead to another mark, below 0 if it is earlier.

        None if the steps differ, or only one of the two has a zone.
        """
        if self.step.unit != later.step.unit or self.has_zone != later.has_zone:
            return None
        if not np.isclose(self.step.count, later.step.count, rtol=1e-6, atol=0):
            return None
        return steps_between(self.time, later.time, self.step)

    def to_dict(self) -> dict[str, Any]:
        """Return the mark as a mapping for JSON."""
        time = float(self.time) if self.step.unit == "number" else str(np.datetime64(self.time, "ns"))
        return {"time": time, "count": self.step.count, "unit": self.step.unit, "has_zone": self.has_zone}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TimeMark":
        """Return the mark of a mapping that `to_dict` has returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no such mapping.
        """
        unit, count = values["unit"], values["count"]
        if unit not in ("number", "ns", "month", "business day") or not count > 0:
            raise ValueError(f"a mark in time has a step of {count!r} {unit!r}")
        time = float(values["time"]) if unit == "number" else np.datetime64(values["time"], "ns")
        return cls(time, Step(count, unit), bool(values["has_zone"]))


def last_mark(
    times: NDArray[Any] | None, offset: int, clock: Clock | None, step: Step | None
) -> TimeMark | None:
    """Return the mark of the last row of a series.

    Parameters
    ----------
    times : array [L] of datetime64[ns] in UTC, or of float64, optional
    offset : int
        Seconds by which the last local time is ahead of UTC.
    clock : Clock, optional
    step : Step, optional

    Returns
    -------
    TimeMark, optional
        None without times, or if they are unevenly spaced.
    """
    if times is None or clock is None or step is None:
        return None
    time = times[-1]
    if step.is_of_days:
        time = time + np.timedelta64(offset, "s")
    return TimeMark(time, step, bool(clock.wall_zone or clock.offset))


__all__ = ["TimeMark", "last_mark"]
