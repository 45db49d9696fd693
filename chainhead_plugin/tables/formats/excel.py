"""Tables in workbooks of Excel."""

import datetime
import zipfile
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed, place, require
from .cells import objects, shown
from .columnar import to_nanoseconds
from .files import Source
from .table import DATE, Table, single, unnamed_filled
from .text.dialect import Dialect
from .text.header import has_header

_SAMPLE_ROWS = 64
_MERGED, _FORMULAS, _PIECE = b"<mergeCell ", (b"<f>", b"<f "), 2**20


def read_excel(source: Source, dialect: Dialect, sheet: str | None = None) -> Table:
    """Read a sheet of a workbook.

    Parameters
    ----------
    source : Source
    dialect : Dialect
        Only its `header` is used.
    sheet : str, optional
        By default the only sheet that is not empty.

    Returns
    -------
    Table
        Cells keep their types: numbers, times or texts. A formula is read as its last result. Cells
        that are merged over several rows have their value in all of them.

    Raises
    ------
    TableError
        If the file is no workbook, there is no sheet of this name, several sheets are filled and none is named, a cell
        holds an error, or formulas have never been calculated.
    """
    openpyxl = require("openpyxl", "openpyxl", source.name)
    with source.open() as stream:
        try:
            marks = _marks_in(stream)
            has_merged = _MERGED in marks
            stream.seek(0)
            # Only a workbook that is read as a whole tells which cells are merged.
            book = openpyxl.load_workbook(stream, read_only=not has_merged, data_only=True)
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise TableError(f"{source.name} is no workbook of Excel: {error}") from error
        sheets = {
            name: [list(row) for row in book[name].iter_rows(values_only=True)]
            for name in book.sheetnames
            if hasattr(book[name], "iter_rows")  # not a chart
        }
        merged = {name: _fill_merged(sheets[name], book[name]) if has_merged else 0 for name in sheets}
        book.close()
    filled = [
        name for name, found in sheets.items() if any(cell is not None for row in found for cell in row)
    ]
    if sheet is not None and sheet not in sheets:
        raise TableError(f"{source.name} has no sheet {sheet}, but {listed(sheets)}")
    if sheet is None and len(filled) > 1:
        raise TableError(
            f"{source.name} has the sheets {listed(filled)}: name one of them as sheet (--sheet)"
        )
    chosen = sheet or (filled[0] if filled else None)
    if chosen is None:
        return _table([], source.name, dialect)
    if marks & {*_FORMULAS}:
        with source.open() as stream:
            _check_calculated(
                openpyxl.load_workbook(stream, read_only=True)[chosen], sheets[chosen], source.name
            )
    found = _table(sheets[chosen], source.name, dialect)
    if not merged[chosen]:
        return found
    said = f"the value of merged cells taken for all of their rows ({merged[chosen]})"
    return replace(found, notes=(*found.notes, said))


def _marks_in(stream: IO[bytes]) -> set[bytes]:
    """Return which of the marks of merged cells and of formulas are in any sheet of a workbook."""
    found: set[bytes] = set()
    marks = (_MERGED, *_FORMULAS)
    with zipfile.ZipFile(stream) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as sheet:
                    end = b""
                    while piece := sheet.read(_PIECE):
                        found |= {mark for mark in marks if mark in end + piece}
                        end = piece[-len(_MERGED) :]
    return found


def _check_calculated(formulas: Any, results: list[list[Any]], file: str) -> None:
    """Raise if a sheet has formulas, but no result of any, as libraries write it that calculate nothing."""
    first = None
    for number, (row, found) in enumerate(
        zip(formulas.iter_rows(values_only=True), results, strict=False), start=1
    ):
        for position, (cell, result) in enumerate(zip(row, found, strict=False), start=1):
            is_formula = (isinstance(cell, str) and cell.startswith("=")) or type(
                cell
            ).__name__ == "ArrayFormula"
            if is_formula and result is not None:
                return
            if is_formula and first is None:
                first = f"row {number}, column {position}"
    if first is not None:
        raise TableError(
            f"{file}, {first} holds a formula without its result, as all formulas of the sheet do: open the workbook "
            "in a spreadsheet program, which calculates them, and save it"
        )


