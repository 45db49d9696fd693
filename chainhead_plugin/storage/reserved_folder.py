"""A folder that one process reserves for its work, until it ends."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


class FolderInUseError(OSError):
    """Another process works in the folder."""


@contextmanager
def reserved(folder: Path, lock_name: str) -> Iterator[None]:
    """Reserve a folder, made if it is missing, for this process.

    The lock ends with the process that holds it, even if that process is killed.

    Parameters
    ----------
    folder : Path
    lock_name : str
        Name of the file in the folder that is locked.

    Raises
    ------
    FolderInUseError
        If another process has reserved the folder.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / lock_name, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FolderInUseError(f"another process works in {folder}") from None
    try:
        yield
    finally:
        if not any(file.name != lock_name for file in folder.iterdir()):
            # If nothing was kept, all is as before, while no other process can take the lock.
            (folder / lock_name).unlink(missing_ok=True)
            with suppress(OSError):
                if is_new:
                    folder.rmdir()
        lock.release()
