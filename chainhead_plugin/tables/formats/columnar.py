"""Tables in Parquet and Feather files, and in pandas' DataFrames: typed columns."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, listed, place, require
from .cells import bytes_as_texts, objects
from .files import Source
from .table import DATE, DURATION, Sequences, Table, single

BLOCK_ROWS = 1 << 16


# The most cells of a block of rows.
_BLOCK_CELLS = 1 << 16


def read_blocks(
    source: Source, file_format: str, block_rows: int = BLOCK_ROWS
) -> Iterator[Table | Sequences]:
    """Read a Parquet or Feather file.

    Parameters
    ----------
    source : Source
    file_format : {"parquet", "feather"}
    block_rows : int
        The most rows of a block.

    Yields
    ------
    Table or Sequences
        Sequences if columns hold lists. Each row is then a sequence: in a column "nodes", or with a column for each
        feature.

    Raises
    ------
    TableError
        If the file is damaged or has no rows, or a column holds neither numbers, texts nor times.
    """
    pyarrow = require("pyarrow", "pyarrow", source.name)
    start = 1
    try:
        with source.open() as stream:
            if file_format == "parquet":
                parquet = require("pyarrow.parquet", "pyarrow", source.name)
                file = parquet.ParquetFile(pyarrow.PythonFile(stream, mode="r"))
                schema = file.schema_arrow
                block_rows = max(1, min(block_rows, _BLOCK_CELLS // max(1, len(schema))))
                batches = file.iter_batches(batch_size=block_rows)
            else:
                feather = require("pyarrow.feather", "pyarrow", source.name)
                table = feather.read_table(stream)
                schema, batches = table.schema, table.to_batches(max_chunksize=block_rows)
            index = _index_columns(schema)
            for batch in batches:
                if not batch.num_rows:
                    continue
                yield _from_batch(batch, source.name, start, index)
                start += batch.num_rows
    except pyarrow.ArrowException as error:
        raise TableError(f"{source.name} is no {file_format} file, or damaged: {error}") from error
    if start == 1:
        raise TableError(f"{source.name}: there are no rows in it")


def _index_columns(schema: Any) -> tuple[str, ...]:
    """Return the levels of the index that pandas has written into a file, if there are several."""
    written = (schema.pandas_metadata or {}).get("index_columns", [])
    names = tuple(name for name in written if isinstance(name, str))
    return names if len(names) > 1 else ()


def _from_batch(batch: Any, file: str, start: int, index: tuple[str, ...]) -> Table | Sequences:
    pyarrow = require("pyarrow", "pyarrow", file)
    types = pyarrow.types
    rows = np.arange(start, start + batch.num_rows, dtype=np.int64)
    columns: dict[str, NDArray[Any]] = {}
    lists: dict[str, Any] = {}
    zones: dict[str, str] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = column.type
        if types.is_dictionary(kind):
            column = column.dictionary_decode()  # noqa: PLW2901 - the same column, without its codes
            kind = column.type
        if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
            lists[name] = column
            continue
        if name in columns:
            raise TableError(f"{file} has two columns {name}: rename one of them")
        columns[name] = _array(column, kind, types, place(file, column=name))
        if types.is_timestamp(kind) and kind.tz:
            zones[name] = kind.tz
        elif types.is_date(kind):
            zones[name] = DATE
        elif types.is_duration(kind):
            zones[name] = DURATION
    if lists:
        return _sequences(lists, columns, file, rows)
    return single(columns, file, rows, zones=zones, index=index)


def _array(column: Any, kind: Any, types: Any, where: str) -> NDArray[Any]:
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if types.is_boolean(kind):
        if not missing.any():
            return np.asarray(column.to_numpy(zero_copy_only=False))
        return np.array([np.nan if cell is None else float(cell) for cell in column.to_pylist()])
    if types.is_integer(kind):
        if not missing.any():
            return np.asarray(column.to_numpy())
        # Texts, since floats would lose the digits of long ids.
        return objects(["" if cell is None else str(cell) for cell in column.to_pylist()])
    if types.is_floating(kind):
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if types.is_decimal(kind):
        # Texts, since floats would lose digits, and the zeros that an id ends in.
        return objects(["" if cell is None else f"{cell:f}" for cell in column.to_pylist()])
    if types.is_timestamp(kind) or types.is_date(kind):
        values = column.cast("timestamp[ms]").to_numpy(zero_copy_only=False) if types.is_date(kind) else None
        if values is None:
            values = column.to_numpy(zero_copy_only=False)
        return to_nanoseconds(values, where)
    if types.is_string(kind) or types.is_large_string(kind) or _is_view(types, kind):
        return objects(["" if cell is None else cell for cell in column.to_pylist()])
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return objects(bytes_as_texts(column.to_pylist()))
    if types.is_duration(kind):
        spans = column.cast(f"duration[{kind.unit}]").to_numpy(zero_copy_only=False)
        return np.where(np.isnat(spans), np.nan, spans / np.timedelta64(1, "s"))
    if types.is_time(kind):
        return objects(["" if cell is None else str(cell) for cell in column.to_pylist()])
    raise TableError(
        f"{where} is of the type {kind}, expected numbers, texts or times: leave it out of the file"
    )


def _is_view(types: Any, kind: Any) -> bool:
    return hasattr(types, "is_string_view") and bool(types.is_string_view(kind))


def to_nanoseconds(values: NDArray[Any], where: str) -> NDArray[Any]:
    """Return datetime64 values in nanoseconds.

    Raises
    ------
    TableError
        If a time is outside of the years 1678 to 2261, the range of nanoseconds in 64 bits.
    """
    coarse = values.astype("datetime64[us]")
    limits = np.array(["1678-01-01", "2262-01-01"], dtype="datetime64[us]")
    outside = ~np.isnat(coarse) & ((coarse < limits[0]) | (coarse >= limits[1]))
    if outside.any():
        raise TableError(f"{where}: {coarse[outside][0]} is outside of the years 1678 to 2261")
    return values.astype("datetime64[ns]")


def _sequences(
    lists: dict[str, Any], columns: dict[str, NDArray[Any]], file: str, rows: NDArray[np.int64]
) -> Sequences:
    """Return a sequence for every row, from a column "nodes" of lists, or from a column of lists for each feature."""
    values: list[NDArray[np.float64]] = []
    names = tuple(lists)
    for position, row in enumerate(rows.tolist()):
        where = place(file, row=row)
        cells = {name: column[position].as_py() for name, column in lists.items()}
        if "nodes" in lists:
            values.append(nodes_of(cells["nodes"], f"{where}, column nodes"))
            continue
        values.append(nodes_by_feature(cells, where))
    fields: dict[str, list[Any]] = {name: list(column) for name, column in columns.items()}
    if "nodes" in lists:
        fields |= {name: lists[name].to_pylist() for name in lists if name != "nodes"}
        return Sequences(file, values, rows.tolist(), None, fields)
    return Sequences(file, values, rows.tolist(), names, fields)


def nodes_by_feature(cells: Mapping[str, Any], where: str) -> NDArray[np.float64]:
    """Return the nodes [L, m] of a sequence that has a list of values for each feature.

    Parameters
    ----------
    cells : mapping of str to list
        By the names of features.
    where : str
        Words for their place, for messages.

    Raises
    ------
    TableError
        If a list is missing, the lists differ in length, or a value is no finite number.
    """
    if None in cells.values():
        empty = next(name for name, cell in cells.items() if cell is None)
        raise TableError(f"{where}, column {empty} is empty, expected the values of a series")
    parts = [nodes_of(cell, f"{where}, column {name}") for name, cell in cells.items()]
    for name, part in zip(cells, parts, strict=True):
        if part.shape[1] > 1:
            raise TableError(
                f"{where}, column {name} holds {part.shape[1]} numbers a node, expected one; a sequence "
                "of several features belongs into nodes"
            )
    lengths = {name: len(cell) for name, cell in cells.items()}
    if len(set(lengths.values())) > 1:
        shown = listed(f"{name} {length}" for name, length in lengths.items())
        raise TableError(f"{where}: the features have not the same length: {shown}")
    return np.concatenate(parts, axis=1)


def nodes_of(nodes: Any, where: str) -> NDArray[np.float64]:
    """Return the nodes of a sequence as float64 [L, m].

    Parameters
    ----------
    nodes : list
        Of numbers, or of lists of numbers. None and NaN are missing values.
    where : str
        Words for their place, for messages.

    Raises
    ------
    TableError
        If there are no nodes, their lists differ in length, or a value is no finite number.
    """
    if not isinstance(nodes, list | tuple) or not len(nodes):
        shown = "is empty" if nodes in (None, [], "") else f"holds {nodes!r:.40}"
        raise TableError(f"{where} {shown}, expected a list of nodes")
    rows = [node if isinstance(node, list | tuple) else [node] for node in nodes]
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise TableError(f"{where}: node {number} has {len(row)} features, expected {width} as the first")
        for cell in row:
            if cell is not None and (isinstance(cell, str) or not isinstance(cell, int | float)):
                raise TableError(f"{where}: node {number} holds {cell!r:.40}, expected a number")
    array = np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=np.float64)
    if np.isinf(array).any():
        number = int(np.isinf(array).any(1).argmax()) + 1
        raise TableError(f"{where}: node {number} holds an infinite number, expected a finite one, or null")
    return array
