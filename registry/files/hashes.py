"""The hashes by which files are known: SHA-256, git's SHA-1, and plain SHA-1."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK = 1 << 20  # bytes


def sha256(content: Path | bytes) -> str:
    """Return the SHA-256 hex digest of a file, or of bytes."""
    return _hex_digest(hashlib.sha256(), content)


def sha1(content: Path | bytes) -> str:
    """Return the plain SHA-1 hex digest of a file, or of bytes, by which some mirrors name files."""
    return _hex_digest(hashlib.sha1(usedforsecurity=False), content)


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