def _fill_merged(rows: list[list[Any]], sheet: Any) -> int:
    """Put the value of cells that are merged over several rows into all of them; return how many such cells there are.

    Cells of a single row are merged for titles and for headers of several columns, whose names the others lack.
    """
    ranges = [found for found in sheet.merged_cells.ranges if found.max_row > found.min_row]
    for found in ranges:
        value = rows[found.min_row - 1][found.min_col - 1]
        for row in rows[found.min_row - 1 : found.max_row]:
            row[found.min_col - 1 : found.max_col] = [value] * (found.max_col - found.min_col + 1)
    return len(ranges)


def _refuse_title(rows: list[list[Any]], file: str, skipped: int) -> None:
    """Raise if single cells stand above a table that has names in several columns."""
    filled = [[cell for cell in row if cell is not None] for row in rows]
    above = next((i for i, cells in enumerate(filled) if len(cells) > 1), 0)
    titles = [cell for cells in filled[:above] for cell in cells]
    if len(rows[0]) > 2 and titles:
        told = f"{listed((shown(title) for title in titles), 3)} {'stands' if len(titles) == 1 else 'stand'}"
        raise TableError(
            f"{file}: {told} above a table of {len(rows[0])} columns, whose names seem to be in row "
            f"{skipped + above + 1}: if this is a title, delete the rows above the names"
        )


def _table(rows: list[list[Any]], file: str, dialect: Dialect) -> Table:
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise TableError(f"{file}: there is nothing in it")
    width = max(
        len(row) - next((i for i, cell in enumerate(row[::-1]) if cell is not None), len(row)) for row in rows
    )
    # A table need not begin in the first cell of its sheet.
    above = next(number for number, row in enumerate(rows) if any(cell is not None for cell in row))
    rows = [(row + [None] * width)[:width] for row in rows[above:]]
    before = next(
        i for i, cells in enumerate(zip(*rows, strict=True)) if any(cell is not None for cell in cells)
    )
    rows = [row[before:] for row in rows]
    is_named = dialect.header
    if is_named is not False:
        _refuse_title(rows, file, above)
    if is_named is None:
        is_named = has_header([[_shown(cell) for cell in row] for row in rows[:_SAMPLE_ROWS]], file)
    names = [str(i) for i in range(1, width - before + 1)]
    if is_named:
        names = unnamed_filled([_shown(cell).strip() for cell in rows[0]])
        repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if repeated:
            raise TableError(
                f"{place(file, row=above + 1)} names two columns {repeated[0]}: rename one of them"
            )
        rows = rows[1:]
    if not rows:
        raise TableError(f"{file}: there are no rows below the header")
    first = above + (2 if is_named else 1)
    columns: dict[str, NDArray[Any]] = {}
    zones: dict[str, str] = {}
    for name, cells in zip(names, zip(*rows, strict=True), strict=True):
        columns[name], is_date = _array(list(cells), file, name, first)
        if is_date:
            zones[name] = DATE
    numbers = np.arange(first, first + len(rows), dtype=np.int64)
    return single(columns, file, numbers, zones=zones, has_names=is_named)


def _shown(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _array(cells: list[Any], file: str, column: str, first: int) -> tuple[NDArray[Any], bool]:
    for row, cell in enumerate(cells, start=first):
        if isinstance(cell, str) and cell.startswith("#") and cell.endswith(("!", "/0", "/A", "?")):
            raise TableError(
                f"{place(file, row=row, column=column)} holds the error {cell}: mend or empty the cell"
            )
    found = [cell for cell in cells if cell is not None]
    if found and all(isinstance(cell, datetime.datetime) for cell in found):
        array = np.array(cells, dtype="datetime64[us]")
        is_date = all(cell.time() == datetime.time() for cell in found)
        return to_nanoseconds(array, place(file, column=column)), is_date
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in found):
        if len(found) == len(cells) and all(isinstance(cell, int) for cell in found):
            return np.array(cells, dtype=np.int64), False
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64), False
    return objects([_shown(cell) for cell in cells]), False
