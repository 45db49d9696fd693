"""Read tables that are larger than memory in pieces, each of which holds whole series."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .assembly.assembling import assemble
from .assembly.rows import Rows, join_rows, read_rows, warn_of_codes_in
from .columns.meaning import Columns, resolve
from .columns.numerals.thousands import plain_numbers
from .columns.numerals.units import without_units
from .columns.wide import node_times
from .errors import RowsApartError, TableError
from .formats.files import Source, find_sources
from .formats.frame import from_frame
from .formats.table import Sequences, Table
from .formats.text.separated import BLOCK_ROWS
from .loading import from_sequences, from_table, wide_series
from .matching import check_series_columns, match, match_sequences
from .read import Reading, read_blocks
from .schema import Schema
from .series import SeriesSet
from .spec import TableSpec
from .time.steps import Step


def load_pieces(
    data: Any,
    spec: TableSpec | Schema | None = None,
    reading: Reading | None = None,
    *,
    labelled: bool = False,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[SeriesSet]:
    """Load series a few at a time.

    Memory holds a block of rows and the longest series. All rows of a series have to stand together, while `load` takes
    rows in any order. Meanings of columns are guessed from the first block.

    Parameters
    ----------
    data : str, Path, list of them, Source, pandas.DataFrame or Table
        As in `load`. A table in memory is a single piece.
    spec : TableSpec or Schema, optional
        The meanings of the columns, or the schema of a model to match them with.
    reading : Reading, optional
        How to read files that do not tell it themselves.
    labelled : bool
        Whether labels are read, if `spec` is a schema.
    block_rows : int
        Rows, or sequences, to read at a time.

    Yields
    ------
    SeriesSet
        At least one series. The `start` of each is counted from the first time of the piece.

    Raises
    ------
    TableError
        As in `load`; and if the rows of a series do not stand together.
    """
    reading = reading or Reading()
    chosen = spec or TableSpec()

    def spec_of(part: Table | Sequences) -> TableSpec:
        if isinstance(chosen, TableSpec):
            return chosen
        if isinstance(part, Table):
            found = match(chosen, part, labelled=labelled)
            is_frame = isinstance(data, Table) or hasattr(data, "iloc")
            check_series_columns(chosen, found, part, may_be_alone=is_frame)
            return found
        return match_sequences(chosen, part, labelled=labelled)

    if isinstance(data, Table) or (hasattr(data, "iloc") and hasattr(data, "columns")):
        table = data if isinstance(data, Table) else from_frame(data)
        yield from_table(table, spec_of(table))
        return
    sources: list[Source] = [data]
    notes: list[str] = []
    if not isinstance(data, Source):
        sources, notes = find_sources(data, reading.folder)
    stream = _Stream(spec_of, notes, len(sources) > 1)
    for source in sources:
        for part in read_blocks(source, reading, block_rows):
            if isinstance(part, Sequences):
                yield from_sequences([part], spec_of(part), notes)
            else:
                yield from stream.add(part, source)
        yield from stream.end_file()
    yield from stream.end()


class _Stream:
    """Takes blocks of tables, and gives series as soon as they are whole."""

    def __init__(
        self, spec_of: Callable[[Table | Sequences], TableSpec], notes: list[str], has_several_files: bool
    ) -> None:
        self._spec_of = spec_of
        self._notes = notes
        self._has_several_files = has_several_files
        self._columns: Columns | None = None
        self._names: list[str] = []
        self._step: Step | None = None
        self._thousands: str | None = None
        self._units: Mapping[str, str] | None = None
        self._has_names = True
        self._open: list[Rows] = []  # the parts of the series that the last block ended in
        self._finished: set[tuple[str, ...]] = set()

    def add(self, block: Table, source: Source) -> Iterator[SeriesSet]:
        is_first = self._columns is None
        if self._columns is None:
            known = replace(block, has_siblings=self._has_several_files)
            self._columns = resolve(known, self._spec_of(known))
            self._names, self._has_names = sorted(block.columns), block.has_names
            # Later blocks are read as the first: nothing is guessed again.
            spec = self._columns.spec
            others = [name for name in self._columns.features if name not in spec.target]
            if spec.rows != "series":
                self._columns = replace(self._columns, spec=replace(spec, features=tuple(others)))
        elif sorted(block.columns) != self._names:
            raise TableError(
                f"{block.name} has other columns than the files before it: read the files one by one"
            )
        numeric = self._columns.numeric
        block = plain_numbers(
            without_units(self._as_before(block), numeric, self._columns.spec.missing), numeric
        )
        if self._thousands is None:
            self._thousands, self._units = block.thousands or "", block.units
            self._columns = replace(self._columns, units=block.units or {})
            self._notes = [*self._notes, *block.notes]
        spec = self._columns.spec
        if spec.rows == "series":
            times = None if spec.label else node_times(block, self._columns.features, spec)
            series = tuple(wide_series(block, self._columns, times))
            nodes = self._columns.features if self._has_names else ()
            named = replace(self._columns, features=("value",), nodes=nodes)
            clock, step = (None, None) if times is None else (times.clock, times.step)
            notes = tuple(self._notes)
            yield SeriesSet(series, named, block.files, clock, step, self._has_names, notes)
            return
        stems = (source.stem,) if self._has_several_files else ()
        rows = read_rows(block, self._columns, stems)
        if is_first:
            warn_of_codes_in(rows, self._columns, block.name)
        if self._has_several_files and not spec.series:
            rows = replace(rows, keys=[(source.stem,)])
        yield from self._split(rows)

    def _as_before(self, block: Table) -> Table:
        """Return a block with the sign between thousands, and the units, that the first block has."""
        if self._thousands is None:
            return block
        return replace(block, thousands=self._thousands, units=self._units)

    def _split(self, rows: Rows) -> Iterator[SeriesSet]:
        ends = [*(np.flatnonzero(np.diff(rows.series_of)) + 1).tolist(), len(rows)]
        start = 0
        whole: list[Rows] = []
        for end in ends:
            part = rows.take(slice(start, end), int(rows.series_of[start]))
            start = end
            if self._open and self._open[0].keys != part.keys:
                whole.append(self._close())
            if part.keys[0] in self._finished and not self._open:
                raise RowsApartError(
                    f"{part.place(0)}: rows of this series stand apart from those before: sort the file by "
                    f"{' and '.join(self._spec().series)}, or read it as a whole"
                )
            self._open.append(part)
        yield from (self._found(part) for part in whole)

    def end_file(self) -> Iterator[SeriesSet]:
        if self._open and not self._spec().series:
            yield self._found(self._close())
            self._finished.clear()

    def end(self) -> Iterator[SeriesSet]:
        if self._open:
            yield self._found(self._close())

    def _spec(self) -> TableSpec:
        assert self._columns is not None
        return self._columns.spec

    def _close(self) -> Rows:
        rows = join_rows(self._open)
        self._finished.add(rows.keys[0])
        return rows

    def _found(self, rows: Rows) -> SeriesSet:
        assert self._columns is not None
        found = assemble(rows, self._columns, self._step)
        self._step = found.step
        return SeriesSet(
            tuple(found.series),
            self._columns,
            rows.files,
            None if rows.times is None else rows.times.clock,
            found.step,
            self._has_names,
            (*self._notes, *self._columns.notes, *found.notes),
        )
