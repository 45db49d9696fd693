"""Guess several columns that tell the time together: a date and an hour, or a year, a month and a day."""

from dataclasses import replace

from ..formats.cells import to_texts
from ..formats.table import Table
from ..spec import TableSpec
from ..time.patterns import looks_like_times
from ..time.several_columns import NAMES_OF_HOURS, is_part, is_time_of_day, part_of
from .numbers import is_missing

# The columns of a date, as many as a table has, in this order; the year stands beside a month, a week or a quarter.
_ORDERS = (("year", "month", "day", "hour", "minute", "second"), ("year", "week"), ("year", "quarter"))
# The largest share of rows that may repeat a time: an hour that is there twice, as clocks go back, or a row that was
# written twice should not hide which columns are the time. The reader then orders such rows, or refuses them by name.
_MOST_REPEATED = 0.01


def guess_time_columns(table: Table, spec: TableSpec, free: list[str]) -> TableSpec | None:
    """Return the spec with the columns that tell the time together, or None if there are none.

    Parameters
    ----------
    table : Table
    spec : TableSpec
        Without a time.
    free : list of str
        Columns without a meaning so far.
    """
    dates = [
        column
        for column in free
        # 18.00.00 might be a date but for the column's name.
        if looks_like_times(table.columns[column])
        and not (_is_named_hour(column) and is_time_of_day(table, column))
    ]
    if len(dates) > 1:
        return None
    found = _date_and_hour(table, spec, dates[0], free) if dates else _numbers(table, spec, free)
    return None if found is None else replace(spec, time=found[0], time_parts=tuple(found[1:]))


def _date_and_hour(table: Table, spec: TableSpec, date: str, free: list[str]) -> list[str] | None:
    """Return a column of dates that repeat in a series, and the column of their times of day."""
    if not _repeated(table, spec, [date]):
        return None
    may_be = [name for name in free if name != date and (_is_named_hour(name) or _has_clocks(table, name))]
    for hour in may_be:
        is_whole = not is_missing(table.columns[hour]).any()
        if (
            is_whole
            and is_time_of_day(table, hour)
            and _repeated(table, spec, [date, hour]) <= _MOST_REPEATED
        ):
            return [date, hour]
    return None


def _is_named_hour(column: str) -> bool:
    return column.strip().lower() in NAMES_OF_HOURS


def _has_clocks(table: Table, column: str) -> bool:
    """Whether all cells are texts such as 14:30."""
    cells = table.columns[column]
    return cells.dtype.kind == "O" and all(":" in cell for cell in cells)


def _numbers(table: Table, spec: TableSpec, free: list[str]) -> list[str] | None:
    parts = {part: column for column in free if (part := part_of(column)) is not None}
    for order in _ORDERS:
        known = order[: next((i for i, part in enumerate(order) if part not in parts), len(order))]
        columns = [parts[part] for part in known]
        if len(columns) < 2 or not all(is_part(table, parts[part], part) for part in known):
            continue
        if _repeated(table, spec, columns) <= _MOST_REPEATED:
            return columns
    return None


def _repeated(table: Table, spec: TableSpec, columns: list[str]) -> float:
    """Return the share of rows that have the same cells in some columns as an earlier row of their series."""
    cells = [to_texts(table.columns[column]) for column in (*spec.series, *columns)]
    keys = zip(*cells, table.file_of.tolist(), strict=True)
    return 1 - len({*keys}) / len(table)
