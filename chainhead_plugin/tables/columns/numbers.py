"""Numbers from the cells of a column: what is missing, what is infinite, and what is no number at all."""

import re
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, TextColumnError, listed, place
from ..formats.cells import number_of
from ..formats.table import Table

_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
_BOOLEAN = {"true": 1.0, "false": 0.0}
# What other programs write for a missing value; a code has to be named, as it might mean something.
_LIKELY_CODES = {"na", "n/a", "#n/a", "null", "none", "nil", "missing", "-", "--", "?", ".", "<na>", "nat"}


def is_missing(values: NDArray[Any], codes: Collection[str | float] = ()) -> NDArray[np.bool_]:
    """Tell which cells of a column are empty, or hold a code for missing values.

    Parameters
    ----------
    values : array [rows]
    codes : collection of str or number
        A number matches cells of that value however it is written, a text matches cells as they stand.
    """
    kind = values.dtype.kind
    if kind == "M":
        return np.isnat(values)
    if kind != "O":
        missing = np.isnan(values) if kind == "f" else np.zeros(len(values), dtype=bool)
        numbers = [value for code in codes if (value := _code_number(code)) is not None]
        return missing | np.isin(values, numbers) if numbers else missing
    texts = {str(code) for code in codes}
    numbers = [value for code in codes if (value := _code_number(code)) is not None]
    found = [
        not cell.strip()
        or cell in texts
        or cell.strip() in texts
        or bool(numbers and number_of(cell) in numbers)
        for cell in values
    ]
    return np.array(found, dtype=bool)


def _code_number(code: str | float) -> float | None:
    return number_of(code) if isinstance(code, str) else float(code)


def looks_numeric(values: NDArray[Any], decimal: str | None, codes: Collection[str | float] = ()) -> bool:
    """Tell whether a column holds nothing but numbers and missing values."""
    if values.dtype.kind != "O":
        return values.dtype.kind in "iufb"
    missing = is_missing(values, codes)
    return all(
        _cell(cell, decimal != ".") is not None
        for cell, empty in zip(values, missing, strict=True)
        if not empty
    )


def _cell(cell: str, may_have_comma: bool) -> float | None:
    """Return a cell's number; nan counts as the number that it is in every programming language."""
    try:
        value = float(cell)
    except ValueError:
        pass
    else:
        return value if "_" not in cell else None
    if may_have_comma and _COMMA_NUMBER.fullmatch(cell):
        return float(cell.replace(",", "."))
    return _BOOLEAN.get(cell.strip().lower())


def to_numbers(table: Table, column: str, codes: Collection[str | float] = ()) -> NDArray[np.float64]:
    """Return a column as float64 [rows], NaN where a value is missing.

    Parameters
    ----------
    table : Table
    column : str
    codes : collection of str or number
        What stands for a missing value, besides an empty cell.

    Raises
    ------
    TableError
        If a cell is infinite or no number; names file, row and column.
    """
    values = table.columns[column]
    missing = is_missing(values, codes)
    if values.dtype.kind == "M":
        raise TableError(
            f"{table.name}, column {column} holds times, expected numbers: name it as time, or drop it"
        )
    if values.dtype.kind != "O":
        numbers = values.astype(np.float64)
        numbers[missing] = np.nan
        _check_finite(table, column, numbers)
        return numbers
    may_have_comma = table.decimal != "."
    numbers = np.full(len(values), np.nan)
    for row, (cell, empty) in enumerate(zip(values, missing, strict=True)):
        if empty:
            continue
        value = _cell(cell, may_have_comma)
        if value is None:
            raise _no_number(table, column, row, values, missing)
        numbers[row] = value
    _check_finite(table, column, numbers)
    return numbers


def check_decimals(table: Table, columns: Collection[str]) -> None:
    """Check that all columns of numbers write fractions with the same sign.

    Raises
    ------
    TableError
        If some have a decimal comma, and others a point, which might divide thousands.
    """
    if table.decimal == "." or not columns:
        return
    places: dict[str, tuple[str, int, str]] = {}
    for column in columns:
        values = table.columns[column]
        if values.dtype.kind != "O":
            continue
        for row, cell in enumerate(values):
            sign = "," if "," in cell else "." if "." in cell else ""
            if sign and sign not in places:
                places[sign] = (column, row, cell)
        if len(places) == 2 or (table.decimal == "," and "." in places):
            name, row, cell = places["."]
            comma = (
                f"column {places[','][0]} has {places[','][2]!r}"
                if "," in places
                else "the decimal sign is a comma"
            )
            file, number = table.place(row)
            raise TableError(
                f"{place(file, row=number, column=name)} has {cell!r}, but {comma}: write fractions in one way, and "
                "no signs between thousands"
            )


def _check_finite(table: Table, column: str, numbers: NDArray[np.float64]) -> None:
    infinite = np.isinf(numbers)
    if infinite.any():
        row = int(infinite.argmax())
        file, number = table.place(row)
        raise TableError(
            f"{place(file, row=number, column=column)} holds {numbers[row]}, expected a finite number: write one, or "
            "leave the cell empty for a missing value, where the model takes such"
        )


def _no_number(
    table: Table, column: str, row: int, values: NDArray[Any], missing: NDArray[np.bool_]
) -> TableError:
    cell = values[row]
    file, number = table.place(row)
    where = place(file, row=number, column=column)
    if cell.strip().lower() in _LIKELY_CODES:
        return TableError(
            f"{where} holds {cell!r}, expected a number: if it stands for a missing value, name it with "
            f"missing: [{cell.strip()}], on the command line --missing {cell.strip()}"
        )
    if re.fullmatch(r"\s*[+-]?\d{1,3}([.,'  ]\d{3})+([.,]\d+)?\s*", cell):
        return TableError(
            f"{where} holds {cell!r}, expected a number without signs between thousands, such as 1234.5; if the comma "
            "is a decimal sign, the columns are to be separated by semicolons or tabs"
        )
    if "," in cell and _COMMA_NUMBER.fullmatch(cell):
        return TableError(f"{where} holds {cell!r}, expected a decimal point: state decimal: ','")
    texts = list(dict.fromkeys(value for value, empty in zip(values, missing, strict=True) if not empty))
    cut = [value if len(value) <= 30 else f"{value[:30]}…" for value in texts[:4]]
    return TextColumnError(
        f"{where} holds {cell!r:.40}, expected a number: name the column as series, label, group or static if it is "
        f"that, or drop it (on the command line --label, --series, --drop …); its first values: {listed(cut)}"
    )
