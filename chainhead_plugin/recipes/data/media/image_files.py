"""Folders of images, the name of each folder the label of what is in it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....inputs.image_files import read_image
from ....tables.errors import listed
from ...errors import RecipeError
from ..examples import Labelled
from .kinds import IMAGES
from .label_folders import find_labelled, label_of, place_of

# Of Pillow: black and white, and grey of eight bits; and more bits a pixel than a model is given.
_GREY = ("1", "L")
_MORE_BITS = ("I", "F")


def read_image_files(
    locations: Any,
    folder: Path | None = None,
    channels: int | None = None,
    size: Sequence[int] | None = None,
    *,
    resized: bool = False,
) -> Labelled:
    """Read images, turned upright as their cameras say.

    Parameters
    ----------
    locations : str or list of str
        A folder with a folder for each label, such a folder of images, a pattern, or several of them.
    folder : Path, optional
        What relative locations are relative to.
    channels : int, optional
        1 for grey or 3 for colours; by default 3 if any of the images has colours.
    size : sequence of two int, optional
        Height and width of what they will be resized to; without it they have to be of one size, unless they are
        `resized`.
    resized : bool
        Whether the model's own image processor resizes them.

    Raises
    ------
    RecipeError
        If there is no image, a file cannot be read or has more than 8 bits a channel, or sizes differ without `size`.
    """
    from PIL import ImageOps

    files, left_out = find_labelled(locations, folder or Path(), IMAGES)
    images = []
    for file in files:
        try:
            image = read_image(file.read_bytes(), place_of(file))
        except (OSError, ValueError) as error:
            raise RecipeError(str(error)) from error
        if image.mode.startswith(_MORE_BITS):
            raise RecipeError(
                f"{place_of(file)} has more than 8 bits a pixel: save it as grey or colours of 8 bits"
            )
        images.append(ImageOps.exif_transpose(image))
    if channels is None:
        channels = 1 if all(image.mode in _GREY for image in images) else 3
    pixels = [np.array(image.convert("L" if channels == 1 else "RGB")) for image in images]
    if size is None and not resized:
        _check_one_size(pixels, files)
    labels = [label_of(file) for file in files]
    return Labelled(
        inputs=pixels,
        labels=labels,
        places=[place_of(file) for file in files],
        said=_said(pixels, labels, left_out, size),
    )


def channels_of(image: NDArray[np.uint8]) -> int:
    """Return how many channels an image [height, width] or [height, width, channels] has."""
    return 1 if image.ndim == 2 else image.shape[2]


def _check_one_size(pixels: Sequence[NDArray[np.uint8]], files: Sequence[Path]) -> None:
    height, width = pixels[0].shape[:2]
    for image, file in zip(pixels, files, strict=True):
        if image.shape[:2] != (height, width):
            raise RecipeError(
                f"{place_of(file)} has {image.shape[0]}×{image.shape[1]} pixels, but {place_of(files[0])} has "
                f"{height}×{width}: state what images are to be resized to, such as size: [32, 32], height and width"
            )


def _said(
    pixels: Sequence[NDArray[np.uint8]],
    labels: Sequence[str],
    left_out: Sequence[str],
    size: Sequence[int] | None,
) -> str:
    colours = "grey" if channels_of(pixels[0]) == 1 else "in colours"
    sizes = {image.shape[:2] for image in pixels} if size is None else {tuple(size)}
    shown = f"{'×'.join(map(str, sizes.pop()))} pixels" if len(sizes) == 1 else "of several sizes"
    kinds = listed(f"{name} {count}" for name, count in sorted(Counter(labels).items()))
    resized = "resized to " if size else ""
    said = f"{len(pixels)} images, {colours}, {resized}{shown}; label by folder ({kinds})"
    return said + (f"; left out {listed(left_out)}" if left_out else "")
