"""Read labelled videos: of each file the frames that the recipe's encoder, and later the pipeline, takes."""

from collections import Counter
from dataclasses import replace
from typing import Any

from ....config.backbone import as_backbone_config
from ....config.backbone_input import frames_of
from ....inputs.video_files import Frames, read_clip
from ....tables.errors import counted, listed
from ...pretrained.encoder import load_encoder
from ...recipe import Recipe
from ..examples import Labelled
from ..file_options import FileOptions
from .faults import collected, raise_faults
from .finding import find_media
from .kinds import VIDEOS


def read_videos(recipe: Recipe, options: FileOptions) -> tuple[Labelled, Labelled | None]:
    """Read the videos of both parts.

    Parameters
    ----------
    recipe : Recipe
        For its encoder, which tells how many frames there have to be.
    options : FileOptions

    Returns
    -------
    training : Labelled
        Its inputs are uint8 arrays [frames, height, width, 3].
    test : Labelled or None
        None if the test part is to be drawn from the training videos.

    Raises
    ------
    RecipeError, TableError
        If a file is missing, or cannot be an example; the message names it.
    ModuleNotFoundError
        If PyAV is not installed.
    """
    spec = replace(options.spec, text=options.path)
    parts = [
        find_media(VIDEOS, locations, recipe.folder, spec, options.reading)
        for locations in (options.train, options.test)
        if locations is not None
    ]
    count = frames_of(as_backbone_config(load_encoder(recipe).config))
    assert count is not None
    frames = Frames(count, options.frame_sampling_rate)
    read = [read_found_videos(part, frames) for part in parts]
    return read[0], read[1] if len(read) > 1 else None


def read_found_videos(found: Labelled, frames: Frames) -> Labelled:
    """Read videos that were found.

    Parameters
    ----------
    found : Labelled
        Its inputs are paths, as `find_media` returns them.
    frames : Frames
        The frames that become an example.

    Raises
    ------
    RecipeError
        If files cannot be read, or have too few frames; the message names them all.
    ModuleNotFoundError
        If PyAV is not installed.
    """
    clips: list[Any] = []
    faults: dict[str, str] = {}
    for file, where in zip(found.inputs, found.places, strict=True):
        with collected(faults, where):
            clips.append(read_clip(file, where, frames))
    raise_faults(faults)

    sizes = {clip.shape[1:3] for clip in clips}
    shown = f"{'×'.join(map(str, sizes.pop()))} pixels" if len(sizes) == 1 else "of several sizes"
    which = f"the first {frames.span} frames"
    which = which if frames.sampling_rate == 1 else f"{frames.count} of {which}"
    kinds = listed(f"{name} {number}" for name, number in sorted(Counter(found.labels).items()))
    said = f"{counted(len(clips), 'video')}, {shown}, {which} of each; {found.said} ({kinds})"
    return replace(found, inputs=clips, said=said)
