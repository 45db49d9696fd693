"""Read tables from text files such as CSV, a block of rows at a time, with every cell as it stands."""

import contextlib
import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from ...errors import TableError, check_is_text, place
from ..cells import number_of, objects
from ..files import Source
from ..table import Table, single, unnamed_filled
from .dialect import SAMPLE_LINES, Dialect, find_encoding, read_lines
from .head import lacking_name, refuse_title, with_lacking_name
from .header import has_header
from .spaced import is_spaced, split_at_spaces

BLOCK_ROWS = 1 << 16
_LEFT_OUT = {"comments": "line{} of comments", "headers": "further row{} of names"}
# The most cells of a block, and the most different cells that are kept only once, as sensors repeat their values.
_BLOCK_CELLS, _MOST_SHARED = 1 << 16, 1 << 16
# From this many columns on, whole numbers in front of fractions are taken for classes, as in the UCR archive.
_UCR_COLUMNS = 8


def read_blocks(source: Source, dialect: Dialect, block_rows: int = BLOCK_ROWS) -> Iterator[Table]:
    """Read a text file.

    Parameters
    ----------
    source : Source
    dialect : Dialect
        How the file is written, as far as that is known; the rest is found out.
    block_rows : int
        The most rows of a block.

    Yields
    ------
    Table
        Blocks with the same columns, of texts. There is at least one row in all.

    Raises
    ------
    TableError
        If the file cannot be decoded, quotes are wrong, there are no rows, or a row has another number of cells than
        the first.
    """
    encoding, note = (dialect.encoding, "") if dialect.encoding else find_encoding(source)
    assert encoding is not None
    try:
        with source.open() as binary, io.TextIOWrapper(binary, encoding, newline="") as stream:
            yield from _read(stream, source, dialect, block_rows, (note,) if note else ())
    except UnicodeError as error:
        raise TableError(
            f"{source.name} is not written in {encoding}: {error}; state another encoding"
        ) from error


class _Lines:
    """Lines without comments, and the number of the last line that was read."""

    def __init__(self, lines: Iterator[str], skipped: int, comment: str | None, file: str) -> None:
        self._lines = lines
        self._file = file
        self._comment = comment
        self.last = skipped
        self.first: int | None = None
        self.is_cut_off = False

    def __iter__(self) -> Iterator[str]:
        before = ""
        for line in self._lines:
            is_doubled = line == "\r\n" and before.endswith("\r")
            before = line
            if is_doubled:
                continue  # the ends of both lines are a single one: Windows wrote "\r\n" as "\r\r\n"
            self.last += 1
            self.is_cut_off = not line.endswith(("\n", "\r"))
            if self._comment is not None and line.startswith(self._comment):
                continue
            check_is_text(line, self._file, self.last)
            if self.first is None:
                self.first = self.last
            yield line

    def take(self) -> int:
        """Return the number of the line where the record that was read last begins."""
        first = self.last if self.first is None else self.first
        self.first = None
        return first


