"""How a text file writes a table: encoding, separator, comments and decimal sign."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ...errors import TableError
from ..files import Source

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
THOUSANDS = {",": "comma", ".": "point", "'": "apostrophe", " ": "space"}
# With such a line above a table, Excel states the separator.
_STATED = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_BLOCK = 1 << 16
SAMPLE_LINES = 64


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How text files are written; None for everything that has to be found out from the file.

    Attributes
    ----------
    header : bool, optional
        Whether the first row names the columns.
    separator : {",", ";", tab, "|", " "}, optional
        A space stands for any number of spaces and tabs.
    decimal : {".", ","}, optional
    thousands : {",", ".", "'", " "}, optional
        The sign between thousands, as in 1,234,567.
    encoding : str, optional
        A name that Python knows, such as "utf-16" or "cp1252".
    comment : str, optional
        The sign of comments. Lines that begin with it are left out, wherever they are. By default, lines that begin
        with # are left out only at the head of the file, where they cannot be data.

    Raises
    ------
    TableError
        If an attribute has another value.
    """

    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        """Check every option."""
        if self.header not in (None, True, False):
            raise TableError(f"header must be true or false, got {self.header!r}")
        if self.separator not in (None, " ", *SEPARATORS):
            raise TableError(
                f"separator must be a comma, a semicolon, a tab, a bar or a space, got {self.separator!r}"
            )
        if self.decimal not in (None, ".", ","):
            raise TableError(f"decimal must be '.' or ',', got {self.decimal!r}")
        if self.thousands not in (None, *THOUSANDS):
            raise TableError(
                f"thousands must be a comma, a point, an apostrophe or a space, got {self.thousands!r}"
            )
        if self.thousands is not None and self.thousands == self.decimal:
            raise TableError(f"thousands and decimal cannot both be {self.decimal!r}")
        if self.separator == "," and self.decimal == ",":
            raise TableError("separator and decimal cannot both be a comma")
        if self.comment is not None and (not isinstance(self.comment, str) or not self.comment.strip()):
            raise TableError(
                f"comment must be the text that comments begin with, such as #, got {self.comment!r}"
            )
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except (LookupError, TypeError) as error:
                raise TableError(
                    f"there is no encoding {self.encoding!r}, expected such as utf-8, utf-16 or cp1252"
                ) from error


def find_encoding(source: Source) -> tuple[str, str]:
    """Tell the encoding of a text file, reading it once, a block at a time.

    Returns
    -------
    encoding : str
        UTF-8, UTF-16 with or without a byte order mark, or if the bytes are neither, Latin-1 or Windows' cp1252.
    note : str
        For the summary; empty for UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, has_controls, is_windows = True, False, True
    with source.open() as stream:
        block = stream.read(_BLOCK)
        if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", "read as UTF-16"
        zeros = [block[start:4096:2].count(0) for start in (0, 1)]
        if max(zeros) > len(block[:4096]) // 4:
            encoding = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
            return encoding, "read as UTF-16"
        while block:
            if is_utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
            has_controls = has_controls or re.search(rb"[\x80-\x9f]", block) is not None
            is_windows = is_windows and re.search(rb"[\x81\x8d\x8f\x90\x9d]", block) is None
            block = stream.read(_BLOCK)
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    if is_utf8:
        return "utf-8-sig", ""
    # Bytes that are control characters in Latin-1 are quotes, dashes and the euro sign in Windows' version of it.
    return (
        ("cp1252", "read as cp1252, Windows' Latin-1")
        if has_controls and is_windows
        else ("latin-1", "read as Latin-1")
    )


def find_separator(lines: list[str]) -> str:
    """Tell the separator from a file's first lines.

    Parameters
    ----------
    lines : list of str
        Without comments.

    Returns
    -------
    str
        A separator that divides all lines into the same number of cells, and of several such separators that with the
        most cells. If there is none, the separator that the first line holds most often, or else a comma.
    """
    widths = {separator: _widths(lines, separator) for separator in SEPARATORS}
    even = {
        separator: found[0] for separator, found in widths.items() if len(set(found)) == 1 and found[0] > 1
    }
    if even:
        # A file with decimal commas may have as many commas as other separators in all its lines.
        if ";" in even and "," in even and _is_decimal_comma(lines, ";"):
            return ";"
        if "\t" in even and "," in even and _is_decimal_comma(lines, "\t"):
            return "\t"
        return max(even, key=lambda separator: even[separator])
    first = lines[0] if lines else ""
    present = [separator for separator in SEPARATORS if separator in first]
    if not present:
        return ","
    for separator in (";", "\t"):
        # Uneven rows get their own message later; here it matters to cut them at the right sign.
        if separator in present and all(separator in line for line in lines if line.strip()):
            return separator
    return max(present, key=first.count)


def _is_decimal_comma(lines: list[str], separator: str) -> bool:
    cells = [cell for line in lines[1:] for cell in line.rstrip("\r\n").split(separator)]
    return any(re.fullmatch(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", cell) for cell in cells)


def _widths(lines: list[str], separator: str) -> list[int]:
    try:
        return [len(row) for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:
        return []


def read_lines(stream: Iterator[str], dialect: Dialect) -> tuple[Iterator[str], list[str], str, int, str]:
    """Take the comments off the head of a text file, and tell its separator.

    Parameters
    ----------
    stream : iterator of str
        Lines with their ends.
    dialect : Dialect

    Returns
    -------
    lines : iterator of str
        From the first line that is no comment on.
    sample : list of str
        The first of these lines.
    separator : str
    skipped : int
        The number of lines that were taken off, including a line that states the separator.
    comment : str
        The last comment, without its sign. It may be the header, as NumPy writes the header there.
    """
    sign = dialect.comment or "#"
    head: list[str] = []
    comments: list[str] = []
    stated: str | None = None
    skipped = 0
    for line in stream:
        if (
            not head
            and not comments
            and (found := _STATED.fullmatch(line))
            and found[1] in (*SEPARATORS, " ")
        ):
            stated = found[1]
            skipped += 1
            continue
        if line.startswith(sign):
            comments.append(line)
            continue
        head.append(line)
        break
    if comments and not head and dialect.comment is None:
        head, comments = comments, []  # if all lines begin with the sign, they are data
    head += islice(stream, SAMPLE_LINES - len(head)) if len(head) < SAMPLE_LINES else []
    if dialect.comment is None:
        sample = head
    else:
        sample = [line for line in head if not line.startswith(dialect.comment)]

    def lines() -> Iterator[str]:
        yield from head
        yield from stream

    separator = dialect.separator or stated or find_separator(sample)
    comment = comments[-1][len(sign) :].strip() if comments else ""
    return lines(), sample, separator, skipped + len(comments), comment
