"""Read the times of all rows from the column, or the columns, that a spec names, in its time zone if it states one."""

from ..errors import TableError, place
from ..formats.table import Table
from ..spec import TableSpec
from .clock import Times
from .parsing import parse_times
from .several_columns import is_part, joined_times, times_of_numbers
from .zones import in_zone


def read_times(table: Table, spec: TableSpec) -> Times:
    """Read the times of all rows.

    Parameters
    ----------
    table : Table
        Without empty cells in the columns of times.
    spec : TableSpec
        Names the column of times, or several columns that tell the time together.

    Returns
    -------
    Times
        Local times of a stated zone are those on the wall: their instants are found series by series.

    Raises
    ------
    TableError
        As of `parse_times`; and if several columns do not make a time, or there is no such time zone.
    """
    assert spec.time is not None
    times = _read(table, spec.time, spec)
    return (
        times
        if spec.time_zone is None
        else in_zone(times, spec.time_zone, place(table.name, column=spec.time))
    )


def _read(table: Table, column: str, spec: TableSpec) -> Times:
    if not spec.time_parts:
        return parse_times(table, column, time_format=spec.time_format, day_first=spec.day_first)
    if is_part(table, column, "year") or len(spec.time_parts) > 1:
        if spec.time_format is not None:
            raise TableError("time_format has no effect on times whose year stands in a column of its own")
        return times_of_numbers(table, [column, *spec.time_parts])
    date = parse_times(table, column, time_format=spec.time_format, day_first=spec.day_first)
    return joined_times(date, table, spec.time_parts[0])
