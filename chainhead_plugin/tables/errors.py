"""Errors of users' tables, and the words with which messages name places, counts, columns and packages."""

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

from ..checks.packages import missing_package

_LONGEST_NAME = 80


class TableError(ValueError):
    """A table that cannot be read as it stands; the message names the place, and says what to do."""


class RowsApartError(TableError):
    """The rows of a series do not stand together, although the file is read in pieces."""


class TextColumnError(TableError):
    """A column of texts where numbers were expected, so that it may have another meaning.

    Attributes
    ----------
    column : str
        Its name.
    """

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column


def place(file: str, *, row: int | None = None, column: str | None = None, series: str | None = None) -> str:
    """Return the words for a place in a file.

    Parameters
    ----------
    file : str
    row : int, optional
        Counted from 1; in a text file the line, as a text editor counts lines.
    column, series : str, optional

    Returns
    -------
    str
        Such as "train.csv, row 7, column temp, series w3".
    """
    parts = [file]
    if row is not None:
        parts.append(f"row {row}")
    if column is not None:
        parts.append(f"column {column}")
    if series:
        parts.append(f"series {series}")
    return ", ".join(parts)


def check_is_text(line: str, file: str, row: int) -> None:
    """Check that a line holds no zero byte.

    Raises
    ------
    TableError
        If it does: no text has a zero byte, but files of other kinds and damaged files have.
    """
    if "\0" in line:
        raise TableError(
            f"{place(file, row=row)} holds a zero byte, so this is no text, a text in another encoding, or a file "
            "whose writing was cut off: delete the damaged rows, or state the encoding"
        )


def told_name(name: object) -> str:
    """Return a name from a table on one line, its line ends as spaces, cut where it is longer than 80 characters."""
    shown = " ".join(str(name).split()) or str(name)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"


def counted(count: int, noun: str) -> str:
    """Return a number and what it counts, such as "1 column" and "1,200 columns"."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def listed(names: Iterable[object], limit: int = 12) -> str:
    """Return names with commas between them, cut in the middle where there are more than `limit`."""
    shown = [told_name(name) for name in names]
    if len(shown) > limit:
        shown = [*shown[: limit - 2], "…", shown[-1]]
    return ", ".join(shown) or "none"


def closest(name: str, names: Iterable[str]) -> str:
    """Return " (did you mean NAME?)" if one of the known names is close to `name`, else an empty text."""
    close = _closest(name, names)
    return "" if close is None else f" (did you mean {close}?)"


def renamed(missing: Iterable[str], unknown: Iterable[str]) -> str:
    """Return " (is NAME called OTHER here?)" for missing names that are close to unknown names, else ""."""
    others = list(unknown)
    told = [
        f"is {name} called {close} here?" for name in missing if (close := _closest(name, others)) is not None
    ]
    return f" ({' '.join(told)})" if told else ""


def _closest(name: str, names: Iterable[str]) -> str | None:
    by_folded = {known.casefold().strip(): known for known in names}
    close = difflib.get_close_matches(name.casefold().strip(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def require(module: str, distribution: str, purpose: str) -> Any:
    """Import a module of an optional dependency.

    Raises
    ------
    TableError
        If it is not installed; the message says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise TableError(missing_package(purpose, distribution, "tables")) from error
