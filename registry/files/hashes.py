"""Compare files with the hashes that the Hub, its cache or a plugin states."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import CheckpointError, ChecksumError

_CHUNK = 1 << 20  # bytes


def verify(folder: Path, expected: Mapping[str, str], stated_by: str, repair: str) -> None:
    """Compare every file with its hash; what differs is deleted, so that it is not used again.

    Parameters
    ----------
    folder : Path
        A snapshot in the client's cache.
    expected : mapping
        For every file its SHA-256, or, as the Hub has it for files in git, its git SHA-1.
    stated_by : str
        Where the hashes come from, for messages.
    repair : str
        What to do about damage, for messages.

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
        is_git = len(wanted) == 40
        found = git_sha1(file) if is_git else sha256(file)
        if found != wanted.lower():
            _discard(file)
            kind = "git SHA-1" if is_git else "SHA-256"
            raise ChecksumError(
                f"{name} is not the file that {stated_by} states; it has been deleted: {file}\n"
                f"expected {kind} {wanted.lower()}\n   found {kind} {found}\n{repair}"
            )


def stated_by_cache(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the hashes that a cache states: it names what its links point to by their hashes."""
    stored = {name: (folder / name).resolve().name for name in names}
    return {name: stem for name, stem in stored.items() if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", stem)}


def _discard(file: Path) -> None:
    stored = file.resolve()
    file.unlink(missing_ok=True)  # another process may have found it too
    stored.unlink(missing_ok=True)


def sha256(content: Path | bytes) -> str:
    """Return the SHA-256 hex digest of a file, or of bytes."""
    return _hex_digest(hashlib.sha256(), content)


def git_sha1(content: Path | bytes) -> str:
    """Return the hex digest that git has for a file, or for bytes."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    return _hex_digest(hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), content)


def _hex_digest(digest: hashlib._Hash, content: Path | bytes) -> str:
    if isinstance(content, bytes):
        digest.update(content)
        return digest.hexdigest()
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
