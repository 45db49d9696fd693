"""Checks, before anything is computed, of the places that users name for files and folders to write."""

import glob
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile


def check_file_place(file: Path) -> None:
    """Check that a file can be written; whether it may be overwritten is for the caller to check.

    Raises
    ------
    ValueError
        If there is a folder of this name, no folder to write it to, or no right to.
    """
    if file.is_dir():
        raise ValueError(f"cannot write {file}: it is a folder")
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"cannot write {file}: there is no folder {folder}")
    _check_takes_files(file, folder)


def check_is_no_input(file: Path, inputs: Iterable[Path]) -> None:
    """Check that a file to write is none of the files that are read, which it would replace.

    Parameters
    ----------
    file : Path
    inputs : iterable of Path
        Files, folders, whose files count, and patterns of file names.

    Raises
    ------
    ValueError
        If it is.
    """
    if not file.exists():
        return
    for one in inputs:
        found = map(Path, glob.glob(str(one), recursive=True)) if glob.has_magic(str(one)) else [one]
        for read in (one, *found):
            is_within = read.is_dir() and read.resolve() in file.resolve().parents
            if is_within or (read.is_file() and read.samefile(file)):
                raise ValueError(f"{file} is an input, which the output would replace: choose another name")


def check_folder_place(folder: Path) -> None:
    """Check that a folder is there, or can be made with those above it, and takes files.

    Raises
    ------
    ValueError
        If it is a file or below a file, or there is no right to write.
    """
    place = folder
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise ValueError(f"cannot write {folder}: {'it' if place == folder else place} is a file")
    _check_takes_files(folder, place)


def _check_takes_files(wanted: Path, folder: Path) -> None:
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"cannot write {wanted}: {folder} takes no files: {error.strerror}") from error


__all__ = ["check_file_place", "check_folder_place", "check_is_no_input"]
