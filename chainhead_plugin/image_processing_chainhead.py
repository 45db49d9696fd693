"""Image processor of the chainhead models: resize, to grey where wanted, scale."""

from typing import Any

import torch
from torch import Tensor
from transformers.image_processing_backends import TorchvisionBackend
from transformers.image_utils import PILImageResampling
from transformers.processing_utils import ImagesKwargs

from .configuration_chainhead import ChainHeadConfig
from .image_options import height_and_width


class ChainHeadImageProcessorKwargs(ImagesKwargs, total=False):  # type: ignore[call-arg]
    """Options beside those of every image processor.

    do_grayscale : bool
        Whether images of any kind become grey ones, of one channel.
    """

    do_grayscale: bool


class ChainHeadImageProcessor(TorchvisionBackend):
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
    def for_config(cls, config: ChainHeadConfig, **options: Any) -> "ChainHeadImageProcessor":
        """Return a processor that makes what a model without a backbone takes.

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

    def process_image(self, image: Any, do_grayscale: bool | None = None, **kwargs: Any) -> Tensor:
        """Return one image as a tensor [channels, height, width]."""
        pixels: Tensor = super().process_image(image, **kwargs)
        return _to_grey(pixels) if do_grayscale else pixels


def _to_grey(pixels: Tensor) -> Tensor:
    """Return the luma [1, height, width] of an RGB image (ITU-R BT.601, rounded as Pillow does)."""
    if pixels.size(0) == 1:
        return pixels
    # torchvision's weights add up to less than one, and would darken images that are grey already.
    weights = torch.tensor([19595, 38470, 7471], device=pixels.device) / 2**16
    grey = (pixels * weights[:, None, None]).sum(0, keepdim=True)
    return (grey if pixels.is_floating_point() else grey.round()).to(pixels.dtype)


__all__ = ["ChainHeadImageProcessor"]
