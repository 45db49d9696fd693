"""Files of one kind in folders, the name of each folder the label of what is in it."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import RecipeError
from .kinds import FileKind


def find_labelled(locations: Any, folder: Path, kind: FileKind) -> tuple[list[Path], list[str]]:
    """Find the files of a kind.

    Parameters
    ----------
    locations : str, Path or list of them
        A folder with a folder for each label, such a folder of files, a pattern, or several of them.
    folder : Path
        The folder that relative locations start from.
    kind : FileKind

    Returns
    -------
    files : list of Path
    left_out : list of str
        The names of what else there is.

    Raises
    ------
    RecipeError
        If a location is missing, or has no file of the kind.
    """
    files: list[Path] = []
    for location in locations if isinstance(locations, list) else [locations]:
        if not (folder / location).exists() and not glob.has_magic(str(location)):
            raise RecipeError(
                f"there is no file or folder {location} in {folder.resolve()}, from which paths start"
            )
        found = _files_at(folder / location, kind)
        if not any(map(kind.includes, found)):
            raise RecipeError(
                f"there is no {kind.name} in {location}: expected a folder with a folder of {kind.name}s for each "
                f"label, a pattern such as {location}/*/*{kind.suffixes[0]}, or {kind.or_else}"
            )
        files += found
    wanted = [file for file in files if kind.includes(file)]
    return wanted, [place_of(file) for file in files if not kind.includes(file)]


def label_of(file: Path) -> str:
    """Return the name of the folder that holds a file."""
    return file.resolve().parent.name


def place_of(file: Path) -> str:
    """Return a file's name with that of its folder."""
    return f"{label_of(file)}/{file.name}"


def _files_at(path: Path, kind: FileKind) -> Sequence[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        return sorted(file for file in map(Path, glob.glob(str(path), recursive=True)) if file.is_file())
    entries = _visible(path)
    found = [entry for entry in entries if entry.is_file()]
    if any(map(kind.includes, found)):
        return found
    inner = [entry for entry in entries if entry.is_dir()]
    return found + [entry for one in inner for entry in _visible(one) if entry.is_file()]


def _visible(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.name[0] not in "._")
