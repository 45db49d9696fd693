"""A job whose model is any pipeline of transformers, and whose inputs are files or a table in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .inputs.file_rows import FILE, rows_of_file, rows_of_table
from .inputs.files import InputFile, Kind
from .inputs.values import input_of, values_in
from .model_files import digest_of, folder_of_model
from .work import Row

# Types of a result's values that are columns of their own.
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, kw_only=True)
class ModelOfJob:
    """A model, its task, and how its pipeline is called.

    Attributes
    ----------
    name : str
        A model of the zoo, an absolute folder, or ``"owner/name"`` on the Hub.
    revision : str or None
    task : str
    digest : str
        Of its files; a worker whose files differ refuses to answer.
    device : str or None
    options : mapping
        Keyword arguments of the pipeline's call, such as ``{"top_k": 3}``.
    """

    name: str
    revision: str | None
    task: str
    digest: str
    device: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PipelineWork:
    """Predictions of a pipeline for the rows of files, or of a table in pieces.

    Attributes
    ----------
    model : ModelOfJob
    kind : str or None
        The kind of the files; None for a table.
    files : tuple of InputFile
    table : tuple of bytes
        The pieces of a table, in Arrow's stream format.
    table_digest : str
        Of the table.
    column : str or tuple of str
        The column, or the columns, that the pipeline takes.
    keep : tuple of str or None
        The columns that the output repeats; None for all.
    """

    model: ModelOfJob
    kind: Kind | None = None
    files: tuple[InputFile, ...] = ()
    table: tuple[bytes, ...] = ()
    table_digest: str = ""
    column: str | tuple[str, ...]
    keep: tuple[str, ...] | None = None

    def pinned(self) -> dict[str, Any]:
        """Return inputs, model, and the options on which predictions depend."""
        model = self.model
        return {
            "input": [list(file) for file in self.files] or self.table_digest,
            "columns": self.column if isinstance(self.column, str) else list(self.column),
            "keep": None if self.keep is None else list(self.keep),
            "model": {"name": model.name, "revision": model.revision, "sha256": model.digest},
            "task": model.task,
            "call": dict(model.options),
        }

    def sources(self) -> Sequence[str]:
        """Return the names of the sources: a table of images or sounds is one, with a row a file."""
        if self.kind is None:
            return [f"piece {number} of the table" for number in range(1, len(self.table) + 1)]
        if self.kind in ("image", "audio"):
            return [f"{len(self.files):,} files"]
        return [file.address for file in self.files]

    def rows(self, source: int) -> Iterator[Row]:
        """Yield the rows of a source."""
        if self.kind in ("image", "audio"):
            yield from (self._row({FILE: file.address}, "") for file in self.files)
            return
        if self.kind is None:
            found = rows_of_table(self.table[source])
        else:
            found = rows_of_file(self.files[source].address, self.kind)
        for fields, error in found:
            yield self._row(fields, error)

    def open(self) -> PipelineModel:
        """Load the pipeline."""
        return PipelineModel(self.model)

    def _row(self, fields: dict[str, Any], error: str) -> Row:
        wanted = (self.column,) if isinstance(self.column, str) else self.column
        kept = fields
        if self.keep is not None:
            kept = {name: fields.get(name) for name in self.keep}
        elif self.kind not in ("image", "audio"):
            kept = {name: value for name, value in fields.items() if not _is_bulky(value)}
        missing = [name for name in wanted if name not in fields]
        if not error and missing:
            error = f"there is no column {', '.join(missing)}"
        if error:
            return Row(None, kept, error)
        values = sum(map(values_in, map(fields.get, wanted)))
        if isinstance(self.column, str):
            return Row(fields[self.column], kept, values=values)
        return Row({name: fields[name] for name in wanted}, kept, values=values)


class PipelineModel:
    """The pipeline of a model, in the process of a worker.

    Parameters
    ----------
    model : ModelOfJob

    Raises
    ------
    ValueError
        If the model's files are not those that the job was started with.
    """

    def __init__(self, model: ModelOfJob) -> None:
        from .loading import load_pipeline

        folder = folder_of_model(model.name, model.revision)
        check_digest(model.name, folder, model.digest)
        self._pipe = load_pipeline(folder, model.task, model.device)
        self._options = dict(model.options)
        self._kind = kind_of_inputs(model.task)

    def prepare(self, data: Any) -> Any:
        """Return what the pipeline takes."""
        return input_of(data, self._kind)

    def size(self, prepared: Any) -> int:
        """Return how many numbers or characters it holds."""
        return values_in(prepared)

    def answer(self, batch: list[Any]) -> list[Any]:
        """Return the results of a batch."""
        found = list(self._pipe(batch, batch_size=len(batch), **self._options))
        if len(found) != len(batch):
            raise ValueError(f"the pipeline gave {len(found)} results for {len(batch)} inputs")
        return found

    def cells(self, row: Row, result: Any) -> list[dict[str, Any]]:
        """Return the entries of a single answer as columns; everything else as the column ``prediction``."""
        if isinstance(result, list) and len(result) == 1 and isinstance(result[0], dict):
            result = result[0]
        if isinstance(result, dict) and all(isinstance(value, _SCALARS) for value in result.values()):
            return [dict(result)]
        return [{"prediction": result}]


def check_digest(name: str, folder: Path, expected: str) -> None:
    """Check that a model's files are those that the job was started with.

    Raises
    ------
    ValueError
        If a file differs.
    """
    if digest_of(folder) != expected:
        raise ValueError(f"the files of {name} in {folder} are not those that the job was started with")


def kind_of_inputs(task: str) -> str:
    """Return what transformers says that a task's pipeline takes, such as "text" or "image"."""
    from transformers.pipelines import PIPELINE_REGISTRY

    found: str = PIPELINE_REGISTRY.supported_tasks[task].get("type", "")
    return found


def _is_bulky(value: Any) -> bool:
    """Whether a value is the content of an image or a sound, which the output does not repeat."""
    return isinstance(value, bytes) or (isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes))
