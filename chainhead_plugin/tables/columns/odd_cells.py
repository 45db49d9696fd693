"""Errors for cells that are no numbers although numbers are expected, with advice for each kind of cell."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, TextColumnError, listed, place
from ..formats.cells import plain_minus, shown
from ..formats.table import Table
from ..time.patterns import is_time
from .numerals.amounts import split_amount

_MOST_CHANNELS = 1000
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
# Other programs write these for a missing value. The user has to name them, as they might mean something else.
_LIKELY_CODES = {
    *(
        "na",
        "n/a",
        "n.a.",
        "#n/a",
        "<na>",
        "nat",
        "null",
        "none",
        "nil",
        "missing",
        "unknown",
        "undef",
        "?",
        ".",
    ),
    *("#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!", "-1.#ind", "1.#qnan", "1.#inf", "-1.#inf"),
}


def no_number(
    table: Table, column: str, row: int, is_number: NDArray[np.bool_], missing: NDArray[np.bool_]
) -> TableError:
    """Return the error for a cell that is no number.

    Parameters
    ----------
    table : Table
    column : str
        A column of texts.
    row : int
        The row of the first cell that is no number, from 0.
    is_number, missing : bool arrays [rows]
        Which cells are numbers, and which are missing.

    Returns
    -------
    TableError
        A TextColumnError if the column seems to hold texts or times throughout.
    """
    values = table.columns[column]
    cell = values[row]
    file, number = table.place(row)
    where = place(file, row=number, column=column)
    cells = [value for value, empty in zip(values, missing, strict=True) if not empty]
    times = sum(map(is_time, cells))
    if 2 * times > len(cells):
        return _odd_among_times(table, column, values, missing, times)
    code = cell.strip()
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s?[APap]\.?[Mm]\.?)?", code):
        return TextColumnError(
            f"{where} holds {shown(cell)}, a time of day, expected a number: if another column holds the date, name "
            f"both as the time, as time: [date, {column}] (--time date,{column}), or drop the column (--drop {column})",
            column,
        )
    if code.lower() in _LIKELY_CODES or not code.strip("-"):
        return TableError(
            f"{where} holds {shown(cell)}, expected a number: if it stands for a missing value, name it with "
            f"missing: [{code}], on the command line --missing {code}"
        )
    if re.fullmatch(r"[+-]?\d{1,3}([.,'’\s]\d{3})+([.,]\d+)?", plain_minus(code)):
        hint = ""
        if "," in cell and table.decimal == ".":
            hint = (
                "; if the comma is a decimal sign, the columns are to be separated by semicolons or tabs, or the cells "
                "in quotes and decimal: ',' (--decimal comma) stated"
            )
        return TableError(
            f"{where} holds {shown(cell)}, expected a number such as 1234.5: if it has a sign between thousands, state "
            f"it, as thousands: ',' (--thousands comma){hint}"
        )
    if "," in cell and _COMMA_NUMBER.fullmatch(cell):
        return TableError(f"{where} holds {shown(cell)}, expected a decimal point: state decimal: ','")
    if (split := split_amount(cell)) is not None and split[1]:
        rows = (i for i, text in enumerate(values) if not missing[i] and _unit(text) != split[1])
        other = next(rows, None)
        told = "the rows before are without" if other is None else f"row {table.place(other)[1]} holds "
        told += "" if other is None else shown(values[other])
        return TableError(
            f"{where} holds {shown(cell)}, a number in {split[1]}, but {told}: write all numbers of the column in the "
            "same unit, or without; name cells that stand for a missing value with missing (--missing)"
        )
    if re.fullmatch(r"[+-]?[\d.,]*\d\s?[^\d\s.,:/-]{0,5}", plain_minus(code)):
        return TableError(
            f"{where} holds {shown(cell)}, expected a number alone: write the unit, or the sign, into the name of the "
            "column"
        )
    numbers = int((is_number & ~missing).sum())
    if 2 * numbers > len(cells):
        return TableError(
            f"{where} holds {shown(cell)}, expected a number, as {numbers:,} of {len(cells):,} cells of the column "
            "are: correct it, or delete the row, such as one of units or a sum"
        )
    firsts = [" ".join(text.split()) for text in list(dict.fromkeys(cells))[:4]]
    cut = [value if len(value) <= 30 else f"{value[:30]}…" for value in firsts]
    return TextColumnError(
        f"{where} holds {shown(cell)}, expected a number: name the column as series, label, group, static or time "
        "if it is that, or drop it (on the command line --series, --label, --time, --drop …); its first values: "
        f"{listed(cut)}{_advice_on_channels(cells)}",
        column,
    )


def _advice_on_channels(cells: list[str]) -> str:
    """Return what to do if texts are names of channels, of which every moment has a row for each; "" if they are not.

    Names alternate where rows are sorted by time, and follow each other in equal blocks as pandas' melt writes them.
    """
    names = list(dict.fromkeys(cells))
    times, rest = divmod(len(cells), len(names))
    if rest or times < 2 or not 2 <= len(names) <= _MOST_CHANNELS:
        return ""
    if cells not in (names * times, [name for name in names for _ in range(times)]):
        return ""
    return (
        "; if these name channels, with a row for each, make them columns first, in pandas by DataFrame.pivot"
    )


def _unit(cell: str) -> str | None:
    split = split_amount(cell)
    return None if split is None else split[1]


def _odd_among_times(
    table: Table, column: str, values: NDArray[Any], missing: NDArray[np.bool_], times: int
) -> TableError:
    """Return the error for a column of times that the user has not named, or that also holds other cells."""
    odd = next(
        (row for row, cell in enumerate(values) if not missing[row] and not is_time(cell)),
        None,
    )
    if odd is None:
        return TextColumnError(
            f"{table.name}, column {column} holds times, expected numbers: name it as time (--time {column}), or drop "
            f"it (--drop {column})",
            column,
        )
    file, number = table.place(odd)
    return TableError(
        f"{place(file, row=number, column=column)} holds {shown(values[odd])}, which is no time, but {times:,} other "
        "cells of the column are: correct it, or delete the row, such as one of units or a sum"
    )
