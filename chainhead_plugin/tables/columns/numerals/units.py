"""Leave out units and signs of currencies, as in $1,234.50, 12 € and 45 %, where a whole column has the same."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...errors import TableError, place
from ...formats.cells import number_of, shown
from ...formats.table import Table
from ..numbers import is_missing
from .amounts import split_amount


def without_units(table: Table, columns: Collection[str], codes: Collection[str | float] = ()) -> Table:
    """Return a table without the units that stand in all cells of some columns.

    Parameters
    ----------
    table : Table
        Its `units` are those of the first part of a file, if they are known.
    columns : collection of str
        The columns of numbers. All other columns stay as they are.
    codes : collection of str or number
        Cells that stand for a missing value, besides empty cells.

    Returns
    -------
    Table
        With the units by column, and a note for the summary. An amount in parentheses is negative.

    Raises
    ------
    TableError
        If a later part of a file has another unit than its first part.
    """
    texts = [name for name in columns if table.columns[name].dtype.kind == "O"]
    known = table.units
    found = (
        {name: unit for name in texts if (unit := unit_of(table, name, codes))} if known is None else known
    )
    if not found:
        return replace(table, units=found)
    changed = {name: _plain(table, name, found[name], codes) for name in texts if name in found}
    note = ", ".join(f"{name} in {unit}" for name, unit in found.items())
    return replace(table, columns={**table.columns, **changed}, units=found, notes=(*table.notes, note))


def unit_of(table: Table, column: str, codes: Collection[str | float] = ()) -> str:
    """Return the unit that all cells of a column have which are not missing; "" if there is none."""
    values = table.columns[column]
    if values.dtype.kind != "O":
        return ""
    unit = ""
    for cell in values:
        if not cell.strip():
            continue
        if not unit and number_of(cell) is not None:
            return ""  # almost all columns are done here
        if is_missing(np.array([cell], dtype=object), codes)[0]:
            continue
        split = split_amount(cell)
        if split is None or not split[1] or (unit and split[1] != unit):
            return ""
        unit = split[1]
    return unit


def check_units(table: Table, columns: Collection[str], trained: Mapping[str, str]) -> None:
    """Check that a later table has its numbers in the units of the training table.

    A sign of a currency, or another unit, may be left out; a percent sign may not, as 45 % may also be written 0.45.

    Raises
    ------
    TableError
        If a column has another unit.
    """
    for column in columns:
        before, now = trained.get(column, ""), unit_of(table, column)
        if before != now and ((before and now) or "%" in (before, now)):
            told, expected = (f"in {unit}" if unit else "without a unit" for unit in (now, before))
            raise TableError(
                f"{place(table.name, column=column)} is {told}, but in the table that the model was trained on it is "
                f"{expected}: write it in the same way"
            )


def _plain(table: Table, column: str, unit: str, codes: Collection[str | float]) -> NDArray[np.object_]:
    cells = table.columns[column]
    plain = cells.copy()
    missing = is_missing(cells, codes)
    for row, cell in enumerate(cells):
        if missing[row]:
            continue
        split = split_amount(cell)
        if split is None or split[1] != unit:
            file, number = table.place(row)
            raise TableError(
                f"{place(file, row=number, column=column)} holds {shown(cell)}, expected a number in {unit}, as in the "
                "rows before"
            )
        plain[row] = split[0]
    return plain
