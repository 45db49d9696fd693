"""The files of the UCR and UEA archives, and of Weka: .ts and .arff."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, check_is_text, listed, place
from .cells import number_of
from .files import Source
from .table import Sequences
from .text.dialect import find_encoding

_MISSING = ("?", "nan", "")


def read_ts(source: Source) -> Sequences:
    """Read a .ts file: a case on every line, its channels separated by colons, its class or target last.

    Raises
    ------
    TableError
        If a line is no case; the message names the line.
    """
    values: list[NDArray[np.float64]] = []
    labels: list[str] = []
    rows: list[int] = []
    header: dict[str, str] = {}
    in_data = False
    for number, line in _lines(source):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        where = place(source.name, row=number)
        if text.startswith("@"):
            key, _, value = text[1:].partition(" ")
            header[key.lower()] = value.strip()
            in_data = in_data or key.lower() == "data"
            continue
        if not in_data:
            raise TableError(f"{where}: expected @data before the first case")
        if header.get("timestamps", "false").lower() == "true" or text.startswith("("):
            raise TableError(f"{where}: cases with timestamps are not read: save them evenly spaced, without")
        parts = text.split(":")
        if _has_label(header):
            labels.append(parts.pop().strip())
            _check_class(labels[-1], header, where)
        values.append(_channels([part.split(",") for part in parts], where))
        rows.append(number)
    return _archive(source.name, values, rows, labels, _has_label(header))


def read_arff(source: Source) -> Sequences:
    """Read an .arff file: a case on every line, and its class last.

    The values of a case follow each other, or its channels are in a single quoted cell.

    Raises
    ------
    TableError
        If a line is no case; the message names the line.
    """
    values: list[NDArray[np.float64]] = []
    labels: list[str] = []
    rows: list[int] = []
    kinds: list[str] = []
    in_data = is_nested = False
    depth = 0
    for number, line in _lines(source):
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        where = place(source.name, row=number)
        word = text.split(None, 1)[0].lower()
        if word == "@attribute":
            is_nested = is_nested or bool(re.search(r"\brelational\s*$", text, re.IGNORECASE))
            depth += bool(re.search(r"\brelational\s*$", text, re.IGNORECASE))
            kinds.append(text)
        elif word == "@end":
            depth -= 1
        elif word == "@data":
            in_data = True
        elif not word.startswith("@"):
            if not in_data:
                raise TableError(f"{where}: expected @data before the first case")
            cells = next(csv.reader([text], quotechar="'", skipinitialspace=True))
            has_label = (
                bool(kinds) and re.search(r"\b(numeric|real|integer)\s*$", kinds[-1], re.IGNORECASE) is None
            )
            has_label = has_label or _is_named_class(kinds)
            if has_label:
                labels.append(cells.pop().strip().strip("\"'"))
            channels = cells[0].replace("\\n", "\n").split("\n") if is_nested else [",".join(cells)]
            values.append(_channels([channel.split(",") for channel in channels if channel.strip()], where))
            rows.append(number)
    return _archive(source.name, values, rows, labels, bool(labels))


def _is_named_class(kinds: list[str]) -> bool:
    return bool(kinds) and bool(re.search(r"@attribute\s+'?\"?(class|target)", kinds[-1], re.IGNORECASE))


def _check_class(label: str, header: dict[str, str], where: str) -> None:
    """Raise if the header lists the classes, and a case has a class that is not listed."""
    declared = header.get("classlabel", "").split()[1:]
    if declared and label not in declared:
        raise TableError(
            f"{where} has the class {label!r}, but @classLabel lists {listed(declared)}: correct one of them"
        )


def _has_label(header: dict[str, str]) -> bool:
    stated = [header.get(name, "false") for name in ("classlabel", "targetlabel")]
    return any(value.lower().startswith("true") for value in stated)


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    encoding, _ = find_encoding(source)
    with source.open() as binary, io.TextIOWrapper(binary, encoding) as stream:
        for row, line in enumerate(stream, start=1):
            check_is_text(line, source.name, row)
            yield row, line


def _channels(parts: list[list[str]], where: str) -> NDArray[np.float64]:
    """Return channels, which the archives write one after another, as nodes [L, channels]."""
    lengths = {len(part) for part in parts}
    if len(lengths) != 1:
        raise TableError(f"{where}: its channels have several lengths, {sorted(lengths)}, expected one")
    channels: list[list[float]] = []
    if parts[0][0].lstrip().startswith("{"):
        raise TableError(f"{where} is sparse, which is not read: write every value of the case")
    for part in parts:
        numbers: list[float] = []
        for cell in part:
            value = float("nan") if cell.strip().lower() in _MISSING else number_of(cell)
            if value is None or value in (float("inf"), -float("inf")):
                raise TableError(
                    f"{where} holds {cell!r}, expected a finite number, or ? where a value is missing"
                )
            numbers.append(value)
        channels.append(numbers)
    return np.array(channels, dtype=np.float64).T


def _archive(
    file: str, values: list[NDArray[np.float64]], rows: list[int], labels: list[str], has_labels: bool
) -> Sequences:
    if not values:
        raise TableError(f"{file}: there are no cases in it")
    widths = {array.shape[1] for array in values}
    if len(widths) > 1:
        raise TableError(
            f"{file}: its cases have several numbers of channels, {sorted(widths)}, expected one"
        )
    fields: dict[str, list[Any]] = {"label": list(labels)} if has_labels else {}
    return Sequences(file, values, rows, None, fields)
