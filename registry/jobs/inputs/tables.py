"""Tables in memory, cut into pieces that travel to the workers."""

from __future__ import annotations

import hashlib
from typing import Any

# Rows of a table that a task reads.
_PIECE = 20_000


def pieces_of(data: Any) -> tuple[tuple[bytes, ...], str]:
    """Return a table in pieces, in Arrow's stream format, and the SHA-256 of all of them.

    Parameters
    ----------
    data : table of pyarrow, pandas, datasets or Ray

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If the table has no rows.
    """
    import pyarrow

    table = _table_of(data)
    if not table.num_rows:
        raise ValueError("the table has no rows")
    pieces = []
    digest = hashlib.sha256()
    for start in range(0, table.num_rows, _PIECE):
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table.slice(start, _PIECE))
        pieces.append(sink.getvalue().to_pybytes())
        digest.update(pieces[-1])
    return tuple(pieces), digest.hexdigest()


def _table_of(data: Any) -> Any:
    import pyarrow

    package = type(data).__module__.partition(".")[0]
    if isinstance(data, pyarrow.Table):
        return data
    if package == "pandas" and type(data).__name__ == "DataFrame":
        return pyarrow.Table.from_pandas(data, preserve_index=False)
    if package == "datasets" and hasattr(data, "with_format"):
        return data.with_format("arrow")[:]
    if package == "ray" and hasattr(data, "to_arrow_refs"):
        import ray

        return pyarrow.concat_tables(ray.get(data.to_arrow_refs()))
    raise TypeError(
        f"data is a {type(data).__name__}, expected paths, or a table of pyarrow, pandas, datasets or Ray"
    )
