"""Computes a part from its chunk: the same step in a plain loop and in a worker of Ray."""

from __future__ import annotations

from typing import NamedTuple

from ..parts import Store, encoded, errors_in, part_name
from ..rows import RowError, answered
from ..work import JobOptions, Model, Work
from .chunks import Chunk


class Part(NamedTuple):
    """A part that is in the output, or the end of a source.

    Attributes
    ----------
    source, number : int
        The place of its chunk; of an end, `number` is the number of the source's chunks.
    rows : int or None
        How many rows of the input it answers; None for an end.
    errors : int
        How many of them have no result.
    computed : bool
        Whether it was not there before.
    """

    source: int
    number: int
    rows: int | None
    errors: int
    computed: bool


class PartComputer:
    """Computes parts with a model, which is opened for the first part that is not there.

    Parameters
    ----------
    work : Work
    options : JobOptions
    store : Store
    names : set of str
        The files that were in the output when the job began.
    """

    def __init__(self, work: Work, options: JobOptions, store: Store, names: set[str]) -> None:
        self._work, self._options, self._store, self._names = work, options, store, names
        self._model: Model | None = None

    def __call__(self, chunk: Chunk) -> Part:
        """Return the part of a chunk, which is then in the output."""
        if chunk.rows is None:
            return Part(chunk.source, chunk.number, None, 0, False)

        kind = self._options.file_format
        name = part_name(chunk.source, chunk.number, kind)
        if name in self._names:
            errors = errors_in(self._store.read(name), kind)
            if errors is not None:
                return Part(chunk.source, chunk.number, len(chunk.rows), errors, False)

        if self._model is None:
            self._model = self._work.open()
        try:
            rows = answered(self._model, chunk.rows, self._options, chunk.first)
        except RowError as error:
            raise RowError(f"{self._work.sources()[chunk.source]}, {error}") from error
        self._store.write(name, encoded(rows, kind))
        return Part(
            chunk.source, chunk.number, len(chunk.rows), sum(row["error"] is not None for row in rows), True
        )
