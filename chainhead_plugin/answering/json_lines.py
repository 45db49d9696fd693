"""Sequences in JSON lines, one a line: a broken line is a record that says why, and the rest is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from .records import read_records
from .wanted import Record, Wanted

_SUFFIXES = (".jsonl", ".ndjson")
# Lines that are read together, as long as none of them is broken.
_BLOCK = 256


def holds_sequences_in_lines(file: Path, wanted: Wanted) -> bool:
    """Whether each line of a file is a sequence, as a list or in the field "nodes", and not a node of one."""
    if wanted.kind != "sequence" or file.suffix.lower() not in _SUFFIXES or not file.is_file():
        return False
    with file.open("rb") as stream:
        for line in stream:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            return isinstance(value, list) or (isinstance(value, dict) and "nodes" in value)
    return False


def records_of_lines(file: Path, wanted: Wanted) -> Iterator[Record]:
    """Yield the record of each line that is not blank."""
    wanted = replace(wanted, reading=replace(wanted.reading, format="jsonl"))
    with file.open("rb") as stream:
        lines = ((number, line) for number, line in enumerate(stream, start=1) if line.strip())
        while block := list(islice(lines, _BLOCK)):
            try:
                found = list(read_records(Path("-"), wanted, b"".join(line for _, line in block)))
            except ValueError:
                found = []
            if len(found) == len(block):
                yield from found
            else:
                yield from (_record(number, line, wanted) for number, line in block)


def _record(number: int, line: bytes, wanted: Wanted) -> Record:
    try:
        [record] = read_records(Path("-"), wanted, line)
    except ValueError as error:
        reason = re.sub(r"^-(, row 1)?", f"line {number}", " ".join(str(error).split()))
        return Record(None, {}, error=reason)
    return record
