"""Lines of tables with spaces between the columns, as NumPy, R and pandas print them."""

import re

from ..cells import number_of

_CELL = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


def split_at_spaces(line: str) -> list[str]:
    """Return the cells of a line with spaces or tabs between them; a text in quotes is one cell."""
    if '"' not in line:
        return line.split()
    return [bare or quoted.replace('""', '"') for quoted, bare in _CELL.findall(line)]


def is_spaced(lines: list[str]) -> bool:
    """Whether lines have no commas, and spaces divide them into columns, of which at least one is of numbers."""
    if any("," in line for line in lines):
        return False
    rows = [split_at_spaces(line) for line in lines if line.strip()]
    if not rows or len(rows[0]) < 2:
        return False
    first, body = rows[0], rows[1:]
    width = len(body[0]) if body else len(first)
    # R leaves out the name of the column of row numbers.
    if any(len(row) != width for row in body) or len(first) not in (width, width - 1):
        return False
    columns = list(zip(*(body or [first]), strict=True))
    are_numbers = [all(_is_number(cell) for cell in column) for column in columns]
    return any(are_numbers) if len(body) > 1 else all(are_numbers)


def _is_number(cell: str) -> bool:
    return number_of(cell) is not None or cell.lower() == "nan"
