"""The options of image input, checked before anything is allocated."""

from typing import Any

from ..checks.values import check_whole_number

# Larger images, or more channels, than any camera's.
_MAX_SIZE = 2**20


def height_and_width(image_size: int | list[int]) -> tuple[int, int]:
    """Return the height and width that `image_size` stands for."""
    if isinstance(image_size, int):
        return image_size, image_size
    height, width = image_size
    return height, width


def image_nodes(
    image_size: int | list[int] | None, num_channels: int, patch_size: int | None
) -> tuple[int, int | None]:
    """Return the features of a node, and the number of nodes, that images become without a backbone.

    Parameters
    ----------
    image_size : int or list of int, optional
        Height and width; with a `patch_size` it may be None.
    num_channels : int
    patch_size : int, optional
        Of square patches; None for rows of pixels.

    Returns
    -------
    m : int
    length : int or None
        None if the image's size is not known.

    Raises
    ------
    TypeError
        If a size is no whole number.
    ValueError
        If a size is out of range, or patches do not cover an image.
    """
    check_whole_number("num_channels", num_channels, 1, _MAX_SIZE)
    if patch_size is not None:
        check_whole_number("patch_size", patch_size, 1, _MAX_SIZE)
    if image_size is None:
        if patch_size is None:
            raise ValueError("rows of pixels need image_size, or choose a patch_size")
        return num_channels * patch_size**2, None
    sizes = [image_size] * 2 if isinstance(image_size, int) else image_size
    if len(sizes) != 2:
        raise ValueError(f"image_size must be a height and a width, got {image_size!r:.80}")
    height, width = (
        check_whole_number(f"the {side} in image_size", size, 1, _MAX_SIZE)
        for side, size in zip(("height", "width"), sizes, strict=True)
    )
    if patch_size is None:
        return num_channels * width, height
    if height % patch_size or width % patch_size:
        raise ValueError(f"image_size={image_size} is not a multiple of patch_size={patch_size}")
    return num_channels * patch_size**2, (height // patch_size) * (width // patch_size)


def check_image_options(config: Any) -> None:
    """Check the fields of a `ChainHeadConfig` that concern images, against all other fields.

    Raises
    ------
    ValueError
        If a field is not valid, contradicts another or has no effect; the message names it.
    """
    given = [
        f"{name}={getattr(config, name)!r}"
        for name in ("image_size", "num_channels", "patch_size")
        if getattr(config, name) is not None
    ]
    if given and (config.backbone_config is not None or config.vocab_size is not None):
        raise ValueError(
            f"{', '.join(given)} without effect: images go into the backbone, whose configuration says which"
            if config.backbone_config is not None
            else f"{', '.join(given)} and vocab_size={config.vocab_size} contradict each other: images or tokens"
        )

    if given and config.prediction_length is not None:
        raise ValueError(
            f"{', '.join(given)} without effect: with prediction_length, forecasters take past_values"
        )

    if config.image_size is None and config.patch_size is None:
        if config.num_channels is not None:
            raise ValueError(
                f"num_channels={config.num_channels} has no effect without image_size or patch_size"
            )
    else:
        m, length = image_nodes(config.image_size, config.image_channels, config.patch_size)
        if config.m != m:
            raise ValueError(
                f"m={config.m} differs from the {m} features that {', '.join(given)} give: leave m out"
            )
        if "flatten" in config.poolings and length is not None and config.chain_length < length:
            raise ValueError(
                f"pooling='flatten' takes at most chain_length={config.chain_length} nodes, but images have {length}: "
                f"set chain_length={length}"
            )

    if config.scan is not None and not scans(config):
        raise ValueError(
            f"scan={config.scan!r} has no effect without patches: it needs patch_size or an image backbone"
        )


def scans(config: Any) -> bool:
    """Tell whether a configuration's nodes may be patches, which are laid out along a scan."""
    backbone = config.backbone_config
    if backbone is None:
        return config.patch_size is not None
    return getattr(backbone, "vocab_size", None) is None
