"""Sequences and tables in JSON and JSON lines."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks.json_values import json_value
from ..errors import TableError, listed, place
from .cells import is_nan, objects
from .columnar import nodes_by_feature, nodes_of
from .files import Source
from .table import Sequences, Table, single

_NODES = "nodes"


def read_json(source: Source, *, lines: bool, feature_size: int | None = None) -> Table | Sequences:
    """Read a JSON file, or a file with a JSON value on every line.

    Parameters
    ----------
    source : Source
    lines : bool
        Whether every line is a value.
    feature_size : int, optional
        The number of features of a node. It tells a sequence of several features from several sequences of one feature.

    Returns
    -------
    Table or Sequences
        Objects with "nodes" or with a list for each feature, and lists of numbers, are sequences. Other objects are the
        rows of a table. A single object of lists is a table with a list for each column.

    Raises
    ------
    TableError
        If the file is no JSON, or holds something else; the message names the line, or in a JSON file the number of
        the value, from 1.
    """
    with source.open() as binary, io.TextIOWrapper(binary, "utf-8-sig", newline="\n") as stream:
        try:
            values, rows = _lines(stream, source.name) if lines else _whole(stream, feature_size)
        except UnicodeDecodeError as error:
            raise TableError(f"{source.name} is no UTF-8, as JSON has to be: {error}") from error
        except json.JSONDecodeError as error:
            raise TableError(
                f"{place(source.name, row=error.lineno)} is no JSON: {error.msg} at character {error.colno}"
            ) from error
    if isinstance(values, Mapping):
        return _columns(values, source.name)
    if not values:
        raise TableError(f"{source.name}: there is nothing in it")
    if all(isinstance(value, Mapping) and _NODES not in value for value in values):
        return _rows(values, rows, source.name)
    return _sequences(values, rows, source.name)


def _lines(stream: io.TextIOWrapper, file: str) -> tuple[list[Any], list[int]]:
    values: list[Any] = []
    rows: list[int] = []
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            values.append(json_value(line))
        except json.JSONDecodeError as error:
            raise TableError(
                f"{place(file, row=number)} is no JSON: {error.msg} at character {error.colno}"
            ) from error
        rows.append(number)
    return values, rows


def _whole(stream: io.TextIOWrapper, feature_size: int | None) -> tuple[Any, list[int]]:
    value = json_value(stream.read())
    if isinstance(value, Mapping):
        is_sequence = _NODES in value or not value
        return ([value] if is_sequence else value), [1]
    if not isinstance(value, list) or not value:
        return ([] if value in ([], None) else [value]), [1]
    is_many = isinstance(value[0], Mapping) or _depth(value) == 3
    if not is_many and _depth(value) == 2 and feature_size is not None:
        is_many = feature_size == 1 and any(not isinstance(node, list) or len(node) != 1 for node in value)
    values = value if is_many else [value]
    return values, list(range(1, len(values) + 1))


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list):
        depth += 1
        value = value[0] if value else None
    return depth


def _sequences(values: list[Any], rows: list[int], file: str) -> Sequences:
    nodes: list[NDArray[np.float64]] = []
    fields: dict[str, list[Any]] = {}
    names: tuple[str, ...] | None = None
    for row, value in zip(rows, values, strict=True):
        where = place(file, row=row)
        given = value if isinstance(value, Mapping) else {_NODES: value}
        if _NODES not in given:
            raise TableError(f"{where} has no field {_NODES}, only {listed(given)}")
        sequence = given[_NODES]
        if isinstance(sequence, list) and sequence and isinstance(sequence[0], Mapping):
            found = tuple(map(str, sequence[0]))
            names = names or found
            if found != names or any(tuple(node) != found for node in sequence):
                raise TableError(
                    f"{where}: its nodes do not all have the fields {listed(names)}, in this order"
                )
            sequence = [list(node.values()) for node in sequence]
        nodes.append(nodes_of(sequence, where))
        other = {str(name): field for name, field in given.items() if name != _NODES}
        for name in other.keys() | fields.keys():
            fields.setdefault(name, [None] * (len(nodes) - 1)).append(other.get(name))
    return Sequences(file, nodes, rows, names, fields)


def _rows(values: Sequence[Mapping[str, Any]], rows: list[int], file: str) -> Table | Sequences:
    names = list(values[0])
    for value in values:
        names += [name for name in value if name not in names]
    features = []
    for name in names:
        are_lists = [isinstance(value[name], list) for value in values if value.get(name) is not None]
        if are_lists and all(are_lists):
            features.append(name)
            continue
        for row, value in zip(rows, values, strict=True):
            if isinstance(cell := value.get(name), list | Mapping):
                raise TableError(
                    f"{place(file, row=row, column=name)} holds {cell!r:.40}, expected a number or a text; a whole "
                    f"sequence belongs into the field {_NODES}"
                )
    if features:
        return _by_feature(values, rows, features, names, file)
    columns = {name: _array([value.get(name) for value in values]) for name in names}
    return single(columns, file, np.array(rows, dtype=np.int64))


def _by_feature(
    values: Sequence[Mapping[str, Any]], rows: list[int], features: list[str], names: list[str], file: str
) -> Sequences:
    """Return a sequence for every object, with a list of values for each feature, as in Parquet."""
    nodes = [
        nodes_by_feature({name: value.get(name) for name in features}, place(file, row=row))
        for row, value in zip(rows, values, strict=True)
    ]
    fields = {name: [value.get(name) for value in values] for name in names if name not in features}
    return Sequences(file, nodes, rows, tuple(features), fields)


def _columns(values: Mapping[str, Any], file: str) -> Table:
    lists = {
        name: list(cells.values()) if isinstance(cells, Mapping) else cells for name, cells in values.items()
    }
    if not all(isinstance(cells, list) for cells in lists.values()):
        raise TableError(
            f"{file} holds an object without {_NODES}: expected sequences, or a list of values for each column"
        )
    lengths = {name: len(cells) for name, cells in lists.items()}
    if len(set(lengths.values())) > 1:
        shown = listed(f"{name} {length}" for name, length in lengths.items())
        raise TableError(f"{file}: its columns have not the same length: {shown}")
    if not next(iter(lengths.values())):
        raise TableError(f"{file}: there are no rows in it")
    return single({name: _array(cells) for name, cells in lists.items()}, file)


def _array(cells: list[Any]) -> NDArray[Any]:
    found = [cell for cell in cells if cell is not None]
    if found and all(isinstance(cell, bool) for cell in found) and len(found) == len(cells):
        return np.array(cells, dtype=bool)
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in found):
        if all(isinstance(cell, float) for cell in found):
            return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
        if len(found) == len(cells) and all(isinstance(cell, int) and abs(cell) < 2**63 for cell in found):
            return np.array(cells, dtype=np.int64)
    return objects(["" if cell is None else _text(cell) for cell in cells])


def _text(cell: Any) -> str:
    if is_nan(cell):
        return ""
    return cell if isinstance(cell, str) else repr(cell)
