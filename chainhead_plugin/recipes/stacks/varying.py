"""Small changes of series in training, which leave their labels as they are."""

import numpy as np
import torch
from torch import Tensor

# The least share of a series that a window of it takes in.
_WINDOW = 0.9
# Speeds at which a window is gone through: the deviation of their logarithms, and at how many places they are drawn.
_SPEED, _PLACES = 0.3, 4
# The deviation of the logarithm of the factor of a series' values.
_SCALE = 0.1


def vary(nodes: Tensor, mask: Tensor, rng: np.random.Generator, probability: float = 1.0) -> Tensor:
    """Return some chains as they are, and of each other chain a window, at a speed that varies, its values scaled.

    A window of nine tenths of a chain or more is stretched to the chain's length. The speed is drawn at four places,
    and its logarithm is linear between them. Nodes between two others are interpolated, in all features alike.

    Parameters
    ----------
    nodes : Tensor [batch, length, m]
    mask : Tensor [batch, length]
        1 for real nodes, which come first in their chain, 0 for padding.
    rng : numpy.random.Generator
    probability : float
        That of a chain to be changed.

    Returns
    -------
    Tensor [batch, length, m]
        Of the same dtype, with zeros at the padding of changed chains; chains of a single node are only scaled.
    """
    batch, length = mask.shape
    real = mask.numpy() != 0
    last = np.maximum(real.sum(1, keepdims=True) - 1, 0)  # [batch, 1]
    places = np.minimum(np.arange(length), last)  # [batch, length], those of padding are the last real node's

    share = rng.uniform(_WINDOW, 1, (batch, 1))
    first = rng.uniform(0, 1, (batch, 1)) * (1 - share) * last
    logarithms = _SPEED * rng.normal(size=(batch, _PLACES))
    at = places / np.maximum(last, 1) * (_PLACES - 1)
    speed = np.exp(
        [np.interp(each, np.arange(_PLACES), drawn) for each, drawn in zip(at, logarithms, strict=True)]
    )

    gone = np.where(real, speed, 0).cumsum(1)
    gone -= gone[:, :1]
    position = first + share * last * gone / np.maximum(gone[:, -1:], 1e-9)  # [batch, length]

    before = np.minimum(position.astype(np.int64), np.maximum(last - 1, 0))
    weight = torch.from_numpy(position - before).to(nodes.dtype).unsqueeze(2)
    index = torch.from_numpy(before).unsqueeze(2).expand_as(nodes)
    after = torch.from_numpy(np.minimum(before + 1, last)).unsqueeze(2).expand_as(nodes)
    moved = torch.lerp(nodes.gather(1, index), nodes.gather(1, after), weight)

    factor = torch.from_numpy(np.exp(_SCALE * rng.normal(size=(batch, 1, 1)))).to(nodes.dtype)
    varied = torch.where(torch.from_numpy(real).unsqueeze(2), factor * moved, 0)
    return torch.where(torch.from_numpy(rng.random((batch, 1, 1)) < probability), varied, nodes)
