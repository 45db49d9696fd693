"""Cuts the rows of a source into chunks, the same chunks each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..rows import RowError, told
from ..work import JobOptions, Row, Work

# A chunk ends early when its inputs hold as many numbers or characters.
_MOST_VALUES = 1 << 22


class Chunk(NamedTuple):
    """Rows of a source that become a part.

    Attributes
    ----------
    source : int
        The source's place among the sources.
    number : int
        The chunk's place in its source.
    rows : list of Row or None
        None behind the last chunk of a source, with the number of its chunks as `number`.
    first : int
        The place of the first row in its source.
    """

    source: int
    number: int
    rows: list[Row] | None
    first: int = 0


def chunks_of(work: Work, source: int, options: JobOptions) -> Iterator[Chunk]:
    """Yield the chunks of a source, and then its end.

    A source that cannot be read any further ends with a row that says so, if errors are kept.

    Raises
    ------
    RowError
        If the source cannot be read, and errors are raised.
    """
    number = first = values = 0
    rows: list[Row] = []
    for row in _readable(work, source, options):
        rows.append(row)
        values += row.values
        if len(rows) == options.part_rows or values > _MOST_VALUES:
            yield Chunk(source, number, rows, first)
            number, first = number + 1, first + len(rows)
            rows, values = [], 0
    if rows:
        yield Chunk(source, number, rows, first)
        number += 1
    yield Chunk(source, number, None)


def _readable(work: Work, source: int, options: JobOptions) -> Iterator[Row]:
    rows = work.rows(source)
    while True:
        try:
            row = next(rows, None)
        except (ValueError, OSError) as error:
            name = work.sources()[source]
            if options.on_error == "raise":
                raise RowError(f"{name} cannot be read: {told(error)}") from error
            yield Row(None, {}, f"{name} cannot be read any further: {told(error)}")
            return
        if row is None:
            return
        yield row
