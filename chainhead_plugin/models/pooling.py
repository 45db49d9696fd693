"""Pooling a chain's real nodes into one vector."""

import torch
from torch import Tensor
from torch.nn import functional as F


def pool(nodes: Tensor, mask: Tensor | None, pooling: str, chain_length: int) -> Tensor:
    """Pool the real nodes of each chain.

    Parameters
    ----------
    nodes : Tensor [batch, length, n]
        Zero at padded nodes.
    mask : bool Tensor [batch, length], optional
        True for real nodes.
    pooling : {"mean", "last", "max", "flatten"}
        "flatten" lines up the real nodes from the first on and fills with zeros up to `chain_length`.
    chain_length : int

    Returns
    -------
    Tensor [batch, n], or [batch, chain_length·n] with "flatten"
        Zeros for an empty chain.

    Raises
    ------
    ValueError
        If "flatten" meets a chain longer than `chain_length`.
    """
    if nodes.size(1) == 0:
        nodes, mask = F.pad(nodes, (0, 0, 0, 1)), nodes.new_zeros(nodes.size(0), 1, dtype=torch.bool)
    if mask is None:
        return _pool_all(nodes, pooling, chain_length)
    count = mask.sum(1, keepdim=True)
    if pooling == "mean":
        return nodes.sum(1) / count.clamp(min=1)
    if pooling == "max":
        largest = torch.where(mask.unsqueeze(-1), nodes, -torch.inf).amax(1)
        return torch.where(count > 0, largest, 0)
    first = mask.int().argmax(1, keepdim=True)
    if pooling == "last":
        return _take(nodes, (first + count - 1).clamp(min=0)).squeeze(1)
    _check_flat(nodes, chain_length)
    place = torch.arange(chain_length, device=nodes.device)
    aligned = _take(nodes, (first + place).clamp(max=nodes.size(1) - 1))
    return torch.where((place < count).unsqueeze(-1), aligned, 0).flatten(1)


def _take(nodes: Tensor, index: Tensor) -> Tensor:
    return nodes.gather(1, index.unsqueeze(-1).expand(-1, -1, nodes.size(2)))


def _pool_all(nodes: Tensor, pooling: str, chain_length: int) -> Tensor:
    """`pool` where all nodes are real."""
    if pooling == "mean":
        return nodes.mean(1)
    if pooling == "max":
        return nodes.amax(1)
    if pooling == "last":
        return nodes[:, -1]
    _check_flat(nodes, chain_length)
    return F.pad(nodes, (0, 0, 0, chain_length - nodes.size(1))).flatten(1)


def _check_flat(nodes: Tensor, chain_length: int) -> None:
    if nodes.size(1) > chain_length:
        raise ValueError(
            f"got chains of {nodes.size(1)} nodes, but pooling='flatten' takes at most chain_length={chain_length}"
        )
