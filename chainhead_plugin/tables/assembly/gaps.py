"""Gaps of time: refused, left as they are, or filled with nodes whose values are missing."""

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed
from ..spec import TableSpec
from ..time.calendar import calendar_features
from ..time.clock import Times, local_times, offsets_in, utc_times
from ..time.steps import Step, days_of_month
from .rows import Rows


def shown_time(part: Rows, row: int) -> str:
    """Return the time of a row as the table writes it."""
    assert part.times is not None
    return str(part.times.clock.write(part.times.moments[row : row + 1], int(part.times.offsets[row]))[0])


def without_gaps(part: Rows, step: Step, spec: TableSpec) -> Rows:
    """Return a series with a node at every step: steps without a row become nodes with missing values.

    Parameters
    ----------
    part : Rows
        The rows of one series, sorted by time.
    step : Step
        The distance between nodes.
    spec : TableSpec
        Whether gaps are filled or refused, and the features of the calendar to compute.

    Returns
    -------
    Rows

    Raises
    ------
    TableError
        If a time is not a whole number of steps after the first, or a row is missing and gaps are not to be filled or
        cannot be; the message names file, rows and times.
    """
    assert part.times is not None
    moments = (
        part.times.local if step.is_local or step.unit in ("month", "business day") else part.times.moments
    )
    if step.leads_through(moments):
        return part
    positions = step.positions(moments)
    whole = np.round(positions)
    uneven = ~(np.abs(positions - whole) < 1e-6)
    if uneven.any():
        row = int(uneven.argmax())
        raise TableError(
            f"{part.place(row)}: time {shown_time(part, row)} is no whole number of steps of {step} after "
            f"{shown_time(part, 0)}: state another step, or gaps: keep to take rows as they are"
        )
    places = whole.astype(np.int64)
    length = int(places[-1]) + 1
    if length == len(part):
        return part
    after = int((np.diff(places) > 1).argmax())
    if spec.gaps not in (None, "error") and length > 100 * len(part) + 1000:
        after = int(np.diff(places).argmax())
    lacking = int(places[after + 1] - places[after] - 1)
    if spec.gaps in (None, "error"):
        raise TableError(
            f"{part.place(after + 1)}: between {shown_time(part, after)} and {shown_time(part, after + 1)} "
            f"{lacking} row{'s lack' if lacking > 1 else ' lacks'}, as times are {step} apart: add the rows, or "
            "state gaps: missing (--gaps missing) for nodes with missing values, or gaps: keep for rows as they are"
        )
    if length > 100 * len(part) + 1000:
        raise TableError(
            f"{part.place(after + 1)}: to fill its gaps with steps of {step}, {length - len(part)} nodes would have "
            f"to be put between {len(part)}: check its times, or state the step"
        )
    if spec.known:
        raise TableError(
            f"{part.place(after + 1)}: between {shown_time(part, after)} and {shown_time(part, after + 1)} no row "
            f"holds {listed(spec.known)}, which has to be known for every time: add the row"
        )
    return _spread(part, places, length, step, spec)


def _spread(part: Rows, places: NDArray[np.int64], length: int, step: Step, spec: TableSpec) -> Rows:
    assert part.times is not None
    clock = part.times.clock
    nearest = (
        np.searchsorted(places, np.arange(length), side="right") - 1
    )  # for each node the last row before it, whose labels are copied
    offsets = part.times.offsets[nearest]
    if step.is_local or step.unit in ("month", "business day"):
        walls = np.concatenate(
            [part.times.local[:1], step.after(part.times.local[0], length - 1, _day(part.times))]
        )
        moments = utc_times(walls, clock, 0) if clock.wall_zone else walls - offsets.astype("timedelta64[s]")
    else:
        moments = np.concatenate([part.times.moments[:1], step.after(part.times.moments[0], length - 1)])
    moments[places] = part.times.moments
    if clock.wall_zone:
        offsets = offsets_in(moments, clock.wall_zone)
    values = np.full((length, part.values.shape[1]), np.nan)
    values[places] = part.values
    numbers = np.zeros(length, dtype=np.int32)
    numbers[places] = part.numbers
    labels = []
    for column in part.labels:
        spread = column[nearest] if spec.label_of == "series" else np.full(length, "", dtype=object)
        spread[places] = column
        labels.append(spread)
    known = np.empty((length, 0))
    if spec.calendar:
        known = calendar_features(local_times(moments, offsets, clock), spec.calendar)
    return Rows(
        part.keys,
        np.zeros(length, dtype=np.int64),
        values,
        known,
        part.static[nearest],
        labels,
        None if part.groups is None else part.groups[nearest],
        Times(moments, offsets, clock),
        part.files,
        part.file_of[nearest],
        numbers,
    )


def _day(times: Times) -> int:
    if times.clock.kind == "number":
        return 1
    return int(days_of_month(times.local.astype("datetime64[D]")).max())
