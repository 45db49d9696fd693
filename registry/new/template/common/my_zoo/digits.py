"""The data: scikit-learn's handwritten digits, 8×8 pixels each."""

import numpy as np
import torch
from torch import Tensor

TEST = 360  # the last images, by other writers than most of the first


def images() -> tuple[np.ndarray, np.ndarray]:
    """Return all images, uint8 of shape [1797, 8, 8], and their classes, of shape [1797]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.round(digits.images * (255 / 16)).astype(np.uint8), digits.target


def pixel_values(pixels: np.ndarray) -> Tensor:
    """Return what the model takes, values from -1 to 1 of shape [batch, 3, 8, 8]."""
    scaled = torch.from_numpy(pixels).float() / 127.5 - 1
    return scaled[:, None].expand(-1, 3, -1, -1)
