"""Reading a checkpoint while another program saves it: all files come from the same save, or they are read again."""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from .folder_lock import read_locked
from .safe_loading import DamagedFileError

T = TypeVar("T")

_SUFFIXES = (".json", ".safetensors")
_ATTEMPTS = 20
_PAUSE = 0.01  # seconds, longer with every attempt, for writers that know no locks


def read_whole(folder: Path, read: Callable[[], T]) -> T:
    """Return the result of a function that reads a folder, while the folder stayed as it was.

    The first attempt hinders no writer. From the second on, writers are asked to wait; those of this package do.

    Parameters
    ----------
    folder : Path
    read : callable
        Reads files of the folder; may be called several times.

    Raises
    ------
    OSError
        If the folder was changed within each of 20 attempts. An exception of `read` passes, if the folder stayed as it
        was; a `DamagedFileError` always does, as its file may have been deleted with it.
    """
    for attempt in range(_ATTEMPTS):
        if attempt > 1:
            time.sleep(attempt * _PAUSE)
        # Files that are seen while no program writes come from the same save. An attempt that finds them unchanged at
        # its end has read that save.
        with read_locked(folder) if attempt else nullcontext():
            with read_locked(folder):
                before = _state(folder)
            try:
                found = read()
            except DamagedFileError:
                raise
            except Exception:
                if _state(folder) == before:
                    raise
                continue
            if _state(folder) == before:
                return found
    raise OSError(
        f"{folder} was changed {_ATTEMPTS} times while it was read, each time before all of it was: let the program "
        "that saves there finish, or read a copy"
    )


def _state(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return by which file each name is held, and since when."""
    state: dict[str, tuple[int, ...]] = {}
    for entry in os.scandir(folder):
        if not entry.name.endswith(_SUFFIXES):
            continue
        try:
            found = entry.stat()
        except FileNotFoundError:  # a broken link, or deleted since
            continue
        state[entry.name] = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return state
