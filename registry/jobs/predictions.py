"""The output of a finished job."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from .parts import Store


@dataclass(frozen=True)
class Predictions:
    """The parts that a job wrote, in the order of the input.

    Attributes
    ----------
    output : str
        The folder or address of the parts.
    rows : int
        Number of rows of the input.
    errors : int
        How many of them have no result, and a reason in the column ``error``.
    parts : tuple of str
        The files' names, in the input's order.
    """

    output: str
    rows: int
    errors: int
    parts: tuple[str, ...]

    def table(self) -> Any:
        """Return all rows as a table of pyarrow, in the input's order; columns that some parts lack are null there.

        Raises
        ------
        ValueError
            If the parts are no Parquet files.
        """
        if any(not name.endswith(".parquet") for name in self.parts):
            raise ValueError("the parts are JSON lines: lines() reads them")
        import pyarrow
        from pyarrow import parquet

        store = Store(self.output)
        tables = [parquet.read_table(io.BytesIO(store.read(name))) for name in self.parts]
        return pyarrow.concat_tables(tables, promote_options="permissive")

    def lines(self) -> list[dict[str, Any]]:
        """Return all rows as dictionaries, in the input's order."""
        if all(name.endswith(".parquet") for name in self.parts):
            found: list[dict[str, Any]] = self.table().to_pylist()
            return found
        store = Store(self.output)
        return [json.loads(line) for name in self.parts for line in store.read(name).splitlines()]
