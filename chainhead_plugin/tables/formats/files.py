"""Find files by a path, a pattern or a folder, and open them, compressed or not."""

import functools
import glob
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from ...checks.json_values import json_value
from ..errors import TableError, listed, require
from .names import COMPRESSIONS, FORMATS, UNSURE, endings, natural, tables_among, tables_by_suffix

_MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "feather",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
}

Location = str | Path


@dataclass(frozen=True)
class Source:
    """One file, or one member of an archive.

    Attributes
    ----------
    name : str
        The file's name for messages.
    suffix : str
        The suffix that tells the format, in small letters, without that of a compression, such as ".csv".
    open : callable
        Opens the uncompressed bytes for reading; may be called again.
    stem : str
        The name without suffixes, which tells apart the series of a folder.
    parent : Path
        The folder that holds the file. For a member of an archive, the archive's path and the member's folder in it.
    folder : str
        That folder's name, if files of several folders side by side are read as one set; else "".
    """

    name: str
    suffix: str
    open: Callable[[], IO[bytes]]
    stem: str
    parent: Path = Path()
    folder: str = ""

    def format(self, stated: str | None = None) -> str:
        """Return the stated format, or else the format that the name and the first bytes tell.

        Raises
        ------
        TableError
            If it is unknown.
        """
        known = sorted(set(FORMATS.values()))
        if stated is not None:
            if stated not in known:
                raise TableError(f"there is no format {stated!r}, expected one of {', '.join(known)}")
            return stated
        if self.suffix in FORMATS:
            return FORMATS[self.suffix]
        with self.open() as stream:
            start = stream.read(64)
        if not start:
            raise TableError(f"{self.name}: there is nothing in it")
        for magic, found in _MAGIC.items():
            if start.startswith(magic):
                return found
        if not self.suffix and start:
            return self._json_format() if start.lstrip()[:1] in (b"[", b"{") else "csv"
        raise TableError(
            f"{self.name} is of an unknown format: expected one of {', '.join(FORMATS)}, also with "
            f"{', '.join(COMPRESSIONS)} behind it; or state the format"
        )

    def _json_format(self) -> str:
        """Return "jsonl" if the first of several lines is a complete value, else "json"."""
        with self.open() as stream:
            first, is_alone = stream.readline(), not any(line.strip() for line in stream)
        try:
            json_value(first)
        except ValueError:
            return "json"
        return "json" if is_alone else "jsonl"


def from_bytes(content: bytes, name: str) -> Source:
    """Return content that is in memory, such as standard input, as a source."""
    suffix = Path(name).suffix.lower() if name != "-" else ""
    return Source(name, suffix, lambda: io.BytesIO(content), Path(name).name.split(".")[0])


def find_sources(
    locations: Location | Sequence[Location], folder: Path | None = None, unsure: Sequence[str] = UNSURE
) -> tuple[list[Source], list[str]]:
    """Find files.

    Parameters
    ----------
    locations : str, Path, or a sequence of them
        A file, a folder, which may hold folders of files side by side, or a pattern such as `runs/*.csv`.
    folder : Path, optional
        The folder that relative locations start from.
    unsure : sequence of str
        Suffixes of tables with which a folder's or an archive's files are left out where as many have others.

    Returns
    -------
    sources : list of Source
        Those of a folder or pattern are sorted by name, with numbers by their value: series2 before series10.
    notes : list of str
        Sentences about files that were left out because they are no tables.

    Raises
    ------
    TableError
        If a location has no files, or there is no location.
    """
    wanted = [locations] if isinstance(locations, str | Path) else list(locations)
    if not wanted:
        raise TableError("there is no file to read: the list is empty")
    sources: list[Source] = []
    notes: list[str] = []
    for location in wanted:
        path = Path(location) if folder is None else folder / location
        if path.is_dir():
            files, left_out = _files_in(path, unsure)
            if left_out:
                notes.append(f"left out {listed(left_out)}")
        elif path.is_file():
            files = [path]
        elif any(character in str(location) for character in "*?["):
            files = sorted((Path(found) for found in glob.glob(str(path), recursive=True)), key=natural)
            files = [file for file in files if file.is_file()]
            if not files:
                raise TableError(f"no file is called {path}")
        else:
            raise TableError(f"there is no file {path}")
        for file in files:
            found, others = _sources_of(file, unsure)
            sources += found
            notes += [f"left out {listed(others)} in {file.name}"] if others else []
    return _side_by_side(sources), notes