def _read(
    stream: Iterator[str], source: Source, dialect: Dialect, block_rows: int, notes: tuple[str, ...]
) -> Iterator[Table]:
    file = source.name
    lines, sample, separator, skipped, comment = read_lines(stream, dialect)
    if dialect.separator is None and separator == "," and is_spaced(sample):
        separator = " "
    decimal = dialect.decimal or ("." if separator == "," else None)
    first_rows = _sample_rows(sample, separator)
    is_whole = len(sample) < SAMPLE_LINES
    if not first_rows or (is_whole and not any(cell.strip() for row in first_rows for cell in row)):
        raise TableError(f"{file}: there is nothing in it")
    shift = lacking_name(first_rows) if dialect.header is not False else None
    if shift is not None:
        first_rows[0] = with_lacking_name(first_rows[0], shift)
    elif dialect.header is not False:
        refuse_title(first_rows, file)
    width = len(first_rows[0])
    comma = decimal != "."
    is_named = dialect.header
    names: list[str] | None = None
    if is_named is not False and comment and all(_is_value(cell) for cell in first_rows[0]):
        names = _names_in_comment(comment, separator, width)
        is_named = False if names else is_named
    if is_named is None:
        is_named = has_header(first_rows, file, decimal_comma=comma, number=skipped + 1)
    numbered = _Lines(lines, skipped, dialect.comment, file)
    rows = _records(numbered, separator, file)
    if is_named:
        number, header = next((number, row) for number, row in rows if row)
        if shift is not None:
            header = with_lacking_name(header, shift)
        names = _names(header, file, number)
    has_names = names is not None
    columns = names or [str(i) for i in range(1, width + 1)]
    extra: dict[str, int] = {}
    body = _body(rows, numbered, names, len(columns), file, extra)
    is_ucr = not has_names and _has_classes_first(first_rows, source.suffix)
    options = {
        "decimal": decimal,
        "thousands": dialect.thousands,
        "has_names": has_names,
        "classes_first": is_ucr,
    }
    count = 0
    block_rows = max(1, min(block_rows, _BLOCK_CELLS // len(columns)))
    shared: dict[str, str] = {}
    while True:
        block = list(islice(body, block_rows))
        if not block:
            break
        count += len(block)
        if len(shared) > _MOST_SHARED:
            shared.clear()
        cells = zip(*(row for _, row in block), strict=True)
        arrays = {
            name: objects([shared.setdefault(cell, cell) for cell in values])
            for name, values in zip(columns, cells, strict=True)
        }
        found = notes + tuple(
            f"{number} {_LEFT_OUT[kind].format('s' if number > 1 else '')} left out"
            for kind, number in extra.items()
        )
        numbers = np.array([number for number, _ in block], dtype=np.int64)
        yield replace(single(arrays, file, numbers, **options), notes=found)
        if len(block) < block_rows:
            break
    if not count:
        raise TableError(f"{file}: there are no rows below the header")


def _records(lines: _Lines, separator: str, file: str) -> Iterator[tuple[int, list[str]]]:
    try:
        if separator == " ":
            for line in lines:
                yield lines.take(), split_at_spaces(line)
            return
        for row in csv.reader(iter(lines), delimiter=separator, strict=True):
            yield lines.take(), row
    except csv.Error as error:
        where = place(file, row=lines.take())
        if "unexpected end of data" in str(error):
            raise TableError(f"{where}: a quote is opened here and never closed") from error
        raise TableError(
            f"{where} cannot be cut into cells: {error}; write a quote inside a quoted cell twice"
        ) from error


def _body(
    rows: Iterator[tuple[int, list[str]]],
    lines: _Lines,
    names: list[str] | None,
    width: int,
    file: str,
    extra: dict[str, int],
) -> Iterator[tuple[int, list[str]]]:
    """Yield checked rows. In a table of one column, blank lines are empty cells, except at the end of the file.

    Comments, and headers that are repeated because files were joined, are left out and counted in `extra`.
    """
    blank: list[int] = []
    any_row = False
    for number, row in rows:
        if not row:
            blank.append(number)
            continue
        if len(row) != width:
            if row[0].startswith("#"):
                extra["comments"] = extra.get("comments", 0) + 1
                continue
            if len(row) > width:
                advice = "put a text with separators in quotes, or state the separator"
            elif lines.is_cut_off:
                advice = (
                    "it is the last row and its line does not end, so that the file seems to be cut off: get the whole "
                    "file, or delete the row"
                )
            else:
                advice = "end shorter rows in empty cells"
            count = f"{len(row)} cell{'s' if len(row) != 1 else ''}"
            raise TableError(
                f"{place(file, row=number)} has {count}, expected {width} as in the first row: {advice}"
            )
        if blank and any_row:
            if width > 1:
                raise TableError(
                    f"{place(file, row=blank[0])} is blank: delete the line, or if it stands for a node whose values "
                    "are missing, write its separators"
                )
            yield from ((line, [""]) for line in blank)
        blank = []
        any_row = True
        if names is not None and width > 1 and row[0].strip() == names[0] and _is_header(row, names):
            extra["headers"] = extra.get("headers", 0) + 1
            continue
        yield number, row


def _is_header(row: list[str], names: list[str]) -> bool:
    return all(cell.strip() in (name, "") for cell, name in zip(row, names, strict=True))


def _names(header: list[str], file: str, number: int) -> list[str]:
    names = unnamed_filled([cell.strip() for cell in header])
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise TableError(f"{place(file, row=number)} names two columns {repeated[0]}: rename one of them")
    return names


def _names_in_comment(comment: str, separator: str, width: int) -> list[str] | None:
    """Return the names in the last comment above the values, if it holds names, as NumPy writes them; else None."""
    cells = [cell.strip() for cell in (comment.split() if separator == " " else comment.split(separator))]
    if len(cells) != width or len(set(cells)) < width or not all(cells):
        return None
    if any(number_of(cell) is not None for cell in cells) or (width == 1 and " " in cells[0]):
        return None
    return cells


def _is_value(cell: str) -> bool:
    return not cell.strip() or cell.strip().lower() == "nan" or number_of(cell) is not None


def _sample_rows(sample: list[str], separator: str) -> list[list[str]]:
    if separator == " ":
        return [split_at_spaces(line) for line in sample if line.strip()]
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # an error is raised, with its place, when the rows are read
        rows.extend(row for row in csv.reader(sample, delimiter=separator) if row)
    return rows


def _has_classes_first(rows: list[list[str]], suffix: str) -> bool:
    """Whether a file without a header is like those of the UCR archive: each row is a class and then a series."""
    if len(rows) < 2 or len(rows[0]) < _UCR_COLUMNS:
        return False
    texts = [row[0].strip() for row in rows]
    classes = [number_of(text) for text in texts]
    if all(value is None for value in classes):
        # Texts that repeat are classes; but if equal texts stand together, they may tell series of nodes apart.
        runs = 1 + sum(text != before for before, text in itertools.pairwise(texts))
        are_classes = len(set(texts)) < len(texts) and (suffix != ".csv" or runs > len(set(texts)))
        return are_classes and all(number_of(cell) is not None for cell in rows[0][1:] if cell.strip())
    if suffix not in (".tsv", ".txt", "") or not all(
        value is not None and value.is_integer() for value in classes
    ):
        return False
    cells = [cell for row in rows for cell in row[1:] if cell.strip()]
    whole = sum((value := number_of(cell)) is not None and value.is_integer() for cell in cells)
    return whole < len(cells) / 2
