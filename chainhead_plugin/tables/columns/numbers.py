"""Turn the cells of a column into numbers, and find cells that are missing, infinite or no numbers."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, place
from ..formats.cells import number_of
from ..formats.table import Table
from ..time.durations import seconds_of
from .odd_cells import no_number

_BOOLEAN = {"true": 1.0, "false": 0.0}


def is_missing(values: NDArray[Any], codes: Collection[str | float] = ()) -> NDArray[np.bool_]:
    """Tell which cells of a column are empty, or hold a code for missing values.

    Parameters
    ----------
    values : array [rows]
    codes : collection of str or number
        A number matches cells of that value however it is written, a text matches cells as they stand.

    Returns
    -------
    bool array [rows]
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
    """Tell whether a column holds nothing but numbers and missing values.

    Parameters
    ----------
    values : array [rows]
    decimal : {".", ",", None}
        The sign before fractions; a comma may stand before fractions unless it is ".".
    codes : collection of str or number
        Cells that stand for a missing value, besides empty cells.
    """
    if values.dtype.kind != "O":
        return values.dtype.kind in "iufb"
    missing = is_missing(values, codes)
    return all(
        _cell(cell, decimal != ".") is not None
        for cell, empty in zip(values, missing, strict=True)
        if not empty
    )


def _cell(cell: str, may_have_comma: bool) -> float | None:
    """Return a cell's number, NaN for the text "nan", and None if the cell is no number."""
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        pass
    value = number_of(cell, may_have_comma=may_have_comma)
    if value is None:
        value = _BOOLEAN.get(cell.strip().lower())
    return seconds_of(cell) if value is None else value


def to_numbers(table: Table, column: str, codes: Collection[str | float] = ()) -> NDArray[np.float64]:
    """Return a column as float64 [rows], NaN where a value is missing.

    Parameters
    ----------
    table : Table
    column : str
    codes : collection of str or number
        Cells that stand for a missing value, besides empty cells.

    Raises
    ------
    TableError
        If a cell is infinite or no number; the message names file, row and column.
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
            is_number = [_cell(other, may_have_comma) is not None for other in values]
            raise no_number(table, column, row, np.array(is_number), missing)
        numbers[row] = value
    _check_finite(table, column, numbers)
    return numbers


def _check_finite(table: Table, column: str, numbers: NDArray[np.float64]) -> None:
    infinite = np.isinf(numbers)
    if infinite.any():
        row = int(infinite.argmax())
        file, number = table.place(row)
        raise TableError(
            f"{place(file, row=number, column=column)} holds {numbers[row]}, expected a finite number: write one, or "
            "leave the cell empty for a missing value, where the model takes missing values"
        )
