"""Find labels and ids in two spellings: with and without blanks around them, or a number as 1 and as 1.0."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TableError, place
from ...formats.cells import number_of, to_texts
from ...formats.table import Table


def check_spelling(table: Table, column: str) -> None:
    """Check that a column of labels or ids spells each of them in a single way.

    Capital letters make a difference, and so do zeros in front: 007 is not 7.

    Raises
    ------
    TableError
        If two texts differ only in the blanks around them, or are the same number with and without a fraction of
        zeros; the message names both rows.
    """
    values = table.columns[column]
    if values.dtype.kind != "O":
        return
    rows = _first_rows(to_texts(values))
    spelled: dict[str, str] = {}
    for text in rows:
        plain = _plain(text)
        other = spelled.setdefault(plain, text)
        if other != text and plain:
            raise _twice(table, column, rows, other, text)


def spelled_as(names: Iterable[str], labels: Iterable[str]) -> list[str]:
    """Return labels as a model or another table spells them, which are the same by the rules of `check_spelling`.

    pandas writes the labels 0 and 1 as 0.0 and 1.0 if one is missing, and formats with types have no such spelling.

    Parameters
    ----------
    names : iterable of str
        The known labels.
    labels : iterable of str
        A label that is not known stays as it is.
    """
    known = list(names)
    by_plain = {_plain(name): name for name in known}
    if len(by_plain) < len(known):
        return list(labels)  # the names need their spelling
    return [by_plain.get(_plain(label), label) for label in labels]


def _first_rows(texts: NDArray[np.object_]) -> Mapping[str, int]:
    rows: dict[str, int] = {}
    for row, text in enumerate(texts):
        rows.setdefault(text, row)
    return rows


def _plain(text: str) -> str:
    plain = text.strip()
    whole, point, zeros = plain.partition(".")
    if point and zeros and not zeros.strip("0") and number_of(plain) is not None:
        return whole
    return plain


def _twice(table: Table, column: str, rows: Mapping[str, int], first: str, second: str) -> TableError:
    places: list[Any] = [table.place(rows[text]) for text in (first, second)]
    (file, number), (other, later) = places
    where = f"row {later}" if other == file else place(other, row=later)
    same = "but for blanks" if first.strip() == second.strip() else "as numbers"
    return TableError(
        f"{place(file, row=number, column=column)} holds {first!r}, and {where} {second!r}, which are the same {same}: "
        "write them alike"
    )
