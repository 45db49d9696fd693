"""Tell folders of sounds, images and videos, which the default training does not take, from folders of tables."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ..inputs.image_files import IMAGE_SUFFIXES
from ..tables.formats.names import FORMATS, UNSURE
from .errors import RecipeError

_OTHER_SOUNDS = (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wma")


def is_other_sound(file: Path) -> bool:
    """Tell whether a file is a sound that is no WAV file, by its name."""
    return file.suffix.lower() in _OTHER_SOUNDS


def check_no_media(folder: Path) -> None:
    """Check that a folder does not hold sounds, images or videos in place of tables.

    Parameters
    ----------
    folder : Path
        A folder, or anything else, which is not looked at.

    Raises
    ------
    RecipeError
        If it does, here or in the folders in it; the message says how to train on them.
    """
    if not folder.is_dir():
        return
    from .data.media.kinds import SOUNDS, VIDEOS

    here = _files_in([folder])
    files = here + _files_in(entry for entry in folder.iterdir() if entry.is_dir())
    endings = Counter(file.suffix.lower() for file in files)
    notes = sum(endings[suffix] for suffix in UNSURE)
    if endings.keys() & (FORMATS.keys() - {*UNSURE}) or 2 * notes > len(files):
        return
    if any(map(SOUNDS.includes, here)):
        raise RecipeError(
            f"{folder} holds WAV files without their labels: put them into a folder for each label, or name files and "
            "labels in a table, and train on that"
        )
    if found := list(filter(is_other_sound, files)):
        raise RecipeError(
            f"{folder} holds sounds that are no WAV files, such as {found[0].relative_to(folder)}: convert them, for "
            "example by ffmpeg -i FILE NEW.wav"
        )
    if endings.keys() & {*IMAGE_SUFFIXES}:
        raise RecipeError(
            f"{folder} holds images, on which a recipe with task: image-classification trains a model"
        )
    if any(map(VIDEOS.includes, files)):
        raise RecipeError(
            f"{folder} holds videos, on which a recipe with task: video-classification and a pretrained encoder trains "
            "a model"
        )


def _files_in(folders: Iterable[Path]) -> list[Path]:
    return sorted(
        entry
        for folder in folders
        for entry in folder.iterdir()
        if entry.is_file() and entry.name[0] not in "._"
    )
