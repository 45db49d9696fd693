"""The kinds of files that are pushed, known by their content and not by their names alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .cache import blob_of

_TABLES = {".csv", ".tsv"}
_TEXTS = {
    "",
    ".cfg",
    ".jinja",
    ".json",
    ".jsonl",
    ".md",
    ".py",
    ".svg",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
} | _TABLES
# The first bytes of files. A pickle begins with b"\\x80", a file of torch.save and every archive with b"PK".
_BEGINNINGS: Mapping[str, tuple[bytes, ...]] = {
    ".gif": (b"GIF87a", b"GIF89a"),
    ".jpeg": (b"\xff\xd8\xff",),
    ".jpg": (b"\xff\xd8\xff",),
    ".model": (b"\n",),  # SentencePiece
    ".onnx": (b"\x08",),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".webp": (b"RIFF",),
}
KNOWN = (
    ".safetensors, texts (JSON, YAML, Markdown, CSV and the like), pictures, .onnx and SentencePiece's .model"
)


def is_known_kind(file: Path) -> bool:
    """Whether a file is safetensors, or of the kind of its name: a text, a picture, an ONNX or SentencePiece model."""
    suffix = file.suffix.lower()
    if suffix == ".safetensors":
        return True  # whether they can be read is checked where they are gathered
    if suffix in _TEXTS:
        return _is_text(file)
    beginnings = _BEGINNINGS.get(suffix)
    if beginnings is None:
        return False
    with file.open("rb") as stream:
        return stream.read(16).startswith(beginnings)


def leads_elsewhere(file: Path, folder: Path) -> bool:
    """Whether a file in a folder is a link to something outside, that is not the Hub client's cache's own."""
    return not file.resolve().is_relative_to(folder.resolve()) and blob_of(file) is None


def _is_text(file: Path) -> bool:
    content = file.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
