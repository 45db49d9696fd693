"""Whether a table's first row names its columns, or is the first of its values."""

import itertools
import re
from collections.abc import Sequence

from ...errors import TableError, listed
from ..cells import number_of

_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[T ].*)?")
_NAMES = ("id", "label", "class", "target", "time", "date", "series", "name", "group", "text", "y")
_WHOLE = re.compile(r"\d+")
_ADVICE = "state it: --header or --no-header on the command line, header: true or false in a recipe"


def has_header(
    rows: Sequence[Sequence[str]], file: str, *, decimal_comma: bool = False, number: int = 1
) -> bool:
    """Tell whether the first of a table's rows is its header.

    Parameters
    ----------
    rows : sequence of rows of cells
        The first rows of the table.
    file : str
        For messages.
    decimal_comma : bool
        Whether numbers may have a decimal comma.
    number : int
        The line of the first row, for messages.

    Returns
    -------
    bool
        Texts above numbers are names, and so are numbers that count from 0, as pandas writes them for an array.

    Raises
    ------
    TableError
        If the row can be read in both ways.
    """
    first, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    numbers = [_number(cell, decimal_comma) for cell in first]
    is_value = [
        value is not None or bool(_DATE.fullmatch(cell.strip()))
        for value, cell in zip(numbers, first, strict=True)
    ]
    texts = [i for i, cell in enumerate(first) if cell.strip() and not is_value[i]]
    named = [i for i, value in enumerate(numbers) if value is not None]
    columns = [[row[i] for row in body if row[i].strip()] for i in range(len(first))]
    if any(columns[i] and _all_numbers(columns[i], decimal_comma) for i in texts):
        return True
    if not named:
        return bool(texts)
    if _are_numbered_names(first) and any(
        columns[i] and not any(_number(cell, decimal_comma) is not None for cell in columns[i]) for i in named
    ):
        return True  # a whole number above nothing but texts
    if not body:
        return False
    if len(first) > 1 and not first[0].strip() and _counts([first[i].strip() for i in named]):
        return True  # ",0,1,2": the header that pandas writes above an index
    if any(is_value[i] and numbers[i] is None for i in range(len(first))):
        return False  # a date stands among values
    if any(first[i] in columns[i] for i in texts):
        return False  # a text that comes again is a label or an id
    if any(first[i].strip().lower() in _NAMES for i in texts):
        return True
    cells = [first[i].strip() for i in named]
    below = [cell for i in named for cell in columns[i]]
    if _counts(cells):
        if not all(_WHOLE.fullmatch(cell.strip()) for cell in below):
            # Whole numbers above fractions are names; but one or two may be values of a file that drops ".0".
            if len(cells) > 2 or not any(_WHOLE.fullmatch(cell.strip()) for cell in below):
                return True
            raise _ambiguous(first, file, number)
        if len(cells) > 3 and not any(_rise_evenly([row[i] for i in named]) for row in body):
            return True
        raise _ambiguous(first, file, number)
    if len(cells) > 2 and _rise_evenly(cells):
        raise _ambiguous(first, file, number)
    return False


def _ambiguous(first: Sequence[str], file: str, number: int) -> TableError:
    return TableError(
        f"{file}, row {number} ({listed(first, 6)}) may name the columns, or be the first values: {_ADVICE}"
    )


def _number(cell: str, decimal_comma: bool) -> float | None:
    return number_of(cell.replace(",", ".") if decimal_comma else cell)


def _all_numbers(cells: Sequence[str], decimal_comma: bool) -> bool:
    return all(_number(cell, decimal_comma) is not None for cell in cells)


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells read 0, 1, 2, … or 1, 2, 3, …, in whole numbers."""
    return cells in (
        [str(i) for i in range(len(cells))],
        [str(i) for i in range(1, len(cells) + 1)],
    )


def _are_numbered_names(cells: Sequence[str]) -> bool:
    """Whether all cells are different whole numbers, as pandas writes the columns of an array."""
    texts = [cell.strip() for cell in cells]
    return len(set(texts)) == len(texts) and all(_WHOLE.fullmatch(text) for text in texts)


def _rise_evenly(cells: Sequence[str]) -> bool:
    values = [number_of(cell) for cell in cells]
    known = [value for value in values if value is not None]
    if len(known) < len(cells) or len(known) < 3:
        return False
    step = known[1] - known[0]
    scale = 1e-6 * abs(step)
    return step > 0 and all(abs(b - a - step) <= scale for a, b in itertools.pairwise(known))
