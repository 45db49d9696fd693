"""The contract between a job and those who bring its inputs and its model, and the options of every job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, Protocol

OnError = Literal["raise", "keep"]
Format = Literal["parquet", "jsonl"]


class Row(NamedTuple):
    """An input with the fields that stand beside its predictions.

    Attributes
    ----------
    data : object
        What the model's `prepare` takes.
    fields : dict
        The columns of the input that the output repeats.
    error : str
        Why the row has no input; empty if it has one.
    values : int
        About how many numbers or characters the data hold: a chunk of long inputs has fewer rows.
    """

    data: Any
    fields: dict[str, Any]
    error: str = ""
    values: int = 0


class Model(Protocol):
    """A model that a worker has opened."""

    def prepare(self, data: Any) -> Any:
        """Return what the model takes, from a row's data; any error concerns this row alone."""

    def size(self, prepared: Any) -> int:
        """Return how many numbers or characters an input holds: inputs of about the same size share a batch."""

    def answer(self, batch: list[Any]) -> list[Any]:
        """Return the results of a batch, in its order."""

    def cells(self, row: Row, result: Any) -> list[dict[str, Any]]:
        """Return the result as columns of the output: a row, or several, as of a forecast's steps."""


class Work(Protocol):
    """Where the rows of a job come from, and which model answers them. It travels to the workers."""

    def pinned(self) -> dict[str, Any]:
        """Return what the predictions depend on, ready for JSON: inputs, model, options."""

    def sources(self) -> Sequence[str]:
        """Return the names of the sources, in the order of the output."""

    def rows(self, source: int) -> Iterator[Row]:
        """Yield the rows of a source, each time the same."""

    def open(self) -> Model:
        """Load the model, in the process of a worker."""


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The options of a job on which its output depends.

    Attributes
    ----------
    file_format : {"parquet", "jsonl"}
        How parts are written.
    part_rows : int
        The most rows of the input whose predictions are a part.
    batch_size : int
        The most inputs that the model gets at a time.
    on_error : {"raise", "keep"}
        Whether a row without a result ends the job, or gets its reason into the column ``error``.
    """

    file_format: Format = "parquet"
    part_rows: int = 1000
    batch_size: int = 16
    on_error: OnError = "keep"

    def __post_init__(self) -> None:
        for name in ("part_rows", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}, expected a whole number of at least 1")
        if self.file_format not in ("parquet", "jsonl"):
            raise ValueError(f"file_format is {self.file_format!r}, expected 'parquet' or 'jsonl'")
        if self.on_error not in ("raise", "keep"):
            raise ValueError(f"on_error is {self.on_error!r}, expected 'raise' or 'keep'")

    def pinned(self) -> dict[str, Any]:
        """Return the options, ready for JSON."""
        return asdict(self)
