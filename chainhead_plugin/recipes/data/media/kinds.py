"""The kinds of files that are examples: sounds, images and videos, told by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....inputs.image_files import IMAGE_SUFFIXES
from ....inputs.video_files import VIDEO_SUFFIXES


@dataclass(frozen=True)
class FileKind:
    """A kind of files.

    Attributes
    ----------
    name : str
        In the singular, such as "image".
    suffixes : sequence of str
        The ends of their names, in small letters, the most usual first.
    or_else : str
        The end of the sentence on what is expected: other ways to state the examples.
    """

    name: str
    suffixes: Sequence[str]
    or_else: str

    def includes(self, file: Path) -> bool:
        """Tell whether a file is of this kind, by its name."""
        return file.suffix.lower() in self.suffixes


_TABLE = "a table with a column of paths and a column of labels"
IMAGES = FileKind("image", IMAGE_SUFFIXES, "an .npz file with x and y")
SOUNDS = FileKind("WAV file", (".wav", ".wave"), _TABLE)
VIDEOS = FileKind("video", VIDEO_SUFFIXES, _TABLE)
