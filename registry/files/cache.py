"""The Hub client's cache: which of its files may be judged, and which may be deleted."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import is_offline_mode

from .hashes import git_sha1, sha1, sha256

_HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def blob_of(file: Path) -> Path | None:
    """Return the file that a link in a snapshot leads to, if it leads into the cache's own ``blobs`` folder.

    A cache holds ``models--owner--name/snapshots/commit/file``, links to ``models--owner--name/blobs/hash``.
    """
    if not file.is_symlink():
        return None
    stored, place = file.resolve(), file.parent.resolve()
    blobs = stored.parent
    is_own = blobs.name == "blobs" and place.is_relative_to(blobs.parent / "snapshots")
    return stored if is_own else None


def stated_hash(file: Path) -> str | None:
    """Return the hash that a cache states of a file, by the name of its blob; None if it states none."""
    blob = blob_of(file)
    return blob.name if blob is not None and _HASH.fullmatch(blob.name) else None


def found_hash(file: Path, stated: str) -> str:
    """Return the hash of a file, of the kind of a stated hash, as far as the kind can be told.

    64 digits are the content's SHA-256. 40 are its SHA-1: git's, or the plain hash where a mirror names files by that.
    """
    if len(stated) == 64:
        return sha256(file)
    return stated if sha1(file) == stated else git_sha1(file)


def discard(file: Path) -> bool:
    """Delete a damaged file from the cache, so that it is fetched anew; return whether it was.

    Offline it stays, as it could not be fetched, and so does everything that is not the cache's own.
    """
    blob = blob_of(file)
    if blob is None or is_offline_mode():
        return False
    for path in (file, blob):
        path.unlink(missing_ok=True)  # another process may have found it too
    return True
