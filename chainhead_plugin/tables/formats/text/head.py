"""Rows above a table's values that are no complete header: a title, or a header that lacks a name."""

from collections.abc import Sequence
from typing import Literal

from ...errors import TableError, listed
from ..cells import number_of, shown

Lacking = Literal["first", "last"]


def lacking_name(rows: Sequence[Sequence[str]]) -> Lacking | None:
    """Tell which name a header lacks, if every row below it has one cell more.

    Returns
    -------
    {"first", "last", None}
        "first" if rows begin with their number or name, as R writes them; "last" if they end in a separator; None if
        the header lacks no name.
    """
    width, body = len(rows[0]), rows[1:]
    if width < 2 or not body or any(len(row) != width + 1 for row in body):
        return None
    if any(number_of(cell) is not None for cell in rows[0]):
        return None
    return "first" if any(row[-1].strip() for row in body) else "last"


def with_lacking_name(header: list[str], lacking: Lacking) -> list[str]:
    """Return a header with an empty name in place of the name that it lacks."""
    return ["", *header] if lacking == "first" else [*header, ""]


def refuse_title(rows: Sequence[Sequence[str]], file: str) -> None:
    """Raise if the first rows are no rows of the table, but a title above it.

    Parameters
    ----------
    rows : sequence of rows of cells
        The first rows of the file, without blank rows.
    file : str

    Raises
    ------
    TableError
        If there is a title; the message quotes it.
    """
    width = len(rows[-1])
    above = next((i for i, row in enumerate(rows) if len(row) == width), 0)
    is_narrow = above > 0 and len(rows) - above > 1 and all(len(row) < width for row in rows[:above])
    is_even = all(len(row) == width for row in rows[above:])
    filled = [cell for cell in rows[0] if cell.strip()]
    is_alone = width > 2 and len(filled) == 1 and bool(rows[0][0].strip()) and number_of(filled[0]) is None
    if not (is_narrow and is_even) and not (is_alone and above == 0 and len(rows) > 1):
        return
    titles = [next((cell for cell in row if cell.strip()), "") for row in rows[: max(above, 1)]]
    told = listed((shown(title) for title in titles if title), 3)
    first = next((title for title in titles if title), "").split(" ")[0]
    raise TableError(
        f"{file}: {told} {'stands' if len(titles) == 1 else 'stand'} above a table of {width} columns: if this is a "
        f"title, delete it, or state what it begins with as a comment (--comment {first!r})"
    )
