"""Locks of a folder against readers and writers, as far as its file system and the other program know them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if os.name == "posix":
    import fcntl

# Installing a save takes milliseconds; a reader holds a folder only where it had to read again, and maybe for long.
_PATIENCE = 2.0  # seconds
_LOOK = 0.001


@contextmanager
def read_locked(folder: Path) -> Iterator[None]:
    """Keep writers from changing a folder for a moment, where they ask too.

    It is a courtesy, no promise: where the file system has no locks, or another program holds the folder for more than
    two seconds, the code within runs all the same.
    """
    with _locked(folder, exclusive=False):
        yield


@contextmanager
def write_locked(folder: Path) -> Iterator[None]:
    """Wait until no program reads or changes a folder, and keep other programs from it; a courtesy as `read_locked`."""
    with _locked(folder, exclusive=True):
        yield


@contextmanager
def _locked(folder: Path, *, exclusive: bool) -> Iterator[None]:
    if os.name != "posix":
        yield
        return
    # Of the folder itself: a lock file would have to be made, and a reader may not be able to.
    handle = os.open(folder, os.O_RDONLY)
    try:
        _acquire(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, operation: int) -> None:
    end = time.monotonic() + _PATIENCE
    while _is_held(handle, operation) and time.monotonic() < end:
        time.sleep(_LOOK)


def _is_held(handle: int, operation: int) -> bool:
    """Take a lock, where there are locks; return whether another program has it."""
    try:
        fcntl.flock(handle, operation)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False
