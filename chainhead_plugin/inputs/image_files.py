"""Images in files: those of the formats that are read here, and nothing that would start another program."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# Pillow would start other programs for some of the formats that it knows, such as EPS.
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


def read_image(content: bytes, name: str) -> "Image.Image":
    """Read an image.

    Parameters
    ----------
    content : bytes
        Of the file.
    name : str
        What errors call it.

    Raises
    ------
    ValueError
        If it is none of these formats, or damaged.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(content), formats=IMAGE_FORMATS)
        image.load()
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{name} is no image that is read here: expected one of {', '.join(IMAGE_FORMATS)}"
        ) from error
    except Exception as error:  # Pillow's readers of damaged files raise whatever they stumble over
        told = str(error) or type(error).__name__
        raise ValueError(f"{name} is no image that Pillow can read: {told}") from error
    return image
