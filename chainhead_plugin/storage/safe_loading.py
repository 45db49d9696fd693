"""Weights are read from safetensors alone, and files of the Hub's cache only if their hashes are right."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from huggingface_hub import try_to_load_from_cache

from .hashing import git_sha1, sha256

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
    if others := [file for file in files if not str(file).endswith(".safetensors")]:
        raise UnsafeWeightsError(f"{where} would be loaded from {', '.join(map(str, others))}. {_ADVICE}")


def no_safetensors(where: str) -> UnsafeWeightsError:
    """Return the error for a place that has no safetensors."""
    return UnsafeWeightsError(f"{where} has no safetensors weights. {_ADVICE}")


def require_intact(files: Iterable[str]) -> None:
    """Compare files of the Hub's cache, and the configuration beside them, with the hashes the Hub stated.

    The client does not notice bytes that were changed on the way, but it names every file that it stores by the
    Hub's hash: the SHA-256 of large files, git's SHA-1 of small ones. Files outside a cache are not looked at.

    Raises
    ------
    DamagedFileError
        If a file differs from its hash on the Hub. It has been deleted, so that the next call downloads it anew.
    """
    links = {path for file in files if (path := Path(file)).is_symlink()}
    links |= {path for folder in {link.parent for link in links} for path in folder.glob("*.json")}
    for link in sorted(links):
        stored = link.resolve()
        if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", stored.name):
            continue
        found = sha256(stored) if len(stored.name) == 64 else git_sha1(stored)
        if found != stored.name:
            for path in (link, stored):
                path.unlink(missing_ok=True)  # another process may have found it too
            raise DamagedFileError(
                f"{link.name} is not the file that the Hub states; it was damaged on the way and has been deleted: "
                f"{link}\nexpected {stored.name}\n   found {found}\nTo repair it, load the model again with a "
                "connection: missing files are downloaded anew"
            )


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
