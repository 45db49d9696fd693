"""Single cells: the number in a text, and the text of a typed value."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)

# The minus of typesetters, U+2212.
_MINUS = "\u2212"


def number_of(cell: str, *, may_have_comma: bool = False) -> float | None:
    """Return the number that a cell holds, or None; "nan" and "inf" are no numbers here.

    Parameters
    ----------
    cell : str
        Spaces of any width around it do not count, and a typographic minus is a minus.
    may_have_comma : bool
        Whether a comma may stand before the fraction. The fraction may not be empty, as in the text "0,".
    """
    text = plain_minus(cell.strip())
    if may_have_comma and text.count(",") == 1 and "." not in text and not text.endswith(","):
        text = text.replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else None


def plain_minus(cell: str) -> str:
    """Return a cell with the minus of keyboards in place of the typographic minus, as some programs write it."""
    return cell.replace(_MINUS, "-") if _MINUS in cell else cell


def shown(cell: object, limit: int = 40) -> str:
    """Return a cell in quotes, for messages: on one line, with plain spaces, cut where it is long."""
    text = str(cell)
    plain = " ".join(text.split())
    return repr(text if text.isascii() and text.isprintable() else plain)[:limit]


def is_nan(value: object) -> bool:
    """Tell whether a value is the float that is no number."""
    return isinstance(value, float) and math.isnan(value)


def to_texts(values: NDArray[Any]) -> NDArray[np.object_]:
    """Return a column's cells as texts, "" where they are empty.

    Texts stay as they are. Whole numbers have no point, be they floats or integers, so that an id reads alike in
    every format; booleans read True and False, and times as in ISO 8601.
    """
    if values.dtype.kind == "O":
        return values
    if values.dtype.kind == "M":
        texts = np.datetime_as_string(values, unit="auto").astype(object) if len(values) else values
        return np.where(np.isnat(values), "", texts).astype(object)
    if values.dtype.kind == "f":
        return np.array([_text_of(value) for value in values.tolist()], dtype=object)
    return np.array([str(value) for value in values.tolist()], dtype=object)


def _text_of(value: float) -> str:
    if is_nan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def objects(cells: Any) -> NDArray[np.object_]:
    """Return cells as an array [cells] of objects, whatever their types."""
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def bytes_as_texts(cells: Sequence[bytes | None]) -> list[str]:
    """Return bytes as texts of UTF-8, or all in hexadecimal digits if some are not UTF-8; "" for None."""
    try:
        return ["" if cell is None else cell.decode("utf-8") for cell in cells]
    except UnicodeDecodeError:
        return ["" if cell is None else cell.hex() for cell in cells]
