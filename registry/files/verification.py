"""Compare files with the hashes that the Hub, its cache or a plugin states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import CheckpointError, ChecksumError
from .cache import discard, found_hash, stated_hash


def verify(folder: Path, expected: Mapping[str, str], stated_by: str, repair: str) -> None:
    """Compare every file with its hash; files that differ are deleted from the cache, so that they are not used again.

    Parameters
    ----------
    folder : Path
        A snapshot in the client's cache.
    expected : mapping
        For every file its SHA-256, or, as the Hub has it for files in git, its git SHA-1.
    stated_by : str
        Where the hashes come from, for messages.
    repair : str
        Advice about damage, for messages.

    Raises
    ------
    ChecksumError
        If a file has other content.
    CheckpointError
        If a file is missing.
    """
    for name, wanted in expected.items():
        file = folder / name
        if not file.is_file():
            raise CheckpointError(f"{file} is missing.\n{repair}")
        found = found_hash(file, wanted.lower())
        if found != wanted.lower():
            fate = "it has been deleted" if discard(file) else "it stays where it is"
            kind = "git SHA-1" if len(wanted) == 40 else "SHA-256"
            raise ChecksumError(
                f"{name} is not the file that {stated_by} states; {fate}: {file}\n"
                f"expected {kind} {wanted.lower()}\n   found {kind} {found}\n{repair}"
            )


def stated_by_cache(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the hashes that a cache states: it names the files that its links lead to by their hashes."""
    stated = {name: stated_hash(folder / name) for name in names}
    return {name: digest for name, digest in stated.items() if digest is not None}
