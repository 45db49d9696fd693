"""A chain matrix as a picture, without a plotting library."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_CELL = 24  # pixels
_WHITE, _BLUE, _RED = (
    np.array(colour, dtype=float) for colour in ((255, 255, 255), (33, 102, 172), (178, 24, 43))
)
_GRID = 224


def draw_matrix(matrix: NDArray[np.floating]) -> bytes:
    """Draw a matrix as coloured cells: white for 0, blue above and red below, full colour for the largest.

    Parameters
    ----------
    matrix : array [rows, columns]
        Finite numbers.

    Returns
    -------
    bytes
        A PNG file; the same file for the same numbers.
    """
    largest = np.abs(matrix).max()
    share = (matrix / largest if largest else matrix)[..., np.newaxis]
    colours = _WHITE + np.abs(share) * (np.where(share > 0, _BLUE, _RED) - _WHITE)
    pixels = colours.round().astype(np.uint8).repeat(_CELL, axis=0).repeat(_CELL, axis=1)
    pixels = np.pad(pixels, ((0, 1), (0, 1), (0, 0)))
    pixels[::_CELL] = pixels[:, ::_CELL] = _GRID
    return _png(pixels)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Return an RGB image [height, width, 3] as a PNG file (ISO/IEC 15948), its rows unfiltered."""
    height, width, _ = pixels.shape
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
