"""The work of a job on a cluster: the records of a user's files, answered as in one process."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from registry.jobs.model_files import digest_of
from registry.jobs.pipelines import check_digest
from registry.jobs.work import Row

from .find_model import FoundModel, find_model
from .json_lines import holds_sequences_in_lines, records_of_lines
from .media import media_files, read_medium
from .pipeline import load_pipeline
from .records import read_records
from .wanted import MEDIA, Record, Wanted


@dataclass(frozen=True, kw_only=True)
class AnsweringWork:
    """Predictions for files, as `chainhead predict` makes them.

    Attributes
    ----------
    name : str
        The model's name, or its absolute folder.
    revision, device : str or None
    digest : str
        Of the model's files.
    files : tuple of str
        Files, folders or patterns, as the user names them.
    home : str
        The folder that relative names start from.
    wanted : Wanted
        How to read them.
    call : mapping
        The user's options of the pipeline's call.
    as_lines : bool
        Whether a result is an object for JSON, and not rows of a table.
    """

    name: str
    revision: str | None
    device: str | None
    digest: str
    files: tuple[str, ...]
    home: str
    wanted: Wanted
    call: Mapping[str, Any] = field(default_factory=dict)
    as_lines: bool = False

    @property
    def _of_media(self) -> bool:
        return self.wanted.kind in MEDIA

    def _records(self, place: Path) -> Iterator[Record]:
        if self._of_media:
            return media_files(place, self.wanted.kind)
        wanted = replace(self.wanted, tell_errors=True)
        if holds_sequences_in_lines(place, wanted):
            return records_of_lines(place, wanted)
        return read_records(place, wanted)

    def _as_named(self, name: str, file: Path) -> str:
        """Return a file of a folder or pattern as it is called where the user is."""
        return str(file if Path(name).is_absolute() else file.relative_to(self.home))

    @classmethod
    def of_model(cls, model: FoundModel, name: str, files: Sequence[Path], **options: Any) -> AnsweringWork:
        """Return the work of a model that has been found, for files that are there."""
        if Path(name) == model.folder:
            name = str(model.folder.absolute())
        return cls(
            name=name,
            digest=digest_of(model.folder),
            files=tuple(map(str, files)),
            home=str(Path.cwd()),
            **options,
        )

    def pinned(self) -> dict[str, Any]:
        """Return inputs, model, and the options on which predictions depend."""
        return {
            "input": [fact for file in self.files for fact in _facts(file, Path(self.home, file))],
            "reading": repr(self.wanted),
            "model": {"name": self.name, "revision": self.revision, "sha256": self.digest},
            "device": self.device,
            "call": dict(self.call),
        }

    def sources(self) -> Sequence[str]:
        """Return the files as the user names them; all images, sounds or videos are one source."""
        return [", ".join(self.files[:3])] if self._of_media else self.files

    def rows(self, source: int) -> Iterator[Row]:
        """Yield the records of a source; images, sounds and videos are read when they are predicted."""
        for name in self.files if self._of_media else (self.files[source],):
            place = Path(self.home, name)
            for record in self._records(place):
                fields = dict(record.fields)
                if self._of_media and "file" in fields:
                    fields["file"] = self._as_named(name, record.data)
                if len(self.files) > 1:
                    fields = {"file": name} | fields
                yield Row(None if record.error else record, fields, record.error, _values(record.data))

    def open(self) -> AnsweringModel:
        """Load the model's pipeline."""
        return AnsweringModel(self)


class AnsweringModel:
    """The pipeline of a model, in the process of a worker.

    Parameters
    ----------
    work : AnsweringWork

    Raises
    ------
    ValueError
        If the model cannot be loaded, or its files are not those that the job was started with.
    """

    def __init__(self, work: AnsweringWork) -> None:
        model = find_model(work.name, work.revision)
        check_digest(work.name, model.folder, work.digest)
        self._work, self._answers = work, model.answers
        self._pipe = load_pipeline(model, work.device)
        self._options = self._answers.run_options(self._pipe) | dict(work.call)

    def prepare(self, data: Record) -> Any:
        """Return what the pipeline takes."""
        return read_medium(data.data, self._work.wanted) if isinstance(data.data, Path) else data.data

    def size(self, prepared: Any) -> int:
        """Return how many numbers or characters an input holds."""
        return _values(prepared)

    def answer(self, batch: list[Any]) -> list[Any]:
        """Return the results of a batch."""
        return list(self._pipe(batch, batch_size=len(batch), **self._options))

    def cells(self, row: Row, result: Any) -> list[dict[str, Any]]:
        """Return a result as `chainhead predict --output` writes it."""
        if self._work.as_lines:
            return [self._answers.fields(row.data, result)]
        return self._answers.cells(row.data, result)


def _values(data: Any) -> int:
    if isinstance(data, str):
        return len(data)
    if isinstance(data, Image.Image):
        return data.width * data.height * len(data.getbands())
    size = getattr(getattr(data, "nodes", data), "size", 0)
    return size if isinstance(size, int) else 0


def _facts(name: str, place: Path) -> list[list[Any]]:
    """Return the names, sizes and times of all files behind a name."""
    if place.is_file():
        found = [place]
    else:
        inside = place.rglob("*") if place.is_dir() else map(Path, glob.glob(str(place), recursive=True))
        found = sorted(file for file in inside if file.is_file())
    facts = ((file, file.stat()) for file in found)
    return [[name, str(file), state.st_size, state.st_mtime_ns] for file, state in facts]
