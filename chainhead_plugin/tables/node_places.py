"""The places of the nodes of a series: the file and the row of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import place


@dataclass(frozen=True)
class NodePlaces:
    """The files and rows in which the nodes of a series stand.

    Attributes
    ----------
    files : tuple of str
        The names of the files.
    file_of : int32 array [L]
        The file of each node, an index into `files`.
    rows : int32 array [L], or range
        The row of each node in its file, as `Table` counts rows; 0 for a node that was put into a gap of time.
        Consecutive rows are a range, which takes no memory.
    """

    files: tuple[str, ...]
    file_of: NDArray[np.int32]
    rows: NDArray[np.int32] | range

    @classmethod
    def of(cls, files: tuple[str, ...], file_of: NDArray[np.int32], rows: NDArray[np.int32]) -> "NodePlaces":
        """Return places with rows in the form that takes least memory."""
        is_run = bool((np.diff(rows) == 1).all()) and rows[0] > 0
        return cls(files, file_of, range(int(rows[0]), int(rows[-1]) + 1) if is_run else rows)

    def words(self, node: int, column: str, series: str) -> str:
        """Return the words for the place of a cell."""
        if self.rows[node]:
            file, row = self.files[int(self.file_of[node])], int(self.rows[node])
            return place(file, row=row, column=column, series=series)
        before = int(np.flatnonzero(self.rows[:node])[-1])  # no series begins with a gap
        file, row = self.files[int(self.file_of[before])], int(self.rows[before])
        return place(f"{file}, after row {row}", column=column, series=series)

    def after(self, count: int) -> "NodePlaces":
        """Return the places of all nodes after the first `count`."""
        return NodePlaces(self.files, self.file_of[count:], self.rows[count:])


def joined_places(parts: Sequence[NodePlaces | int]) -> NodePlaces:
    """Return the places of nodes, part after part; a number stands for that many nodes of a gap."""
    files: list[str] = []
    file_of, rows = [], []
    for part in parts:
        if isinstance(part, int):
            file_of.append(np.zeros(part, dtype=np.int32))
            rows.append(np.zeros(part, dtype=np.int32))
            continue
        file_of.append(part.file_of + np.int32(len(files)))
        rows.append(np.asarray(part.rows, dtype=np.int32))
        files += part.files
    return NodePlaces.of(tuple(files), np.concatenate(file_of), np.concatenate(rows))
