"""Local times of a zone as instants: the hour that clocks show twice is told by the order of rows."""

import datetime
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError
from ..formats.table import DATE
from .clock import Times, offsets_in, zone_of
from .counted_times import EPOCHS


def in_zone(times: Times, zone: str, where: str) -> Times:
    """Return times with a stated zone: instants get its offsets, local times wait for `instants_of`.

    Parameters
    ----------
    times : Times
    zone : str
        Such as "Europe/Berlin".
    where : str
        Words for the column, for the message.

    Raises
    ------
    TableError
        If there is no zone of this name, or the times are plain numbers.
    """
    zone_of(zone)
    clock = times.clock
    if clock.kind == "number":
        raise TableError(
            f"{where}: its times are plain numbers, so that time_zone has no effect: leave it out (--time-zone), or "
            "state what they count, such as time_format: epoch_seconds (--time-format)"
        )
    known = replace(clock, local_zone=zone)
    has_instants = clock.offset or clock.format in EPOCHS
    if has_instants or (clock.kind == "typed" and clock.zone not in ("", DATE)):
        return Times(times.moments, offsets_in(times.moments, zone), known)
    return Times(times.moments, times.offsets, known, is_local=True)


def instants_of(times: Times, where: Callable[[int], str]) -> Times:
    """Return the instants of one series whose local times have no offset.

    Parameters
    ----------
    times : Times
        In the order of the rows in the file.
    where : callable
        Gives the words for the place of a row.

    Raises
    ------
    TableError
        If a local time does not exist in the zone, because clocks go forward; or if clocks go back, and the order of
        rows does not tell whether a time is before or after that.
    """
    zone = zone_of(times.clock.local_zone)
    walls = times.moments
    unique, places = np.unique(walls.astype("datetime64[s]"), return_inverse=True)
    both = np.array([_offsets(moment, zone) for moment in unique.tolist()], dtype=np.int64).reshape(-1, 2)
    before, after = both[places, 0], both[places, 1]
    if (before < after).any():
        row = int((before < after).argmax())
        raise TableError(
            f"{where(row)}: {_shown(times, row)} does not exist in {times.clock.local_zone}, as clocks go forward "
            "then: correct the time, or state another time_zone (--time-zone)"
        )
    is_twice = before > after
    chosen = before.copy()
    if is_twice.any():
        is_descending = bool(walls[0] > walls[-1])
        is_late = _is_second(walls, is_twice)
        chosen[is_twice & (is_late != is_descending)] = after[is_twice & (is_late != is_descending)]
    instants = walls - chosen.astype("timedelta64[s]")
    if is_twice.any():
        _check_told(times, instants, is_twice, where)
    return Times(instants, chosen, times.clock)


def _offsets(moment: datetime.datetime, zone: datetime.tzinfo) -> tuple[int, int]:
    """Return the offsets in seconds with which a local time can be meant, before and after a change of clocks."""
    found = [moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    first, second = (0 if offset is None else int(offset.total_seconds()) for offset in found)
    return first, second


def _is_second(walls: NDArray[np.datetime64], is_twice: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows stand after the row at which the hour that is there twice starts again."""
    days = walls.astype("datetime64[D]")
    is_second = np.zeros(len(walls), dtype=bool)
    is_descending = walls[0] > walls[-1]
    for day in np.unique(days[is_twice]):
        rows = np.flatnonzero(is_twice & (days == day))
        moves = np.diff(walls[rows]).astype(np.int64)
        again = np.flatnonzero(moves >= 0 if is_descending else moves <= 0)
        if len(again):
            is_second[rows[again[0] + 1 :]] = True
    return is_second


def _check_told(
    times: Times, instants: NDArray[np.datetime64], is_twice: NDArray[np.bool_], where: Callable[[int], str]
) -> None:
    """Raise unless rows are in order, and every change of clocks has rows of both hours."""
    moves = np.diff(instants).astype(np.int64)
    is_ordered = bool((moves > 0).all() or (moves < 0).all())
    days = times.moments.astype("datetime64[D]")
    for day in np.unique(days[is_twice]):
        rows = np.flatnonzero(is_twice & (days == day))
        offsets = {*(times.moments[rows] - instants[rows]).astype(np.int64).tolist()}
        if is_ordered and len(offsets) == 2:
            continue
        reason = (
            "the file has it once"
            if is_ordered
            else "rows are not in the order of time, which would tell them apart"
        )
        first = int(rows[0])
        raise TableError(
            f"{where(first)}: {_shown(times, first)} is there twice in {times.clock.local_zone}, as clocks "
            f"go back then, and {reason}: write offsets, as in 2025-10-26 02:30+01:00, or times in UTC"
        )


def _shown(times: Times, row: int) -> str:
    return str(times.moments[row].astype("datetime64[m]")).replace("T", " ")
