"""The hashes by which files are known: SHA-256, git's SHA-1, and plain SHA-1.

The host has the same functions. The code that a checkpoint carries cannot import the host, which may be missing.
"""

import hashlib
from pathlib import Path

_CHUNK = 1 << 20  # bytes


def sha256(content: Path | bytes) -> str:
    """Return the SHA-256 of a file, or of bytes, in hexadecimal digits."""
    return _digits(hashlib.sha256(), content)


def sha1(content: Path | bytes) -> str:
    """Return the plain SHA-1 of a file, or of bytes, in hexadecimal digits: some mirrors name files by it."""
    return _digits(hashlib.sha1(usedforsecurity=False), content)


def git_sha1(content: Path | bytes) -> str:
    """Return the SHA-1 by which git knows a file, or bytes, in hexadecimal digits."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    return _digits(hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), content)


def _digits(digest: "hashlib._Hash", content: Path | bytes) -> str:
    if isinstance(content, bytes):
        digest.update(content)
        return digest.hexdigest()
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
