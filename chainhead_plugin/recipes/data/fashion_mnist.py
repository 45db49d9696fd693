"""Read Fashion-MNIST from the files that its authors publish, which Debian's package contains too."""

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RecipeError

FOLDER_VARIABLE = "CHAINHEAD_FASHION_MNIST"
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
_PARTS = {"train": 60_000, "t10k": 10_000}


def read_fashion_mnist() -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Read images [count, 28, 28] and labels [count] of the training part, then of the test part, all uint8.

    The four files lie in the folder that the environment variable CHAINHEAD_FASHION_MNIST names, or where Debian's
    package dataset-fashion-mnist puts them.

    Raises
    ------
    RecipeError
        If a file is missing or holds something else.
    """
    folder = Path(os.environ.get(FOLDER_VARIABLE) or _DEBIAN)
    return [
        (
            _read_idx(folder / f"{part}-images-idx3-ubyte.gz", (count, 28, 28)),
            _read_idx(folder / f"{part}-labels-idx1-ubyte.gz", (count,)),
        )
        for part, count in _PARTS.items()
    ]


def _read_idx(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an array of uint8 in the IDX format: 0, 0, type 8, number of axes, big-endian sizes, content."""
    if not file.is_file():
        raise RecipeError(
            f"there is no {file}: apt-get install dataset-fashion-mnist, or put the four files of "
            f"https://github.com/zalandoresearch/fashion-mnist into a folder and set {FOLDER_VARIABLE} to it"
        )
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
    size = len(header) + int(np.prod(shape))
    try:
        with gzip.open(file) as stream:
            content = stream.read(size + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise RecipeError(f"{file} cannot be read: {error}") from error
    if not content.startswith(header) or len(content) != size:
        raise RecipeError(f"{file} holds no array of bytes of shape {list(shape)}: fetch it anew")
    # A copy, as tensors share an array's memory and need it to be writable.
    array: NDArray[Any] = np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()
    return array
