"""Weights are read from safetensors alone, and files of the Hub's cache only if their hashes are right."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from huggingface_hub import is_offline_mode, try_to_load_from_cache

from .hashing import git_sha1, sha1, sha256

_HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_CONVERSION = "DISABLE_SAFETENSORS_CONVERSION"
_ADVICE = (
    "Only safetensors are read: files such as .bin are pickles, which can run any code when they are read. Ask the "
    "authors for safetensors, or convert them at https://huggingface.co/spaces/safetensors/convert"
)


class UnsafeWeightsError(OSError):
    """Weights are not offered as safetensors, or something else is asked for."""


class DamagedFileError(OSError):
    """A file in the Hub's cache has other content than the Hub said."""


def require_safetensors(files: Iterable[str], where: str) -> None:
    """Check that weights come from safetensors.

    Raises
    ------
    UnsafeWeightsError
        If a file is of another format; it names the file.
    """
    if unsafe := [file for file in files if not str(file).endswith(".safetensors")]:
        raise UnsafeWeightsError(f"{where} would be loaded from {', '.join(map(str, unsafe))}. {_ADVICE}")


def require_within(files: Iterable[str], folder: str | os.PathLike[str] | None) -> None:
    """Check that weights that are loaded from a local folder lie in it, as an index may name any file.

    Raises
    ------
    UnsafeWeightsError
        If a name leads out of the folder.
    """
    if folder is None or not os.path.isdir(folder):
        return
    if outside := [
        name for name in map(str, files) if os.pardir in Path(os.path.relpath(name, folder)).parts
    ]:
        raise UnsafeWeightsError(
            f"the index of {folder} names weights that are not in it: {', '.join(outside)}. They are not read: ask the "
            "authors for the model, or save it again"
        )


def require_sound_index(folder: Path) -> None:
    """Check the index of sharded weights in a folder, if it has an index.

    Raises
    ------
    DamagedFileError
        If it is no object with a `weight_map`, from names of weights to names of files, and `metadata`.
    """
    for index in sorted(folder.glob("*.safetensors.index.json")):
        try:
            content = json.loads(index.read_text("utf-8"))
            names = [*content["weight_map"].keys(), *content["weight_map"].values()]
            is_sound = all(isinstance(name, str) for name in names) and isinstance(content["metadata"], dict)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            is_sound = False
        if not is_sound:
            raise DamagedFileError(
                f"{index} is damaged: expected an object with metadata and a weight_map, from names of weights to "
                "names of files. Save the model again, or fetch it anew"
            )


def no_safetensors(where: str) -> UnsafeWeightsError:
    """Return the error for a place that has no safetensors."""
    return UnsafeWeightsError(f"{where} has no safetensors weights. {_ADVICE}")


def require_intact(files: Iterable[str]) -> None:
    """Compare files of the Hub's cache, and the configuration beside them, with the hashes the Hub stated.

    The client does not notice bytes that were changed on the way, but it names every file that it stores by the
    Hub's hash: the SHA-256 of large files, git's SHA-1 of small files (on some mirrors plain SHA-1). Files outside a
    cache are not looked at.

    Raises
    ------
    DamagedFileError
        If a file differs from its hash on the Hub. It has been deleted, so that the next call downloads it anew;
        offline it stays.
    """
    links = {path for file in files if (path := Path(file)).is_symlink()}
    links |= {path for folder in {link.parent for link in links} for path in folder.glob("*.json")}
    for link in sorted(links):
        blob = _blob_of(link)
        if blob is None or not _HASH.fullmatch(blob.name):
            continue
        found = sha256(blob) if len(blob.name) == 64 else git_sha1(blob)
        if found == blob.name or (len(blob.name) == 40 and sha1(blob) == blob.name):
            continue
        fate = "has been deleted" if _discarded(link, blob) else "stays where it is, as this is offline"
        raise DamagedFileError(
            f"{link.name} is not the file that the Hub states; it was damaged on the way and {fate}: "
            f"{link}\nexpected {blob.name}\n   found {found}\nTo repair it, load the model again with a "
            "connection: missing files are downloaded anew"
        )


def _blob_of(link: Path) -> Path | None:
    """Return the file that a link in a snapshot of the Hub's cache leads to; None for users' own files and links.

    A cache holds ``models--owner--name/snapshots/commit/file``, links to ``models--owner--name/blobs/hash``.
    """
    blob, place = link.resolve(), link.parent.resolve()
    is_own = blob.parent.name == "blobs" and place.is_relative_to(blob.parent.parent / "snapshots")
    return blob if is_own and link.is_symlink() else None


def _discarded(link: Path, blob: Path) -> bool:
    """Delete a damaged file of the cache, unless it could not be fetched anew; return whether it was."""
    if is_offline_mode():
        return False
    for path in (link, blob):
        path.unlink(missing_ok=True)  # another process may have found it too
    return True


@contextmanager
def without_conversion() -> Iterator[None]:
    """Keep transformers from having pickles on the Hub converted by a remote service, and from waiting for it."""
    with _loading.lock:
        _loading.count += 1
        if _loading.count == 1:
            _loading.before = os.environ.get(_CONVERSION)
            os.environ[_CONVERSION] = "1"
    try:
        yield
    finally:
        with _loading.lock:
            _loading.count -= 1
            if _loading.count == 0:
                os.environ.pop(_CONVERSION)
                if _loading.before is not None:
                    os.environ[_CONVERSION] = _loading.before


class _Loading:
    """How many threads load models, and the environment's setting before them."""

    lock = Lock()
    count = 0
    before: str | None = None


_loading = _Loading()


def require_intact_cache(repo_id: str, revision: str | None, cache_dir: Path | None) -> None:
    """Do as `require_intact` for the files of a repository in the cache that models are loaded from."""
    config = try_to_load_from_cache(repo_id, "config.json", cache_dir=cache_dir, revision=revision)
    if isinstance(config, str):
        require_intact([config, *map(str, Path(config).parent.glob("*.safetensors"))])
