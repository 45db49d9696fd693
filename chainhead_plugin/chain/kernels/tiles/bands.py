"""What a tile's nodes take from each other, as matrices in half precision that a kernel multiplies products by."""

import torch
from torch import Tensor

from ...cached_tensors import built_once

# Nodes of a tile, the reach of a filter on both sides included.
ROWS = 128


@built_once(maxsize=64)
def filter_bands(
    taps: tuple[float, ...],
    rest: tuple[float, ...],
    back: int,
    ahead: int,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """The band of a filter, and that of the rest of its taps if there is any.

    Parameters
    ----------
    taps, rest : tuple of float
        By distance; see `HalfFilter`.
    back, ahead : int
        How many nodes before and after a node it takes from.
    dtype : torch.dtype
    device : torch.device

    Returns
    -------
    Tensor [1 or 2, ROWS, ROWS]
        Of what takes from what.
    """
    node = torch.arange(ROWS)
    distance = node[:, None] - node
    inside = (distance <= back) & (distance >= -ahead)
    place = distance.abs().clamp(max=len(taps) - 1)
    parts = [taps, rest] if rest else [taps]
    bands = [torch.tensor(part, dtype=torch.float64)[place].where(inside, 0) for part in parts]
    return torch.stack(bands).to(dtype).to(device)


@built_once(maxsize=64)
def sum_bands(decay: float, reverse: bool, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """The powers of γ that a tile's nodes take from each other, and those of what enters the tile.

    Returns
    -------
    Tensor [1 or 2, ROWS, ROWS]
        Two parts, which are to be added up, if half precision cannot hold the powers; of what takes from what.
    float32 Tensor [ROWS]
    """
    node = torch.arange(ROWS, dtype=torch.float64)
    distance = node[:, None] - node
    powers = (decay ** distance.clamp(min=0)).where(distance >= 0, 0)
    entering = decay ** (node + 1)
    if reverse:
        powers, entering = powers.T, entering.flip(0)

    first = powers.to(dtype)
    rest = (powers - first.double()).to(dtype)
    parts = torch.stack([first, rest]) if rest.any() else first.unsqueeze(0)
    return parts.contiguous().to(device), entering.float().to(device)
