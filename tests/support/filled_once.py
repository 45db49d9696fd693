"""Folders of a cache that the first process that needs them fills, whole or not at all."""

import tempfile
from pathlib import Path


def filled_once(folder, fill):
    """Return a folder, filled by a function that gets the path of a new one, unless it is there already.

    Parameters
    ----------
    folder : Path
        Its parent exists.
    fill : callable
        Takes a path that does not exist yet, in the same file system, and makes a folder of it.
    """
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            filled = Path(temporary, "filled")
            fill(filled)
            try:
                filled.rename(folder)
            except OSError:  # another process was faster
                if not folder.exists():
                    raise
    return folder
