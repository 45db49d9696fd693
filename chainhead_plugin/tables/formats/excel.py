"""Tables in workbooks of Excel."""

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed, place, require
from .cells import objects
from .columnar import to_nanoseconds
from .files import Source
from .table import DATE, Table, single, unnamed_filled
from .text.dialect import Dialect
from .text.header import has_header

_SAMPLE_ROWS = 64


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
        Cells keep their types: numbers, times or texts. A formula is read as its last result.

    Raises
    ------
    TableError
        If the file is no workbook, there is no sheet of this name, several sheets are filled and none is named, or a
        cell holds an error.
    """
    openpyxl = require("openpyxl", "openpyxl", source.name)
    with source.open() as stream:
        try:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        except (ValueError, KeyError, OSError) as error:
            raise TableError(f"{source.name} is no workbook of Excel: {error}") from error
        sheets = {
            name: [list(row) for row in book[name].iter_rows(values_only=True)] for name in book.sheetnames
        }
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
    rows = sheets[sheet or filled[0]] if sheet or filled else []
    return _table(rows, source.name, dialect)


def _table(rows: list[list[Any]], file: str, dialect: Dialect) -> Table:
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise TableError(f"{file}: there is nothing in it")
    width = max(
        len(row) - next((i for i, cell in enumerate(row[::-1]) if cell is not None), len(row)) for row in rows
    )
    rows = [(row + [None] * width)[:width] for row in rows]
    is_named = dialect.header
    if is_named is None:
        is_named = has_header([[_shown(cell) for cell in row] for row in rows[:_SAMPLE_ROWS]], file)
    names = [str(i) for i in range(1, width + 1)]
    if is_named:
        names = unnamed_filled([_shown(cell).strip() for cell in rows[0]])
        repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if repeated:
            raise TableError(f"{place(file, row=1)} names two columns {repeated[0]}: rename one of them")
        rows = rows[1:]
    if not rows:
        raise TableError(f"{file}: there are no rows below the header")
    first = 2 if is_named else 1
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
