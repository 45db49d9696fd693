"""How the image processor of an encoder of videos takes the frames of videos: as transformers' pipeline calls it."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoImageProcessor

from ..errors import RecipeError
from .sizes import check_one_size


def load_processor(folder: Path) -> Any:
    """Load the image processor in an encoder's folder.

    Raises
    ------
    ValueError
        If there is none: a video processor would take other frames of a file than those that recipes read.
    """
    try:
        return AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            "it has no image processor (preprocessor_config.json). A video processor alone, as V-JEPA 2 and VideoPrism "
            "have it, spreads the frames that it takes over a whole file, and needs torchcodec: use such encoders from "
            f"Python, by ChainHeadForVideoClassification.from_backbone ({error})"
        ) from error


def clip_batch(processor: Any) -> Callable[[Sequence[NDArray[Any]]], dict[str, Tensor]]:
    """Return a function that turns videos, uint8 [frames, height, width, 3], into an encoder's inputs by name.

    It raises a ValueError if the processor takes no videos, or makes videos of several sizes.
    """

    def batch(clips: Sequence[NDArray[Any]]) -> dict[str, Tensor]:
        # One by one, as in the pipeline, so that a video does not depend on those beside it.
        made = [_pixels(processor, clip) for clip in clips]
        check_one_size("videos", (pixels.shape for pixels in made))
        return {"pixel_values": torch.cat(made)}

    return batch


def check_clips(processor: Any, clips: Iterable[NDArray[Any]]) -> None:
    """Check that a processor makes videos of one size of all these videos.

    Raises
    ------
    RecipeError
        If it does not, or takes no videos.
    """
    of_each_size = {clip.shape: clip for clip in clips}
    try:
        check_one_size("videos", (_pixels(processor, clip).shape for clip in of_each_size.values()))
    except ValueError as error:
        raise RecipeError(f"encoder: {error}") from error


def _pixels(processor: Any, clip: NDArray[Any]) -> Tensor:
    """Return a video as the encoder takes it: [1, frames, channels, height, width]."""
    pixels: Tensor = processor(list(clip), return_tensors="pt")["pixel_values"]
    if pixels.ndim != 5:
        raise ValueError(
            f"its image processor, a {type(processor).__name__}, takes images alone: save that of an encoder of videos "
            "beside it, such as VideoMAEImageProcessor"
        )
    return pixels
