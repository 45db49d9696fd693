"""Compare a file's first bytes with its format, and tell of which kind the file is if they do not agree."""

from ..errors import TableError
from .files import Source

_BEGIN = 512
# First bytes, the kind of file that begins with them, and advice for the user.
_TELLING: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "a Parquet file", "rename it to .parquet, or state the format, parquet"),
    (b"ARROW1", "a Feather file", "rename it to .feather, or state the format, feather"),
    (b"FEA1", "a Feather file", "rename it to .feather, or state the format, feather"),
    (b"\x93NUMPY", "an array of NumPy", "rename it to .npy, or state the format, npy"),
    (b"PK\x03\x04", "a zip archive, such as a workbook", "rename it to .xlsx, .npz or .zip, whichever it is"),
    (b"\x1f\x8b", "compressed by gzip", "rename it to end in .gz, as in table.csv.gz"),
    (b"BZh", "compressed by bzip2", "rename it to end in .bz2, as in table.csv.bz2"),
    (b"\xfd7zXZ", "compressed by xz", "rename it to end in .xz, as in table.csv.xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstandard", "rename it to end in .zst, as in table.csv.zst"),
    (b"\xd0\xcf\x11\xe0", "a workbook of old Excel", "save it as .xlsx or as .csv"),
    (b"%PDF", "a PDF document", "save the table or text that it shows as a file of its own"),
    (b"\x89HDF", "an HDF5 file", "save its table as Parquet or CSV, or its arrays as .npz"),
    (b"MATLAB 5.0 MAT-file", "a file of MATLAB", "save its table as CSV there, by writetable"),
    (b"SQLite format 3", "a database of SQLite", "save its table as CSV or Parquet"),
    (b"version https://git-lfs", "a pointer of Git LFS in place of a file", "fetch the file by git lfs pull"),
)
TEXT_FORMATS = ("lines", "document")
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<?xml")
_OWN = {
    "parquet": (b"PAR1",),
    "feather": (b"ARROW1", b"FEA1"),
    "npy": (b"\x93NUMPY",),
    "npz": (b"PK\x03\x04",),
    "excel": (b"PK\x03\x04",),
}


def check_content(source: Source, file_format: str) -> None:
    """Check that a file begins as files of its format do.

    Raises
    ------
    TableError
        If it is of another kind, or empty, as only texts may be; the message names the kind if it is known.
    """
    with source.open() as stream:
        begin = stream.read(_BEGIN)
    is_text = file_format in TEXT_FORMATS
    if not begin and not is_text:
        raise TableError(f"{source.name}: there is nothing in it")
    own = _OWN.get(file_format)
    if own is not None and begin.startswith(own):
        return
    for first, what, advice in _TELLING:
        if begin.startswith(first):
            raise TableError(f"{source.name} is {what}, not {_named(file_format)}: {advice}")
    if is_text:  # as a page of the web is, too
        return
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise TableError(
            f"{source.name} is a page of the web or of XML, not {_named(file_format)}, as a failed download leaves it: "
            "open it in a browser, and get the file itself"
        )
    if own is not None:
        hint = (
            "it is damaged"
            if b"\0" in begin
            else "it seems to be text: rename it to .csv, or state the format, csv"
        )
        raise TableError(f"{source.name} does not begin as {_named(file_format)} does: {hint}")


def _named(file_format: str) -> str:
    return {
        "csv": "a table in text",
        "excel": "an .xlsx workbook",
        "parquet": "a Parquet file",
        "feather": "a Feather file",
        "npy": "an array of NumPy",
        "npz": "a file of NumPy's arrays",
        "json": "JSON",
        "jsonl": "JSON lines",
        "ts": "a .ts file",
        "arff": "an .arff file",
        "lines": "lines of text",
        "document": "a text",
    }[file_format]
