"""Input files of a job, named by paths, patterns, folders and addresses that fsspec knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

Kind = Literal["parquet", "csv", "tsv", "jsonl", "text", "image", "audio"]

_SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".csv": "csv",
    ".tsv": "tsv",
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    ".txt": "text",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"), "image"),
    **dict.fromkeys((".wav", ".flac", ".mp3", ".ogg", ".m4a"), "audio"),
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_PATTERN = "*?["


class InputFile(NamedTuple):
    """A file of the input.

    Attributes
    ----------
    address : str
        An absolute path, or an address with its protocol.
    size : int
        In bytes.
    modified : str
        When it was written, or its tag in an object store; empty if the file system does not tell.
    """

    address: str
    size: int
    modified: str


def kind_of(address: str) -> Kind | None:
    """Return the kind of a file from its name, compressed or not; None if it is none of the known kinds."""
    name = PurePosixPath(address.lower())
    if name.suffix in _COMPRESSED:
        name = name.with_suffix("")
    return _SUFFIXES.get(name.suffix)


def input_files(paths: Sequence[str]) -> tuple[Kind, list[InputFile]]:
    """Return the files that paths name, and their kind.

    Parameters
    ----------
    paths : sequence of str
        Each a file, a folder that is searched with its sub-folders, or a pattern such as ``"s3://bucket/2024/*.csv"``.
        Hidden files, and those whose names begin with an underscore, are left out of folders.

    Raises
    ------
    FileNotFoundError
        If a path names no file.
    ValueError
        If the files are of several kinds, or of none that is known.
    """
    found: dict[str, InputFile] = {}
    for path in paths:
        files = _files_of(path)
        if not files:
            raise FileNotFoundError(f"{path} names no file")
        found |= {file.address: file for file in files}

    kinds: dict[Kind | None, str] = {}
    for address in found:
        kinds.setdefault(kind_of(address), address)
    if None in kinds:
        known = ", ".join(_SUFFIXES)
        raise ValueError(f"{kinds[None]} is of no known kind: expected a name that ends in {known}")
    if len(kinds) > 1:
        first, second = list(kinds.values())[:2]
        raise ValueError(f"{first} and {second} are of different kinds: predict one kind after the other")
    (kind,) = kinds
    assert kind is not None
    return kind, list(found.values())


def _files_of(path: str) -> list[InputFile]:
    from fsspec.core import url_to_fs

    files, place = url_to_fs(path)
    files.invalidate_cache()
    if any(sign in place for sign in _PATTERN) and not files.exists(place):
        details = files.glob(place, detail=True)
    elif files.isdir(place):
        details = {
            name: info for name, info in files.find(place, detail=True).items() if _is_shown(name, place)
        }
    else:
        details = {place: files.info(place)} if files.exists(place) else {}
    chosen = {name: info for name, info in details.items() if info["type"] == "file"}
    return [_input_file(files, name, chosen[name]) for name in sorted(chosen)]


def _is_shown(name: str, folder: str) -> bool:
    inner = PurePosixPath(name[len(folder) :])
    return not any(part.startswith((".", "_")) for part in inner.parts)


def _input_file(files: Any, name: str, info: dict[str, Any]) -> InputFile:
    told = next((info[key] for key in ("ETag", "etag", "md5Hash", "mtime", "created") if key in info), "")
    protocols = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    address = name if "file" in protocols else str(files.unstrip_protocol(name))
    return InputFile(address, int(info["size"]), str(told))
