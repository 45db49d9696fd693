"""Files and folders written whole: at every moment a reader finds either the old or the new content."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write a file to. The file takes the place of `path` in a single step, if nothing is raised."""
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    except OSError as error:
        # The error would name a hidden file that the user has never heard of.
        raise OSError(error.errno, error.strerror, str(target)) from error
    os.close(handle)
    new = Path(name)
    try:
        new.unlink()  # so that the writer makes it with the user's permissions
        yield new
        if target.exists():
            sync(new)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path to make a folder at, which takes the place of `path`, if nothing is raised.

    A folder that was at `path` is removed, with all that is in it; whether it may be is for the caller to check. It
    comes back if the new folder cannot take its place.
    """
    target = Path(path).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, for a rename within the same file system.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        yield new
        if not target.exists():
            new.rename(target)
            return
        target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            old.rename(target)
            raise


def sync(file: Path) -> None:
    """Wait until a file is on the disk: a power failure must not keep its name and lose its content."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
