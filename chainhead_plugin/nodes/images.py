"""From images to chains: rows or patches of pixels, or the places of a backbone's feature map."""

from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from ..config.configuration_chainhead import ChainHeadConfig
from .image_backbone import encode_image
from .patches import scan_patches


def chain_of_image(
    config: ChainHeadConfig, backbone: PreTrainedModel | Any | None, pixel_values: Tensor
) -> Tensor:
    """Turn images into chains [batch, length, m].

    Parameters
    ----------
    config : ChainHeadConfig
        Of a model that takes images.
    backbone : PreTrainedModel, optional
        The backbone that the configuration describes, if it describes one.
    pixel_values : floating point Tensor [batch, channels, height, width]

    Raises
    ------
    ValueError
        If the images are not of the configuration's size.
    """
    if pixel_values.ndim != 4 or not pixel_values.is_floating_point():
        raise ValueError(
            f"pixel_values is {pixel_values.dtype} of shape {tuple(pixel_values.shape)}, expected floating point "
            "[batch, channels, height, width]: an image processor makes it"
        )

    scan = config.scan or "serpentine"
    if backbone is not None:
        return scan_patches(encode_image(backbone, pixel_values), scan)

    channels, height, width = pixel_values.shape[1:]
    size, expected = config.patch_size, config.image_channels
    assert config.m is not None
    if size is None:
        if channels != expected or width != config.m // expected or not height:
            raise ValueError(
                f"pixel_values has shape {tuple(pixel_values.shape)}, expected [batch, {expected}, height, "
                f"{config.m // expected}]"
            )
        return pixel_values.transpose(1, 2).flatten(2)

    if channels != expected or height % size or width % size or not height * width:
        raise ValueError(
            f"pixel_values has shape {tuple(pixel_values.shape)}, expected [batch, {expected}, height, width] "
            f"with a height and width that are multiples of patch_size={size}"
        )

    patches = pixel_values.reshape(-1, channels, height // size, size, width // size, size)
    return scan_patches(patches.permute(0, 1, 3, 5, 2, 4).flatten(1, 3), scan)
