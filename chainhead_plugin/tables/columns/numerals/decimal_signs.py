"""Check the decimal sign: all columns use the same sign, and it cannot be taken for a separator of thousands."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from ...errors import TableError, place
from ...formats.cells import plain_minus
from ...formats.table import Table


def check_decimals(table: Table, columns: Collection[str]) -> None:
    """Check that all columns of numbers write fractions with the same sign.

    Parameters
    ----------
    table : Table
    columns : collection of str
        The columns of numbers.

    Raises
    ------
    TableError
        If some columns have a decimal comma, and other columns a point, which might divide thousands; or if no cell
        tells whether a sign divides thousands or stands before a fraction.
    """
    if table.decimal == "." or not columns:
        return
    texts = {name: table.columns[name] for name in columns if table.columns[name].dtype.kind == "O"}
    places: dict[str, tuple[str, int, str]] = {}
    for column, values in texts.items():
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
    if table.decimal is None and places:
        _check_thousands(table, texts, next(iter(places)))


def _check_thousands(table: Table, columns: Mapping[str, NDArray[Any]], sign: str) -> None:
    """Raise if the sign is always followed by three digits, and all numbers without it are whole and below 1000.

    Fractions hardly ever have either three digits or none, so that the sign may well divide thousands.
    """
    grouped = re.compile(rf"[+-]?[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}", re.ASCII)
    found: tuple[str, int, str, str] | None = None
    for column, values in columns.items():
        signed: tuple[int, str] | None = None
        whole: str | None = None
        for row, cell in enumerate(values):
            text = plain_minus(cell.strip())
            if sign in text and not grouped.fullmatch(text):
                return  # a fraction of another length, or below 1
            if sign in text:
                signed = signed or (row, text)
            elif text.lstrip("+-").isdigit():
                if len(text.lstrip("+-")) > 3:
                    return  # thousands without a sign
                whole = whole or text
        if found is None and signed is not None and whole is not None:
            found = (column, *signed, whole)
    if found is None:
        return
    column, row, text, whole = found
    file, number = table.place(row)
    plain = text.replace(sign, "")
    raise TableError(
        f"{place(file, row=number, column=column)} holds {text!r}, which is {text.replace(sign, '.')} or, with a sign "
        f"between thousands, {plain}; other cells such as {whole!r} do not tell which: state decimal: "
        f"'{sign}' (--decimal {'comma' if sign == ',' else 'point'}) for fractions, or thousands: "
        f"'{sign}' (--thousands {'comma' if sign == ',' else 'point'}) if it divides thousands"
    )