def _files_in(folder: Path, unsure: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the tables of a folder, or else of the folders in it, and the names of everything that is left out."""
    entries = _visible(folder)
    here = tables_among([entry for entry in entries if entry.is_file()], unsure)
    files: list[Path] = []
    inner_names: list[str] = []
    for inner in (entry for entry in entries if entry.is_dir()):
        found = _visible(inner)
        tables = tables_among([entry for entry in found if entry.is_file()], unsure)
        files += tables
        inner_names += [f"{inner.name}/{entry.name}" for entry in found if entry not in tables]
    # A few notes beside folders of tables are not the tables.
    if here and (len(here) >= len(files) or any(endings(entry)[0] not in unsure for entry in here)):
        return here, [entry.name for entry in entries if entry not in here]
    left_out = [entry.name for entry in entries if not entry.is_dir()] + inner_names
    if not files:
        raise TableError(
            f"folder {folder} holds no table, and neither do the folders in it: expected files that end in "
            f"{', '.join(FORMATS)}"
        )
    return files, left_out


def _visible(folder: Path) -> list[Path]:
    return [entry for entry in sorted(folder.iterdir(), key=natural) if entry.name[0] not in "._"]


def _side_by_side(sources: list[Source]) -> list[Source]:
    """Give files their folder's name, if they are from several folders that are side by side."""
    folders = {source.parent for source in sources}
    if len(folders) < 2 or len({folder.parent for folder in folders}) > 1:
        return sources
    return [
        replace(
            source,
            folder=source.parent.name,
            name=f"{source.parent.name}/{Path(source.name).name}",
            stem=f"{source.parent.name}/{source.stem}",
        )
        for source in sources
    ]


def _sources_of(path: Path, unsure: Sequence[str]) -> tuple[list[Source], list[str]]:
    """Return a file, or the tables of an archive and the names of its other members."""
    suffix, compression, stem = endings(path)
    if compression == ".zip":
        return _members(path, unsure)
    return [Source(path.name, suffix, functools.partial(_open, path, compression), stem, path.parent)], []


def _open(path: Path, compression: str) -> IO[bytes]:
    if not compression:
        return path.open("rb")
    if compression in (".zst", ".zstd"):
        return _open_zstandard(path)
    return cast(IO[bytes], COMPRESSIONS[compression](path, "rb"))


def _open_zstandard(path: Path) -> IO[bytes]:
    try:
        zstandard = require("zstandard", "zstandard", path.name)
    except TableError:
        pyarrow = require("pyarrow", "zstandard", path.name)
        return cast(IO[bytes], io.BufferedReader(pyarrow.input_stream(str(path), compression="zstd")))
    return cast(IO[bytes], zstandard.open(path, "rb"))


def _members(path: Path, unsure: Sequence[str]) -> tuple[list[Source], list[str]]:
    """Return the tables of an archive and the names of its other members; all members, if no name is a table's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise TableError(f"{path.name} is no zip archive: {error}") from error
    names = [name for name in names if not Path(name).name.startswith((".", "_")) and "__MACOSX" not in name]
    if not names:
        raise TableError(f"{path.name} is an empty archive")
    tables = tables_by_suffix({name: Path(name).suffix.lower() for name in names}, unsure)
    others = [name for name in names if name not in tables] if tables else []
    names = tables or names

    def opener(member: str) -> IO[bytes]:
        archive = zipfile.ZipFile(path)
        try:
            stream = archive.open(member)
        finally:
            archive.close()  # the open member keeps the file
        return stream

    found = [
        Source(
            f"{path.name}/{name}" if len(names) > 1 else path.name,
            Path(name).suffix.lower(),
            functools.partial(opener, name),
            Path(name).stem,
            path / Path(name).parent,
        )
        for name in sorted(names, key=lambda name: natural(Path(name)))
    ]
    return found, others
