"""Write predictions to a file as they are computed. The file appears only when it is complete."""

import csv
import datetime
import decimal
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from ..checks.places import check_file_place
from ..storage.whole_files import whole_file
from .errors import TableError, listed, require
from .formats.cells import bytes_as_texts, number_of

_BATCH = 4096
_EXCEL_ROWS = 1 << 20
SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet", ".jsonl")
# Spreadsheets take a text that begins with these for a formula, and a formula may do anything.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_rows(
    file: Path, rows: Iterable[Mapping[str, Any]], *, overwrite: bool = False, escape: bool = True
) -> int:
    """Write rows to a .csv, .tsv, .xlsx, .parquet or .jsonl file, while they are computed.

    Parameters
    ----------
    file : Path
        Its suffix tells the format. The file appears when all rows are written; after an error nothing is left.
    rows : iterable of mappings
        All with the same names, in the same order. Values are texts, numbers, booleans, None, dates and times; lists
        and mappings become JSON in a cell of .csv, .tsv and .xlsx.
    overwrite : bool
        Whether a file that is there already is replaced.
    escape : bool
        Whether texts in .csv and .tsv that a spreadsheet would run, such as "=1+1" and "@name", get an apostrophe in
        front. Texts that are numbers stay as they are, and so do all texts in .xlsx, where they are marked as texts.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    TableError
        If the suffix is unknown, the file exists and may not be overwritten, its folder does not exist, there are no
        rows, a row has other names than the first, or the format cannot hold a value.
    """
    suffix = check_target(file, overwrite=overwrite)
    found = iter(rows)
    first = next(found, None)
    if first is None:
        raise TableError(f"there is nothing to write to {file.name}")
    checked = _checked(chain([first], found), list(first), file.name)
    with whole_file(file) as part:
        return _WRITERS[suffix](part, checked, list(first), escape)


def check_target(file: Path, *, overwrite: bool = False) -> str:
    """Check, before anything is computed, that a file can be written; return its suffix in small letters.

    Raises
    ------
    TableError
        If the suffix is unknown, the file exists and may not be overwritten, or there is no folder that takes it.
    """
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise TableError(
            f"cannot write {file.name or file}: expected a name that ends in {', '.join(SUFFIXES)}"
        )
    try:
        check_file_place(file)
    except ValueError as error:
        raise TableError(str(error)) from error
    if file.exists() and not overwrite:
        raise TableError(
            f"{file} is there already: choose another name, or overwrite it with --overwrite (overwrite=True)"
        )
    return suffix


def _checked(rows: Iterator[Mapping[str, Any]], names: list[str], file: str) -> Iterator[Mapping[str, Any]]:
    for number, row in enumerate(rows, start=1):
        if list(row) != names:
            raise TableError(
                f"row {number} for {file} has {listed(row)}, expected {listed(names)} as the first"
            )
        yield row


def _write_csv(
    file: Path, rows: Iterator[Mapping[str, Any]], names: list[str], escape: bool, separator: str = ","
) -> int:
    count = 0
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
        writer.writerow([_cell(name, escape) for name in names])
        for row in rows:
            writer.writerow([_cell(value, escape) for value in row.values()])
            count += 1
    return count


def _cell(value: Any, escape: bool) -> Any:
    plain = to_plain(value)
    if plain is None:
        return ""
    if isinstance(plain, list | dict):
        return json.dumps(plain, ensure_ascii=False)
    if isinstance(value, str) and escape and value.startswith(_FORMULA) and number_of(value) is None:
        return f"'{value}"
    return plain


def _write_json_lines(file: Path, rows: Iterator[Mapping[str, Any]], names: list[str], escape: bool) -> int:
    count = 0
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(to_plain(row), ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def _write_parquet(file: Path, rows: Iterator[Mapping[str, Any]], names: list[str], escape: bool) -> int:
    pyarrow = require("pyarrow", "pyarrow", "Parquet")
    parquet = require("pyarrow.parquet", "pyarrow", "Parquet")
    count = 0
    writer = None
    try:
        while batch := list(islice(rows, _BATCH)):
            columns = {name: [_typed(row[name]) for row in batch] for name in names}
            if writer is None:
                table = pyarrow.table(columns)
                writer = parquet.ParquetWriter(file, table.schema)
            else:
                table = pyarrow.table(columns, schema=writer.schema)
            writer.write_table(table)
            count += len(batch)
    except (pyarrow.ArrowException, OverflowError) as error:
        raise TableError(
            f"cannot write Parquet from row {count + 1} on: {error}; write .jsonl instead"
        ) from error
    finally:
        if writer is not None:
            writer.close()
    return count


def _write_excel(file: Path, rows: Iterator[Mapping[str, Any]], names: list[str], escape: bool) -> int:
    openpyxl = require("openpyxl", "openpyxl", "Excel")
    cell_of = require("openpyxl.cell", "openpyxl", "Excel").WriteOnlyCell
    illegal = require("openpyxl.utils.exceptions", "openpyxl", "Excel").IllegalCharacterError
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("predictions")

    def typed(value: Any) -> Any:
        plain = _cell(value, escape=False)
        if not isinstance(plain, str):
            return plain
        cell = cell_of(sheet)
        try:
            cell.value = plain
        except illegal as error:
            raise TableError(
                f"row {count + 1} for {file.name} has {plain!r:.60}, with a character that Excel does not allow: write "
                ".csv or .jsonl instead"
            ) from error
        cell.data_type = "s"  # a text, even if it begins as formulas do
        return cell

    count = 0
    sheet.append([typed(name) for name in names])
    for row in rows:
        sheet.append([typed(value) for value in row.values()])
        count += 1
    if count >= _EXCEL_ROWS:
        raise TableError(
            f"{count:,} rows are more than a sheet of Excel takes: write .csv or .parquet instead"
        )
    book.save(file)
    return count


_WRITERS: dict[str, Callable[..., int]] = {
    ".csv": _write_csv,
    ".tsv": partial(_write_csv, separator="\t"),
    ".xlsx": _write_excel,
    ".parquet": _write_parquet,
    ".jsonl": _write_json_lines,
}


def _typed(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def to_plain(value: Any) -> Any:
    """Return a value in types that JSON has.

    Times become texts in ISO 8601, NaN, infinite numbers and missing times None, arrays lists, decimal numbers texts
    with all their digits, and bytes texts.

    Raises
    ------
    TableError
        If JSON has no type for the value.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)  # a float would lose digits
    if isinstance(value, bytes):
        return bytes_as_texts([value])[0]
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(np.datetime_as_string(value, unit="auto"))
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): to_plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    raise TableError(f"cannot write {value!r:.60} of the type {type(value).__name__} as JSON")
