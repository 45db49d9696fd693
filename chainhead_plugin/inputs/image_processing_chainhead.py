"""Image processor of the chainhead models: resize, convert to grey where wanted, rescale."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers.image_processing_backends import TorchvisionBackend
from transformers.image_utils import PILImageResampling
from transformers.processing_utils import ImagesKwargs

from ..config.configuration_chainhead import ChainHeadConfig
from ..config.images import height_and_width
from ..storage.code_origin import AutoClassMixin


class ChainHeadImageProcessorKwargs(ImagesKwargs, total=False):  # type: ignore[call-arg]
    """Options beside those of every image processor.

    do_grayscale : bool
        Whether images of any kind become grey images, of one channel.
    """

    do_grayscale: bool


class ChainHeadImageProcessor(AutoClassMixin, TorchvisionBackend):
    """Images of any size and kind to `pixel_values` [batch, channels, height, width].

    Without options: resized to 224×224, RGB, scaled to [-1, 1]. Pipelines turn grey images into RGB before
    any processor sees them: `do_grayscale` turns them back.
    """

    valid_kwargs = ChainHeadImageProcessorKwargs
    resample = PILImageResampling.BILINEAR
    image_mean = 0.5
    image_std = 0.5
    size = {"height": 224, "width": 224}  # noqa: RUF012 (copied by transformers)
    do_resize = True
    do_rescale = True
    do_normalize = True
    do_convert_rgb = True
    do_grayscale = False

    @classmethod
    def from_dict(cls, image_processor_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a processor from the fields of a file, if the file is an image processor's.

        Raises
        ------
        ValueError
            If it is a feature extractor's, as in the folder of a model of series.
        """
        stated = image_processor_dict if isinstance(image_processor_dict, dict) else {}  # files hold anything
        other = stated.get("feature_extractor_type")
        if other is not None and "image_processor_type" not in stated:
            raise ValueError(f"this model has a {other}, no image processor: use AutoFeatureExtractor")
        return super().from_dict(image_processor_dict, **kwargs)

    @classmethod
    def for_config(cls, config: ChainHeadConfig, **options: Any) -> "ChainHeadImageProcessor":
        """Return a processor for a model without a backbone.

        Raises
        ------
        ValueError
            If the configuration has no `image_size`, or other channels than 1 or 3.
        """
        if config.image_size is None or config.image_channels not in (1, 3):
            raise ValueError(
                f"image_size={config.image_size} and num_channels={config.num_channels} do not say what images "
                "become: make the processor with size=…, or take the backbone's own"
            )
        height, width = height_and_width(config.image_size)
        size = {"height": height, "width": width}
        return cls(**{"size": size, "do_grayscale": config.image_channels == 1, **options})

    def process_image(self, image: Any, do_convert_rgb: bool | None = None, **kwargs: Any) -> Tensor:
        """Return an image as a tensor [channels, height, width].

        Raises
        ------
        ValueError
            If it has more than 8 bits a pixel and uses them, which Pillow would clip; or if an array has an alpha
            channel and no pixels of 8 bits.
        """
        if isinstance(image, Image.Image):
            if do_convert_rgb:
                _check_depth(image)
            picture: Tensor = super().process_image(image, do_convert_rgb=do_convert_rgb, **kwargs)
            return picture
        # transformers blends other numbers in ways that depend on their type and its version.
        is_bytes = image.dtype in (np.uint8, torch.uint8)
        pixels: Tensor = super().process_image(image, do_convert_rgb=do_convert_rgb and is_bytes, **kwargs)
        if do_convert_rgb and pixels.size(0) == 4:
            raise ValueError(
                f"an image with an alpha channel has pixels of {pixels.dtype}, expected uint8: convert it, or "
                "leave the channel out"
            )
        return pixels.expand(3, -1, -1) if do_convert_rgb and pixels.size(0) == 1 else pixels

    def _preprocess(
        self, images: list[Tensor], *args: Any, do_grayscale: bool | None = None, **kwargs: Any
    ) -> Any:
        factor = kwargs["rescale_factor"] if kwargs["do_rescale"] else None
        for index, pixels in enumerate(images):
            _check_pixels(pixels, index, 1 / factor if factor else None)
        if do_grayscale:
            images = [_to_grey(pixels) for pixels in images]
        return super()._preprocess(images, *args, **kwargs)


def _check_depth(image: Image.Image) -> None:
    """Check that Pillow can convert an image to 8 bits a pixel without loss."""
    if image.mode[0] in "IF" and min(image.size):
        extrema: Any = image.getextrema()
        low, high = extrema
        if not 0 <= low <= high <= 255:
            raise ValueError(
                f"an image of mode {image.mode} has pixels from {low:g} to {high:g}, which would be clipped to 0 to "
                "255: scale it to 8 bits first"
            )


def _check_pixels(pixels: Tensor, index: int, largest: float | None) -> None:
    """Check an image [channels, height, width], whose pixels go up to `largest`, if that is known."""
    if pixels.numel() == 0:
        raise ValueError(
            f"image {index} has no pixels: it has {list(pixels.shape)} channels, rows and columns"
        )
    if pixels.dtype == torch.uint8:
        return
    if pixels.is_complex() or pixels.dtype == torch.bool:
        raise TypeError(
            f"image {index} has pixels of {pixels.dtype}, expected integers or floats: convert it first"
        )
    # Not all of torch's integers have a minimum.
    low, high = (pixels if pixels.is_floating_point() else pixels.double()).aminmax()
    if not (low.isfinite() and high.isfinite()):
        raise ValueError(f"image {index} has pixels that are NaN or infinite, expected finite numbers")
    if largest is not None and not (low >= 0 and high <= largest * (1 + 1e-6)):
        raise ValueError(
            f"image {index} has pixels from {low:g} to {high:g}, expected 0 to {largest:g}: scale them, or pass "
            "do_rescale=False if they are scaled already"
        )


def _to_grey(pixels: Tensor) -> Tensor:
    """Return the luma [1, height, width] of an RGB image (ITU-R BT.601, rounded as Pillow does)."""
    if pixels.size(0) == 1:
        return pixels
    # torchvision's weights add up to less than 1, and would darken images that are grey already.
    weights = torch.tensor([19595, 38470, 7471], device=pixels.device) / 2**16
    grey = (pixels * weights[:, None, None]).sum(0, keepdim=True)
    return (grey if pixels.is_floating_point() else grey.round()).to(pixels.dtype)


__all__ = ["ChainHeadImageProcessor"]
