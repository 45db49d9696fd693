"""Names that the Hub's client gives to files of its cache: a server states them, and they must not lead elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huggingface_hub import file_download

from ..errors import TransferError

_LONGEST = 200  # characters; file systems take 255 bytes
_LOCK = threading.Lock()
# Of the client: it answers a file's hash (its ETag) and commit, from headers or from a listing of the repository, and
# the client joins both to the path of its cache as they are.
_PLACE = "_get_metadata_or_catch_error"
_depth = 0
_of_client: Any = None


@contextmanager
def checked_names() -> Iterator[None]:
    """Within, the client refuses hashes and commits that are no names of files, before it writes anything.

    Raises
    ------
    TransferError
        If a server states such a name.
    """
    global _depth, _of_client  # noqa: PLW0603
    with _LOCK:
        if _depth == 0:
            _of_client = getattr(file_download, _PLACE)
            setattr(file_download, _PLACE, _checked)
        _depth += 1
    try:
        yield
    finally:
        with _LOCK:
            _depth -= 1
            if _depth == 0:
                setattr(file_download, _PLACE, _of_client)


def _checked(**arguments: Any) -> Any:
    answer = _of_client(**arguments)
    for name, kind in zip(answer[1:3], ("hash", "commit"), strict=True):
        if name is not None and not _is_name(name):
            raise TransferError(
                f"the Hub states {name!a:.80} as a {kind} of {arguments.get('filename')!a:.80}, which is no name"
            )
    return answer


def _is_name(stated: object) -> bool:
    # Mirrors may state hashes in base64, which has slashes: a folder within the cache is no harm.
    return (
        isinstance(stated, str)
        and 0 < len(stated) <= _LONGEST
        and stated.isprintable()
        and not set(stated) & {"\\", ":"}
        and not set(stated.split("/")) & {"", ".", ".."}
    )
