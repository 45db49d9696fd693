"""Check that an embedded checkpoint has the files that its plugin was released with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import CheckpointError, ChecksumError
from ..plugins.entry import ModelEntry
from .hashes import sha256


def verified_checkpoint(entry: ModelEntry, folder: Path, distribution: str) -> Path:
    """Return the folder of an embedded checkpoint, all of whose files are as pinned.

    Parameters
    ----------
    entry : ModelEntry
        The model.
    folder : Path
        Its embedded checkpoint.
    distribution : str
        The distribution to reinstall if a file is damaged.

    Raises
    ------
    ChecksumError
        If a file has other content.
    CheckpointError
        If a file is missing, or a file is there that does not belong.
    """
    repair = f"To repair it: pip install --force-reinstall --no-deps {distribution}"
    for name, expected in entry.files.items():
        file = folder / name
        if not file.is_file():
            raise CheckpointError(f"the checkpoint of {entry.name!r} has lost {file}.\n{repair}")
        found = sha256(file)
        if found != expected.lower():
            raise ChecksumError(
                f"the checkpoint of {entry.name!r} is damaged: {file}\n"
                f"expected SHA-256 {expected.lower()}\n   found SHA-256 {found}\n{repair}"
            )
    if extra := sorted(_loadable(folder) - entry.files.keys()):
        raise CheckpointError(
            f"the checkpoint of {entry.name!r} has files that are not its own in {folder}: "
            f"{', '.join(extra)}. Remove them: they could change the loaded model."
        )
    return folder


@contextmanager
def unchanged(entry: ModelEntry) -> Iterator[None]:
    """Check that no program replaces an embedded checkpoint's files within: the files that are loaded are verified.

    Raises
    ------
    CheckpointError
        If the files were replaced.
    """
    before = _held_by(entry)
    yield
    if _held_by(entry) != before:
        raise CheckpointError(
            f"the checkpoint of {entry.name!r} was changed while it was loaded, in {entry.path}: load it again"
        )


def _held_by(entry: ModelEntry) -> list[tuple[int, ...]]:
    """Return which files on the disk an embedded checkpoint consists of, and since when."""
    found: list[tuple[int, ...]] = []
    if entry.path is None:
        return found
    for name in entry.files:
        with suppress(FileNotFoundError):
            state = Path(entry.path, name).stat()
            found.append((state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
    return found


def _loadable(folder: Path) -> set[str]:
    """Names of the files that `from_pretrained` could read: it reads no hidden files and no Markdown."""
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".") and file.suffix != ".md"
    }
