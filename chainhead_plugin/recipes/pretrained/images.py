"""How the image processor of an encoder takes images."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..errors import RecipeError
from .sizes import check_one_size


def image_batch(processor: Any, channels: int | None = None) -> Callable[[Sequence[Any]], dict[str, Tensor]]:
    """Return a function that turns images into a model's inputs.

    Parameters
    ----------
    processor : image processor
    channels : int, optional
        The channels of the model's backbone: with 3, grey images are repeated, as pipelines do it.
    """

    def batch(images: Sequence[Any]) -> dict[str, Tensor]:
        pixels = [image[:, :, np.newaxis] if image.ndim == 2 else image for image in images]
        if channels == 3:
            pixels = [np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image for image in pixels]
        return dict(processor(pixels, return_tensors="pt", input_data_format="channels_last"))

    return batch


def check_images(processor: Any, channels: int, images: Iterable[NDArray[Any]]) -> None:
    """Check that a processor makes images of one size of all these images.

    Raises
    ------
    RecipeError
        If it does not.
    """
    batch = image_batch(processor, channels)
    of_each_size = {image.shape: image for image in images}
    try:
        check_one_size("images", (batch([image])["pixel_values"].shape for image in of_each_size.values()))
    except ValueError as error:
        raise RecipeError(f"encoder: {error}") from error
