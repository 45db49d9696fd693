"""Leave out signs between thousands, as in 1,234,567.8, 1.234.567,8 and 1'234, where they can be nothing else."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from ...errors import TableError, place
from ...formats.cells import plain_minus, shown
from ...formats.table import Table
from ...formats.text.dialect import THOUSANDS

# An apostrophe or a space cannot stand before a fraction. Programs write several kinds of both.
_APOSTROPHES, _SPACES = "'’", " \u00a0\u2009\u202f"
_KINDS = {"'": _APOSTROPHES, " ": _SPACES}
_LIKE_NUMBER = re.compile(r"[+-]?[\d.,]*\d", re.ASCII)


def plain_numbers(table: Table, columns: Sequence[str]) -> Table:
    """Return a table without the signs between thousands.

    Parameters
    ----------
    table : Table
        Its `thousands` is the sign, if it is known.
    columns : sequence of str
        The columns of numbers. All other columns stay as they are.

    Returns
    -------
    Table
        With a note for the summary if a sign was left out. Fractions are behind the other one of comma and point.

    Raises
    ------
    TableError
        If some cells have a sign between thousands, and the same sign stands before a fraction elsewhere.
    """
    sign = thousands_sign(table, columns)
    if not sign:
        return table
    signs = _KINDS.get(sign, sign)
    changed = {name: table.columns[name] for name in columns if table.columns[name].dtype.kind == "O"}
    for name, cells in changed.items():
        changed[name] = _without(table, name, cells, sign, signs)
    decimal = {",": ".", ".": ","}.get(sign, table.decimal)
    told = {"'": "apostrophes", " ": "spaces", ",": "commas", ".": "points"}[sign]
    return replace(
        table,
        columns={**table.columns, **changed},
        decimal=decimal,
        thousands=sign,
        notes=(*table.notes, f"{told} between thousands left out"),
    )


def thousands_sign(table: Table, columns: Sequence[str]) -> str:
    """Return the sign between thousands in columns of numbers: a comma, a point, an apostrophe, a space, or "".

    It is a sign that stands in a number twice, or that has the decimal sign behind it, or that is no decimal sign.

    Raises
    ------
    TableError
        If the table is a later part of a file that has no such sign in its first part.
    """
    if table.thousands:
        return table.thousands
    candidates = [sign for sign in (",", ".", "'", " ") if sign != table.decimal]
    has_point = False
    for name in columns:
        cells = table.columns[name]
        if cells.dtype.kind != "O":
            continue
        for sign in candidates:
            row = _first_sure(cells, sign)
            if row is not None:
                _check_first_part(table, name, row, sign)
                return sign
        has_point = has_point or any("." in cell and _LIKE_NUMBER.fullmatch(cell.strip()) for cell in cells)
    if table.decimal == "." and has_point:
        # Fractions have a point, so that a comma in a number divides thousands.
        grouped = _grouped(",", ",")
        for name in columns:
            for row, cell in enumerate(table.columns[name]):
                if isinstance(cell, str) and "," in cell and grouped.fullmatch(plain_minus(cell.strip())):
                    _check_first_part(table, name, row, ",")
                    return ","
    return ""


def _first_sure(cells: NDArray[Any], sign: str) -> int | None:
    """Return the first cell in which a sign can only divide thousands."""
    if sign in _KINDS:
        sure = _grouped(sign, _KINDS[sign])
        marks = _KINDS[sign]
    else:
        marks, other = sign, "." if sign == "," else ","
        group = rf"{re.escape(sign)}\d{{3}}"
        sure = re.compile(
            rf"[+-]?\d{{1,3}}(?:(?:{group}){{2,}}|(?:{group})+{re.escape(other)}\d*)",
            re.ASCII,
        )
    for row, cell in enumerate(cells):
        if any(mark in cell for mark in marks) and sure.fullmatch(plain_minus(cell.strip())):
            return row
    return None


def _grouped(sign: str, signs: str) -> re.Pattern[str]:
    """Return the pattern of numbers that have a sign between all their thousands."""
    fraction = {",": r"\.", ".": ","}.get(sign, "[.,]")
    return re.compile(rf"[+-]?\d{{1,3}}(?:[{re.escape(signs)}]\d{{3}})+(?:{fraction}\d*)?", re.ASCII)


def _check_first_part(table: Table, column: str, row: int, sign: str) -> None:
    if table.thousands is None:
        return
    file, number = table.place(row)
    raise TableError(
        f"{place(file, row=number, column=column)} holds {shown(table.columns[column][row])}, but no row near the head "
        f"of the file has a sign between thousands: state thousands: {sign!r} (--thousands {THOUSANDS[sign]})"
    )


def _without(table: Table, column: str, cells: NDArray[Any], sign: str, signs: str) -> NDArray[Any]:
    grouped = _grouped(sign, signs)
    plain = cells.copy()
    for row, cell in enumerate(cells):
        if not any(mark in cell for mark in signs):
            continue
        text = plain_minus(cell.strip())
        if grouped.fullmatch(text):
            plain[row] = text.translate({ord(mark): None for mark in signs})
        elif _LIKE_NUMBER.fullmatch(text):
            file, number = table.place(row)
            raise TableError(
                f"{place(file, row=number, column=column)} holds {shown(cell)}, but {sign!r} stands between thousands "
                "in other cells, so that three digits should follow it: write all numbers in one way"
            )
    return plain
