"""Videos in files: the frames that transformers' pipeline takes of them, and nothing that would open another file."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks.packages import missing_package
from ..tables.errors import counted

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")
# As FFmpeg calls the containers of these files. Others are refused, as some of them are lists of further files to open.
_CONTAINERS = "mov,mp4,avi,matroska,webm"


@dataclass(frozen=True)
class Frames:
    """The frames that ``pipeline("video-classification")`` takes of a file, from its beginning on.

    Attributes
    ----------
    count : int
        How many.
    sampling_rate : int
        The pipeline's `frame_sampling_rate`: of about how many frames one is taken.
    """

    count: int
    sampling_rate: int = 1

    @property
    def span(self) -> int:
        """How many frames a file must have: the last of them is always taken."""
        return self.count * self.sampling_rate

    def places(self) -> NDArray[np.int64]:
        """Return the numbers of the frames in the file, from 0: int64 [count]."""
        return np.linspace(0, self.span - 1, num=self.count, dtype=np.int64)


def check_reader() -> None:
    """Check that PyAV is installed.

    Raises
    ------
    ModuleNotFoundError
        If it is not; the message says what to install.
    """
    if importlib.util.find_spec("av") is None:
        raise ModuleNotFoundError(missing_package("reading videos", "av", None))


def read_clip(file: Path, name: str, frames: Frames) -> NDArray[np.uint8]:
    """Read the frames of a video that ``pipeline("video-classification")`` takes, at the size of the file.

    Parameters
    ----------
    file : Path
    name : str
        What errors call it.
    frames : Frames

    Returns
    -------
    uint8 array [frames.count, height, width, 3]

    Raises
    ------
    ModuleNotFoundError
        If PyAV is not installed.
    OSError
        If the file cannot be opened.
    ValueError
        If it is no video, has too few frames, or frames of several sizes.
    """
    check_reader()
    import av

    # The file itself is handed over, as FFmpeg would take a name with a colon for a place in the net.
    with file.open("rb") as content:
        try:
            with av.open(content, options={"format_whitelist": _CONTAINERS}) as container:
                streams = len(container.streams.video)
                taken, total = _taken(container, frames) if streams else ([], 0)
        except (av.FFmpegError, OSError, ValueError) as error:  # of an empty file, not even FFmpeg's own
            raise ValueError(
                f"{name} is no video that can be read: expected {', '.join(VIDEO_SUFFIXES)}"
            ) from error

    if not streams:
        raise ValueError(f"{name} has no pictures, only sound or the like: expected a video")
    if total < frames.span:
        some = f", of which the model gets {frames.count}" if frames.sampling_rate > 1 else ""
        raise ValueError(f"{name} has {counted(total, 'frame')}, expected at least {frames.span}{some}")
    if len({frame.shape for frame in taken}) > 1:
        raise ValueError(f"{name} has frames of several sizes: convert it to a single size")
    return np.stack(taken)


def _taken(container: Any, frames: Frames) -> tuple[list[NDArray[np.uint8]], int]:
    """Return the frames that are taken, and how many were decoded: no more than are needed."""
    container.seek(0)
    places = set(frames.places().tolist())
    taken, total = [], 0
    for frame in container.decode(video=0):
        if total in places:
            taken.append(frame.to_ndarray(format="rgb24"))
        total += 1
        if total == frames.span:
            break
    return taken, total
